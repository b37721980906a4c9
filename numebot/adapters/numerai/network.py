"""Which addresses may be contacted. The answer is about the socket's real peer, not about a name.

A signed address comes from a server's answer, so it is input: it must not make numebot talk to the router, to a cloud
metadata service or to another program on this machine. Names are resolved here, once, and the connection goes to the
very address that was checked; a name that answers differently the next time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from numebot.core.errors import Unavailable

_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[..., Sequence[tuple[Any, ...]]]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Endpoint:
    """One address to connect to, as getaddrinfo describes it."""

    family: int
    kind: int
    protocol: int
    address: tuple[Any, ...]

    @property
    def ip(self) -> str:
        """The numeric address."""
        return str(self.address[0]).split("%")[0]


def is_loopback_host(host: str) -> bool:
    """Say whether `host`, as written, means this machine."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    return (ip := _parsed_ip(bare)) is not None and ip.is_loopback


def is_public_ip(text: str) -> bool:
    """Say whether the numeric address is on the open internet, looking through IPv4 addresses wrapped in IPv6."""
    ip = _parsed_ip(text)
    if ip is None:
        return False
    wrapped = _wrapped(ip)
    # A gateway or the kernel takes the IPv4 address out, so that one is what is reached.
    return all(_is_global(inner) for inner in wrapped) if wrapped else _is_global(ip)


class AddressPolicy:
    """The rules for one client: https to public hosts; plain http and loopback only when the API is on this machine."""

    def __init__(
        self, *, api_host: str, allowed_hosts: Sequence[str] = (), resolver: Resolver = socket.getaddrinfo
    ) -> None:
        """`allowed_hosts` is empty for "any public host"; the API's own host is always allowed."""
        self._api_host = api_host.strip("[]").rstrip(".").lower()
        self._allowed = tuple(host.rstrip(".").lower() for host in allowed_hosts)
        self._allow_loopback = is_loopback_host(api_host)
        self._resolver = resolver

    def check_url(self, url: str, what: str) -> None:
        """Raise Unavailable when `url` may not be contacted for `what`. The text of the URL is never shown."""
        try:
            address = parse_url(url)
        except LocationParseError:
            raise Unavailable(f"{what}: the server named something that is no address. It is asked again.") from None
        host = address.host or ""
        if address.scheme not in ("http", "https") or not host:
            raise Unavailable(f'{what}: the server named a "{address.scheme}" address. Only https is used.')
        if address.auth:
            raise Unavailable(f"{what}: the address on {host} holds a user name. Such addresses are not contacted.")
        if address.scheme == "http" and not (self._allow_loopback and is_loopback_host(host)):
            raise Unavailable(f"{what}: the address on {host} is not encrypted. Only https is used; it is asked again.")
        self.check_host(host, what)

    def check_host(self, host: str, what: str) -> None:
        """Raise Unavailable when the name or the literal address is off limits."""
        bare = host.strip("[]").rstrip(".").lower()
        if is_loopback_host(bare):
            if not self._allow_loopback:
                raise Unavailable(f"{what}: {host} is this machine. Only a practice tournament may point here.")
            return
        if _parsed_ip(bare) is not None and not is_public_ip(bare):
            raise Unavailable(f"{what}: {host} is not a public address. It was not contacted.")
        permitted = (*self._allowed, self._api_host)
        if self._allowed and not any(bare == name or bare.endswith(f".{name}") for name in permitted):
            raise Unavailable(
                f"{what}: {host} is not among the allowed hosts ({', '.join(self._allowed)}). "
                "It was not contacted; add it to allowed_hosts if it is Numerai's."
            )

    def endpoints(self, host: str, port: int, *, timeout_s: float, plain: bool) -> list[Endpoint]:
        """Return the addresses of `host` that may be connected to; `plain` says that the connection is not encrypted.

        Raises: Unavailable when none may; OSError and TimeoutError when the name cannot be resolved.
        """
        self.check_host(host, "connection")
        found = self.resolve(host, port, timeout_s=timeout_s)
        permitted = [endpoint for endpoint in found if self._may_connect(endpoint.ip, plain=plain)]
        if not permitted:
            where = ", ".join(endpoint.ip for endpoint in found) or "no address"
            raise Unavailable(f"{host} leads to {where}, which is not a public address. It was not contacted.")
        return permitted

    def resolve(self, host: str, port: int, *, timeout_s: float) -> list[Endpoint]:
        """Ask the resolver in a thread: getaddrinfo has no timeout of its own and may block for half a minute."""
        answers: list[Sequence[tuple[Any, ...]]] = []
        failures: list[OSError] = []

        def look_up() -> None:
            try:
                answers.append(self._resolver(host.strip("[]"), port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                failures.append(error if isinstance(error, OSError) else socket.gaierror(str(error)))

        thread = threading.Thread(target=look_up, name="resolver", daemon=True)
        thread.start()
        thread.join(timeout_s)
        if failures:
            raise failures[0]
        if not answers:
            raise TimeoutError(f"the name {host} was not resolved within {timeout_s:.1f} s")
        return [Endpoint(family, kind, protocol, address) for family, kind, protocol, _, address in answers[0]]

    def _may_connect(self, ip: str, *, plain: bool) -> bool:
        parsed = _parsed_ip(ip)
        if parsed is not None and parsed.is_loopback:
            return self._allow_loopback
        return is_public_ip(ip) and not plain


def _is_global(ip: _IPAddress) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _parsed_ip(text: str) -> _IPAddress | None:
    try:
        return ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return None


def _wrapped(ip: _IPAddress) -> list[_IPAddress]:
    """Return the IPv4 addresses that gateways would take out of an IPv6 address."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    inner: list[_IPAddress | None] = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return [address for address in inner if address is not None]
