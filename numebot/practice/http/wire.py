"""The connection under a request, for answers that HTTP libraries refuse to give: resets, drips, cut bodies."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from starlette.requests import Request
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on with zero seconds: closing sends RST instead of FIN."""


class WireProtocol(H11Protocol):
    """uvicorn's HTTP protocol that shows its connection to the application as `request.state.wire`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "wire": self}, _loop)
        self._gone = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits on this connection."""
        self._gone.set()
        super().connection_lost(exc)

    @property
    def is_gone(self) -> bool:
        """Whether the connection has ended."""
        return self._gone.is_set()

    async def pause(self, seconds: float | None) -> None:
        """Let `seconds` pass (None: for ever), ending early when the connection ends."""
        try:
            await asyncio.wait_for(self._gone.wait(), timeout=seconds)
        except TimeoutError:
            return

    async def reset(self) -> None:
        """End the connection with RST; what was not sent yet is lost."""
        own_socket = self.transport.get_extra_info("socket")
        if own_socket is not None:
            own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()
        await self._gone.wait()

    async def close(self) -> None:
        """End the connection with FIN after everything written has left."""
        self.transport.close()
        await self._gone.wait()

    async def write(self, data: bytes) -> None:
        """Send bytes as they are, past the HTTP state machine. The connection must be closed afterwards."""
        if self.is_gone:
            return
        self.transport.write(data)
        if self.flow.write_paused:
            await self.flow.drain()

    def abort(self) -> None:
        """Drop the connection now, whatever hangs on it."""
        self.transport.abort()


def wire_of(request: Request) -> WireProtocol:
    """Return the connection of a request. Raises: TypeError when another server protocol runs the application."""
    wire = request.state.wire
    if not isinstance(wire, WireProtocol):
        raise TypeError("the practice tournament must be served through WireProtocol")
    return wire
