"""What is an address, and which of them stay on this machine."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import parse_qs, unquote, urlsplit

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9-]{1,63})*\Z")
_POSTGRESQL = ("postgresql", "postgresql+psycopg", "postgres")
_QUERY_PASSWORD = re.compile(r"(?:^|&)[a-z]*password=([^&]*)")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]")


def is_host_name(text: str) -> bool:
    """Tell whether a text is the name of a host, in lower case, without scheme, port or path."""
    return _HOST_NAME.match(text) is not None


def has_host(address: str) -> bool:
    """Tell whether a text is an http(s) address with a host and, if any, a legal port."""
    if _BLANK.search(address):
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port out of range, half an IPv6 address
        return False


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine; names other than localhost are not looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_postgresql(address: str) -> bool:
    """Tell whether a text is the address of a PostgreSQL database, with its special characters percent-encoded."""
    if _BLANK.search(address):
        return False
    try:
        parts = urlsplit(address)
        is_known = parts.scheme in _POSTGRESQL and parts.port != 0 and not parts.fragment
    except ValueError:
        return False
    return is_known and re.fullmatch(r"/[^/@]+", parts.path) is not None


def passwords_in(address: str) -> tuple[str, ...]:
    """Return the passwords in the address of a database, as they are and as they are written there."""
    parts = urlsplit(address)
    written = [parts.password or "", *_QUERY_PASSWORD.findall(parts.query)]
    meant = [unquote(one) for one in written] + [
        one for name, values in parse_qs(parts.query).items() if name.endswith("password") for one in values
    ]
    return tuple(dict.fromkeys(one for one in (*written, *meant) if one))
