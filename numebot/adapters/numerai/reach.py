"""The way to the server, step by step, so that it can be said which step fails: name, connection, TLS, answer."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import certifi

from numebot.adapters.numerai.rounds import ROUNDS_WINDOW_ONLY
from numebot.adapters.numerai.transport import Transport
from numebot.core.errors import Unavailable

_PORTS = {"https": 443, "http": 80}
ANSWER_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Way:
    """How the server was reached. `tls` is "" without any; `ends_at` is the last day of its certificate."""

    host: str
    addresses: tuple[str, ...] = ()
    tls: str = ""
    ends_at: datetime | None = None


def way_to(transport: Transport) -> Way:
    """Look up the server's name, connect, and greet it. Raises: Unavailable, saying which of these failed.

    Behind a proxy the name is the proxy's business, and nothing is tried.
    """
    settings = transport.settings
    address = urlsplit(settings.url)
    host, is_encrypted = address.hostname or "", address.scheme == "https"
    if settings.proxy:
        return Way(host)
    timeout_s = settings.connect_timeout_s
    try:
        port = address.port or _PORTS[address.scheme]
        endpoints = transport.policy.endpoints(host, port, timeout_s=timeout_s, plain=not is_encrypted)
    except (OSError, KeyError, ValueError) as error:
        raise Unavailable(f"the name {host} leads to no address ({error}).") from error
    ips = tuple(dict.fromkeys(endpoint.ip for endpoint in endpoints))
    last: OSError | None = None
    for endpoint in endpoints:
        try:
            with socket.socket(endpoint.family, endpoint.kind, endpoint.protocol) as plain:
                plain.settimeout(timeout_s)
                plain.connect(endpoint.address)
                return _greeted(plain, host, ips) if is_encrypted else Way(host, ips)
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(f"the certificate of {host} is not accepted ({error.verify_message}).") from error
        except OSError as error:
            last = error
    raise Unavailable(f"no connection to {host} ({', '.join(ips)}): {last}.")


def _greeted(plain: socket.socket, host: str, addresses: tuple[str, ...]) -> Way:
    context = ssl.create_default_context(cafile=certifi.where())
    with context.wrap_socket(plain, server_hostname=host) as encrypted:
        certificate = encrypted.getpeercert() or {}
        ends = certificate.get("notAfter")
        ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) if ends else None
        return Way(host, addresses, encrypted.version() or "TLS", ends_at)


def server_time(transport: Transport, tournament: int) -> datetime | None:
    """Return the server's clock by its answer to a small question. Raises: Unavailable, Rejected, RoundClosed."""
    asked = {"tournament": tournament}
    return transport.query(ROUNDS_WINDOW_ONLY, asked, tries=1, total_timeout_s=ANSWER_TIMEOUT_S).server_time
