"""What the client needs to know: where Numerai is, the key, and how long anything may take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from numebot.adapters.numerai.network import is_loopback_host
from numebot.core.errors import ConfigError

NUMERAI_URL = "https://api-tournament.numer.ai"


@dataclass(frozen=True)
class ApiSettings:
    """Address, key and limits of the tournament client; printing it shows no secret.

    `total_timeout_s` bounds one GraphQL call with its retries; `upload_timeout_s` one PUT; `download_timeout_s` one
    file with its retries. A download slower than `minimum_rate_bytes_s` over `rate_window_s` is given up and begun
    again. `allowed_hosts` limits where files may come from and go to (subdomains included); empty means any public
    host. `proxy` is used only when it is set here: environment variables are not read. `ca_file` replaces the built-in
    certificate authorities; there is no way to switch verification off.
    """

    url: str = NUMERAI_URL
    public_id: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 20.0
    total_timeout_s: float = 60.0
    upload_timeout_s: float = 180.0
    download_timeout_s: float = 7200.0
    minimum_rate_bytes_s: float = 20_000.0
    rate_window_s: float = 30.0
    max_download_bytes: int = 20_000_000_000
    allowed_hosts: tuple[str, ...] = ()
    proxy: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work, all problems at once."""
        problems = list(self._problems())
        if problems:
            raise ConfigError("The settings of the Numerai API cannot be used:", problems)

    @property
    def is_loopback(self) -> bool:
        """The API is on this machine: the practice tournament or a test."""
        return is_loopback_host(parse_url(self.url).host or "")

    @property
    def host(self) -> str:
        """The API's host name."""
        return parse_url(self.url).host or ""

    @property
    def has_key(self) -> bool:
        """There is a key; whether it is right, only the server knows."""
        return bool(self.public_id and self.secret_key)

    @property
    def authorization(self) -> str:
        """The value of the Authorization header; a secret."""
        return f"Token {self.public_id}${self.secret_key}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be printed."""
        return tuple(secret for secret in (self.public_id, self.secret_key, self.proxy) if secret)

    def _problems(self) -> Iterator[str]:
        if bool(self.public_id) != bool(self.secret_key):
            present, absent = ("PUBLIC_ID", "SECRET_KEY") if self.public_id else ("SECRET_KEY", "PUBLIC_ID")
            yield f"{present} is set, {absent} is not. A key has two halves: set both, from the same key, or none."
        try:
            address = parse_url(self.url)
        except LocationParseError:
            yield f'url: "{self.url}" is not an address. Example: {NUMERAI_URL}'
            return
        if address.scheme not in ("https", "http") or not address.host:
            yield f'url: "{self.url}" is not a web address. Example: {NUMERAI_URL}'
        elif address.scheme == "http" and not is_loopback_host(address.host):
            yield f'url: "{self.url}" is not encrypted. Use https; plain http is for this machine alone (127.0.0.1).'
        if address.auth:
            yield "url: it holds a user name. Keys belong into PUBLIC_ID and SECRET_KEY."
        yield from self._unusable_limits()

    def _unusable_limits(self) -> Iterator[str]:
        positive = (
            "connect_timeout_s", "read_timeout_s", "total_timeout_s", "upload_timeout_s", "download_timeout_s",
            "rate_window_s", "max_download_bytes",
        )  # fmt: skip
        for name in positive:
            if not getattr(self, name) > 0:
                yield f"{name}: {getattr(self, name)} was given, more than 0 is needed."
