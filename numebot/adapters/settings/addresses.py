"""What is an address, and which of them stay on this machine."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9-]{1,63})*\Z")
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
