"""The process from which plugins' processes are forked: libraries loaded, one thread, nothing of the owner's inside.

A fork of it costs milliseconds where a new Python takes seconds to load pandas and the rest. Forking numebot's own
process instead would copy its secrets and, in the midst of other threads, its locks.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import sys
from contextlib import suppress

from numebot.adapters.runner import child
from numebot.adapters.runner.processes import descendants
from numebot.adapters.runner.watch import serve

LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy", "sklearn", "threadpoolctl", "lightgbm", "xgboost")
"""Loaded before the first fork, where they are installed."""

_WITHOUT_LIBRARIES = "--without-libraries"
_POLL_MS = 500


def main(control: int) -> None:
    """Fork a watching process for each connection that comes through `control`, until that is closed."""
    if _WITHOUT_LIBRARIES not in sys.argv:
        _load_libraries()
        if _threads() > 1:
            # A fork in the midst of threads may hang for ever: then rather load the libraries in every child.
            os.set_inheritable(control, True)
            os.execv(sys.executable, [*sys.orig_argv, _WITHOUT_LIBRARIES])
    gc.collect()
    gc.freeze()  # what is here already is never looked at again, so that its pages stay shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=control) as door:
        _fork_for_each(door)


def _fork_for_each(door: socket.socket) -> None:
    watching: set[int] = set()
    poll = select.poll()
    poll.register(door, select.POLLIN)
    is_open = True
    while is_open or watching:
        if is_open and poll.poll(_POLL_MS):
            is_open = _answer(door, watching)
            if not is_open:
                _end_all(watching)
        elif not is_open:
            with suppress(ChildProcessError):
                watching.discard(os.wait()[0])
        _clean_up(watching)


def _answer(door: socket.socket, watching: set[int]) -> bool:
    """Fork a watching process for the connection that comes; False when none will come any more."""
    content, descriptors, _, _ = socket.recv_fds(door, 1, 1)
    if not content or not descriptors:
        return False
    process = os.fork()
    if process == 0:
        code = 1
        try:
            door.close()
            with socket.socket(fileno=descriptors[0]) as connection:
                serve(connection)
            code = 0
        finally:
            os._exit(code)
    os.close(descriptors[0])
    watching.add(process)
    return True


def _clean_up(watching: set[int]) -> None:
    """Take note of watching processes that ended, and end what a killed one left behind."""
    with suppress(ChildProcessError):
        while process := os.waitpid(-1, os.WNOHANG)[0]:
            watching.discard(process)
    ours = descendants(os.getpid())
    below = {each for process in watching for each in (process, *descendants(process))}
    for process in set(ours) - below:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _end_all(watching: set[int]) -> None:
    """Numebot is gone: the watching processes end what they watch."""
    for process in watching:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)


def _load_libraries() -> None:
    for name in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
    child.thread_pools()


def _threads() -> int:
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
