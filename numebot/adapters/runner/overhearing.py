"""How far a plugin's training is, read from what its process writes into its working folder now and then."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from numebot.workshop.progress import FILE

Report = Callable[[int, int | None], None]
"""Steps done, steps in all where that is known."""

EVERY_S = 0.5
_LARGEST = 1000


@contextmanager
def overheard(folder: Path, report: Report) -> Iterator[None]:
    """Tell `report`, from a thread, what is written into `folder`, for the length of the block."""
    is_over = threading.Event()
    thread = threading.Thread(target=_listen, args=(folder / FILE, report, is_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _listen(path: Path, report: Report, is_over: threading.Event) -> None:
    last = None
    while not is_over.wait(EVERY_S):
        now = _read(path)
        if now is not None and now != last:
            report(*now)
            last = now


def _read(path: Path) -> tuple[int, int | None] | None:
    """Return what stands there; a plugin may have put anything in its place, a pipe or a link too."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            found = json.loads(file.read(_LARGEST))
        done, of = found["done"], found["of"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    if isinstance(done, int) and (of is None or isinstance(of, int)) and 0 <= done <= (of or done):
        return done, of
    return None
