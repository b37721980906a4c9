"""Numebot's side of the server: starts it with a clean environment, and asks it for watching processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from functools import cache

from numebot.adapters.runner.kernel import IS_LINUX, forbid_looking_inside
from numebot.core.errors import LocalTrouble

_KEPT_VARIABLES = frozenset(
    {
        "PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME",
        "ROCR_VISIBLE_DEVICES", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV", "CONDA_PREFIX", "SYSTEMROOT",
    }
)  # fmt: skip
"""What a plugin may need to know of the machine. Everything else may hold a secret or a way to numebot."""
_QUIET: Mapping[str, str] = {
    # These would start threads as soon as they are loaded.
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # Threads that wait for each other in a loop take the processor from the one that they wait for.
    "GOMP_SPINCOUNT": "1000",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
}
_START = "import sys; sys.path[:] = {path!r}; from numebot.adapters.runner.{module} import main; main({control})"
_STOP_WITHIN_S = 20.0


class Nursery:
    """Where connections to watching processes come from. Elsewhere than on Linux each is a Python of its own.

    Forking is not safe there once libraries are loaded; such a call takes seconds instead of milliseconds.
    """

    def __init__(self, *, forks: bool = IS_LINUX) -> None:
        self._forks = forks
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._door: socket.socket | None = None
        self._stop: weakref.finalize[..., Nursery] | None = None

    def warm_up(self) -> None:
        """Start the server, which loads its libraries while others do their work. Never raises: `connect` does."""
        with self._lock, suppress(OSError):
            if self._forks and self._door is None:
                self._start()

    def connect(self) -> socket.socket:
        """Return a connection to a watching process that has nothing to do. Raises: LocalTrouble."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    self._hand_over(theirs)
                except OSError as error:
                    ours.close()
                    raise LocalTrouble(f"no process for plugins can be started: {error}.") from error
            return ours

    def take_back(self, connection: socket.socket) -> None:
        """Keep a connection whose watching process has done its work, for the next call."""
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """End the server and what it started."""
        with self._lock:
            _close_all(self._idle)
            if self._stop:
                self._stop()
            self._door = self._stop = None

    def _hand_over(self, connection: socket.socket) -> None:
        if not self._forks:
            forbid_looking_inside()
            process = _python("watch_alone", connection)
            weakref.finalize(self, _wait, process)
            return
        for attempt in (1, 2):
            if self._door is None:
                self._start()
            assert self._door is not None
            try:
                socket.send_fds(self._door, [b"+"], [connection.fileno()])
                return
            except OSError:  # the server was ended from outside
                if self._stop:
                    self._stop()
                self._door = None
                if attempt == 2:
                    raise

    def _start(self) -> None:
        forbid_looking_inside()
        ours, theirs = socket.socketpair()
        with theirs:
            process = _python("server", theirs)
        self._door = ours
        self._stop = weakref.finalize(self, _end, ours, process, self._idle)


@cache
def shared_nursery() -> Nursery:
    """Return the one of this process: loading the libraries once is enough."""
    return Nursery()


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that plugins may see."""
    kept = {name: value for name, value in environ.items() if name in _KEPT_VARIABLES or name.startswith("LC_")}
    return kept | dict(_QUIET)


def _python(module: str, connection: socket.socket) -> subprocess.Popen[bytes]:
    control = connection.fileno()
    script = _START.format(path=[os.path.abspath(entry) for entry in sys.path if entry], module=module, control=control)
    return subprocess.Popen(
        [sys.executable, "-P", "-c", script],
        env=clean_environment(os.environ),
        cwd="/",
        pass_fds=[control],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _close_all(idle: list[socket.socket]) -> None:
    while idle:
        idle.pop().close()


def _end(door: socket.socket, process: subprocess.Popen[bytes], idle: list[socket.socket]) -> None:
    _close_all(idle)
    door.close()
    _wait(process)


def _wait(process: subprocess.Popen[bytes]) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_WITHIN_S)
        return
    process.kill()
    process.wait()
