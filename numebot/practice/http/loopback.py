"""An ASGI application served on the loopback from a thread: quick to start, quick to stop, and it can play dead."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from numebot.core.errors import ConfigError, LocalTrouble
from numebot.practice.http.wire import WireProtocol

HOST = "127.0.0.1"
"""The only address that is ever listened on."""

_BACKLOG = 256
_START_LIMIT_S = 20.0
_LAST_WORDS_S = 0.3
_LAST_TURNS = 5


def listening_socket(port: int) -> socket.socket:
    """Return a socket bound to a port of the loopback (0: any free one). Raises: ConfigError when it is taken."""
    own_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        own_socket.bind((HOST, port))
    except OSError as error:
        own_socket.close()
        reason = "is in use already" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise ConfigError(
            f"--port {port}: {HOST}:{port} {reason}. Name another port, or 0 for any free one; nothing was started."
        ) from error
    except OverflowError as error:
        own_socket.close()
        raise ConfigError(f"--port {port}: ports are 0 to 65535; nothing was started.") from error
    return own_socket


class LoopbackServer:
    """Runs an application between `start` and `stop`; a context manager does both."""

    def __init__(self, app: ASGIApp, own_socket: socket.socket) -> None:
        self.port: int = own_socket.getsockname()[1]
        self._socket = own_socket
        self._server = _Server(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=WireProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=30,
                backlog=_BACKLOG,
            )
        )
        self._thread = threading.Thread(target=self._run, name=f"practice-http-{self.port}", daemon=True)

    @property
    def url(self) -> str:
        """The server's address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Return when requests are answered. Raises: LocalTrouble."""
        self._thread.start()
        if not self._server.ready.wait(_START_LIMIT_S) or not self._server.started:
            raise LocalTrouble(f"the practice tournament could not listen on {self.url}.")

    def stop(self) -> None:
        """Drop all connections, whatever hangs on them, and return when the thread has ended."""
        self._server.ask_to_end()
        self._thread.join()

    def refuse_connections(self, seconds: float) -> None:
        """Do not listen for `seconds`: the kernel refuses new connections. To be called inside the server's loop."""
        self._server.refuse_connections(self.port, seconds)

    def __enter__(self) -> LoopbackServer:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._server.ready.set()


class _Server(uvicorn.Server):
    """uvicorn's server with an end that waits for an event instead of polling, and not for hanging requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._reopening: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Wait for the end."""
        if self._end is not None:
            await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, drop the connections, give running requests a moment to notice."""
        for task in self._reopening:
            task.cancel()
        self._close_listeners()
        for own_socket in sockets or []:
            own_socket.close()
        # what was accepted a moment ago becomes a connection in the loop's next turns, too late for the list below
        for _ in range(2):
            await asyncio.sleep(0)
        self._drop_connections()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_LAST_WORDS_S)
        # and a dropped one gives its socket back a turn later still
        for _ in range(_LAST_TURNS):
            self._drop_connections()
            await asyncio.sleep(0)

    def _drop_connections(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, WireProtocol):
                connection.abort()

    def ask_to_end(self) -> None:
        """Let `main_loop` return; harmless when the loop has ended on its own."""
        if self._loop is not None and self._end is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end.set)

    def refuse_connections(self, port: int, seconds: float) -> None:
        """Close the listeners now and open them again after `seconds`."""
        self._close_listeners()
        task = asyncio.get_running_loop().create_task(self._reopen(port, seconds))
        self._reopening.add(task)
        task.add_done_callback(self._reopening.discard)

    async def _reopen(self, port: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self.servers:
            return
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._protocol, sock=listening_socket(port), backlog=_BACKLOG)
        self.servers = [server]

    def _protocol(self) -> WireProtocol:
        return WireProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    def _close_listeners(self) -> None:
        for server in self.servers:
            server.close()
        self.servers = []
