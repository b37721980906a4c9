"""One call on the wire: where it may go, how long it may take, and whether a byte of it has left.

requests knows a timeout per read, which a server that drips one byte a second never trips. Here every read and write
of the socket asks the call's own `Wire` how long it may still wait, from the first look-up of the name to the last byte
of the answer. The same place counts the rate, and knows whether a failed request can have been executed: what was
never sent was not.
"""

from __future__ import annotations

import io
import socket
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from numebot.adapters.numerai.network import AddressPolicy, Endpoint
from numebot.core.ports import Clock

_READ_BUFFER_BYTES = 16 * 1024
"""Enough for headers; longer reads of a body go past this buffer."""


@dataclass(frozen=True)
class Limits:
    """How long one call may take, in seconds; `minimum_rate_bytes_s` 0 means any rate."""

    connect_timeout_s: float
    read_timeout_s: float
    total_s: float
    minimum_rate_bytes_s: float = 0.0
    rate_window_s: float = 30.0


class Wire:
    """The state of one call; made for it and thrown away with it."""

    def __init__(self, clock: Clock, limits: Limits, policy: AddressPolicy) -> None:
        self.limits = limits
        self.policy = policy
        self.has_sent = False
        """A byte of the request (not of a proxy's greeting) has left: the server may have acted on it."""
        self.is_too_slow = False
        self._clock = clock
        self._end = clock.monotonic() + limits.total_s
        self._window_began = clock.monotonic()
        self._window_bytes = 0

    @property
    def is_over(self) -> bool:
        """The call's time is used up."""
        return self._clock.monotonic() >= self._end

    def patience(self, longest_s: float | None = None) -> float:
        """Return how long the next wait may last. Raises TimeoutError when the call's time is used up."""
        remaining = self._end - self._clock.monotonic()
        if remaining <= 0:
            raise TimeoutError(f"not finished within {self.limits.total_s:g} s")
        return min(remaining, self.limits.read_timeout_s if longest_s is None else longest_s)

    def start_rate(self) -> None:
        """Begin to measure the rate; the time before the first byte of the body does not count."""
        self._window_began = self._clock.monotonic()
        self._window_bytes = 0

    def count_received(self, size_bytes: int) -> None:
        """Take note of received bytes. Raises TimeoutError when they came too slowly over a whole window."""
        self._window_bytes += size_bytes
        elapsed = self._clock.monotonic() - self._window_began
        if elapsed < self.limits.rate_window_s:
            return
        if self._window_bytes < self.limits.minimum_rate_bytes_s * elapsed:
            self.is_too_slow = True
            raise TimeoutError(f"{self._window_bytes / elapsed:.0f} bytes a second, too slow")
        self.start_rate()


class _PatientReader(io.RawIOBase):
    """The socket's reading side, limited by the call's time."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, wire: Wire) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._wire = wire

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Any, /) -> int | None:
        self._sock.settimeout(self._wire.patience())
        size: int | None = self._raw.readinto(buffer)
        self._wire.count_received(size or 0)
        return size

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _PatientResponse(HTTPResponse):
    """An answer whose status line, headers and body are read through a `_PatientReader`."""

    def __init__(self, wire: Wire, sock: socket.socket, debuglevel: int = 0, method: str | None = None) -> None:
        super().__init__(sock, debuglevel=debuglevel, method=method)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_PatientReader(raw, sock, wire), _READ_BUFFER_BYTES)


class _WireConnection(HTTPConnection):
    """What plain and encrypted connections share: checked addresses, bounded waits, a note of what was sent."""

    is_plain = True

    def __init__(self, *arguments: Any, wire: Wire, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._wire = wire
        self._is_requesting = False
        self.response_class = partial(_PatientResponse, wire)  # type: ignore[assignment]  # it is only called

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send the request proper, as opposed to a proxy's CONNECT."""
        self._is_requesting = True
        super().request(*arguments, **options)

    def send(self, data: Any) -> None:
        """Send a part of the request, within the call's time."""
        if self.sock is None:
            self.connect()
        self._wire.has_sent = self._wire.has_sent or self._is_requesting
        self.sock.settimeout(self._wire.patience())
        super().send(data)

    def _new_conn(self) -> socket.socket:
        failure: OSError | None = None
        for endpoint in self._endpoints():
            try:
                return self._connected(endpoint)
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, f"no connection to {self.host}: {failure}") from failure
        raise NewConnectionError(self, f"no connection to {self.host}: {failure}") from failure

    def _endpoints(self) -> list[Endpoint]:
        policy, patience = self._wire.policy, self._wire.patience(self._wire.limits.connect_timeout_s)
        port = self.port or self.default_port
        try:
            if self.proxy is not None:
                # A person named the proxy, so it may stand in the home network; it resolves the target's name itself.
                return policy.resolve(self.host, port, timeout_s=patience)
            return policy.endpoints(self._dns_host, port, timeout_s=patience, plain=self.is_plain)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, str(error)) from error
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error

    def _connected(self, endpoint: Endpoint) -> socket.socket:
        sock = socket.socket(endpoint.family, endpoint.kind, endpoint.protocol)
        try:
            sock.settimeout(self._wire.patience(self._wire.limits.connect_timeout_s))
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            sock.connect(endpoint.address)
        except BaseException:
            sock.close()
            raise
        return sock


class PlainConnection(_WireConnection):
    """http, which the policy allows on this machine alone."""


class EncryptedConnection(_WireConnection, HTTPSConnection):
    """https, with the certificate verified."""

    is_plain = False
