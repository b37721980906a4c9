"""One at a time: who works in a data folder holds its lock, and the others learn who that is."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from numebot.core.errors import LocalTrouble
from numebot.durable import local_trouble

LOCK_FILE = "numebot.lock"


@contextmanager
def lease(folder: Path) -> Iterator[None]:
    """Hold the data folder's lock for the length of the block. The kernel gives it back when the process dies.

    Raises: LocalTrouble when another process holds it, or the folder cannot be written.
    """
    path = folder / LOCK_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise local_trouble(error, path) from error
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        raise LocalTrouble(
            f"{path.parent}: another numebot (process {holder}) is at work in this data folder and does the same job. "
            "Wait for it to end, or stop it, then run again."
        ) from error
    with suppress(OSError):
        # The name of the holder is a courtesy; a full disk must not keep the lock from being held.
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
