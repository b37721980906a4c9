"""One HTTP request and its answer, with requests' surprises switched off.

No netrc, no proxies from the environment, no redirects, no cookies, no verification to switch off. Each exchange has
a connection of its own: a mutation must not die on an idle connection that the server has closed meanwhile, because
nobody could say then whether it was executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead
from typing import IO, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.network import is_loopback_host
from numebot.adapters.numerai.wire import EncryptedConnection, PlainConnection, Wire
from numebot.core.errors import ConfigError, Unavailable
from numebot.redaction import redact

USER_AGENT = "numebot"
WIRE_ERRORS = (requests.RequestException, HTTPError, HTTPException, OSError)
"""Everything that requests, urllib3, http.client and the socket throw while an answer is awaited or read."""

Body = bytes | IO[bytes] | None


class _WireAdapter(HTTPAdapter):
    """Gives requests connections that belong to one `Wire`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def get_connection_with_tls_context(self, request: Any, verify: Any, *rest: Any, **options: Any) -> Any:
        """Return a pool whose connections are ours. Raises: ConfigError when somebody wants no verification."""
        if not verify:
            raise ConfigError("TLS verification cannot be switched off. A private authority goes into ca_file.")
        pool: Any = super().get_connection_with_tls_context(request, verify, *rest, **options)
        pool.ConnectionCls = EncryptedConnection if pool.scheme == "https" else PlainConnection
        pool.conn_kw["wire"] = self._wire
        return pool


def open_session(settings: ApiSettings, wire: Wire) -> requests.Session:
    """Return a session for one exchange that reads nothing from the environment."""
    session = requests.Session()
    session.trust_env = False
    session.headers = requests.structures.CaseInsensitiveDict({"User-Agent": USER_AGENT})
    session.verify = settings.ca_file or True
    for scheme in ("https://", "http://"):
        session.mount(scheme, _WireAdapter(wire))
    return session


@contextmanager
def exchange(
    settings: ApiSettings,
    wire: Wire,
    *,
    request: tuple[str, str],
    headers: Mapping[str, str],
    body: Body = None,
) -> Iterator[requests.Response]:
    """Send one request (method, URL) and yield the answer with its body still unread.

    Raises: Unavailable when no answer came; `wire.has_sent` then says whether the server can have acted.
    """
    method, url = request
    host = parse_url(url).host or ""
    with open_session(settings, wire) as session:
        if settings.proxy and not is_loopback_host(host):
            session.proxies = {"http": settings.proxy, "https": settings.proxy}
        try:
            response = session.request(
                method,
                url,
                data=body,
                headers=dict(headers),
                stream=True,
                allow_redirects=False,
                timeout=(wire.limits.connect_timeout_s, wire.limits.read_timeout_s),
            )
        except WIRE_ERRORS as error:
            raise no_answer(error, host, wire, settings) from None
        with response:
            yield response


def read_body_into(response: requests.Response, buffer: memoryview) -> int:
    """Fill `buffer` with the next bytes of the body and return how many they are; 0 at its end.

    Raises: one of `WIRE_ERRORS`, also when the body ends before its declared length.
    """
    raw = response.raw
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        # Nobody asked for it, but a store may keep a file compressed and send it like that to everybody.
        raw.decode_content = True
        return int(raw.readinto(buffer))
    # urllib3 would make new bytes objects and copy them; the answer below it reads right into our memory.
    answer: Any = raw._original_response
    size_bytes: int = answer.readinto(buffer)
    if not size_bytes and answer.length:
        raise IncompleteRead(b"", answer.length)
    return size_bytes


def no_answer(error: Exception, host: str, wire: Wire, settings: ApiSettings) -> Unavailable:
    """Put a failure of the wire into words that hold no address beyond the host."""
    return Unavailable(f"{host}: {redact(_reason(error, wire), settings.secrets)}.")


def _reason(error: Exception, wire: Wire) -> str:
    limits = wire.limits
    if wire.is_too_slow:
        return f"slower than {limits.minimum_rate_bytes_s:g} bytes a second"
    if wire.is_over:
        return f"not finished within {limits.total_s:g} s"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the encrypted connection failed ({_root_cause(error)})"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {limits.connect_timeout_s:g} s"
    cause = _root_cause(error)
    if isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
        return f"no answer within {limits.read_timeout_s:g} s"
    return f"the connection failed ({cause})"


def _root_cause(error: BaseException) -> BaseException:
    """Dig through the layers of requests and urllib3: their texts quote whole addresses, the innermost one does not."""
    for _ in range(10):
        candidates = (getattr(error, "reason", None), *error.args, error.__cause__)
        inner = next((candidate for candidate in candidates if isinstance(candidate, BaseException)), None)
        if inner is None or inner is error:
            break
        error = inner
    return error
