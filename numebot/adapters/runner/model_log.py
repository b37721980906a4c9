"""What a plugin prints, kept in a file of bounded size, and its last lines for a message."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from numebot.adapters.runner.clockwork import stamp
from numebot.core.words import plain

LARGEST_CALL = 256 * 1024
"""Bytes that one call may write; of what comes after, only the end is kept."""
LARGEST_FILE = 2 * 2**20
"""Above this size the file is put aside as NAME.old before the next call."""
_TAIL = 16 * 1024
_LINES = 5
_CRASH = "Fatal Python error"
_NOISE = "Extension modules: "
"""How Python begins a long list after a crash."""


class ModelLog:
    """The log of one call. That it cannot be written, on a full disk say, is no reason not to predict."""

    def __init__(self, path: Path | None, title: str) -> None:
        self._left = LARGEST_CALL
        self._lost = 0
        self._tail = b""
        self._file: BinaryIO | None = None
        self._title = f"--- {stamp()} {title}\n".encode()
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Write the end of what was too long, and close."""
        if self._lost:
            note = f"\n… {self._lost:,} bytes left out …\n".encode()
            self._put(note + self._tail[-min(self._lost, _TAIL) :])
        if self._file:
            with suppress(OSError):
                self._file.close()

    def write(self, piece: bytes) -> None:
        """Keep a piece of output."""
        head, rest = piece[: self._left], piece[self._left :]
        self._left -= len(head)
        self._lost += len(rest)
        self._tail = (self._tail + piece[-_TAIL:])[-_TAIL:]
        if head:
            self._put(head)

    def last_lines(self) -> str:
        """Return the last lines in one, fit for a message."""
        lines = plain(self._tail.decode("utf-8", "replace"), longest=_TAIL, lines=True).splitlines()
        told = [line.strip() for line in lines if line.strip() and not line.startswith(_NOISE)]
        crash = next((number for number, line in enumerate(told) if line.startswith(_CRASH)), None)
        # Python tells the place of a crash from the inside to the outside.
        end = told[-_LINES:] if crash is None else told[max(0, crash - 1) :][:_LINES]
        return plain(" | ".join(end), longest=600)

    def _put(self, content: bytes) -> None:
        with suppress(OSError):
            if self._file is None and self._path is not None:
                self._file = _opened(self._path)
                self._file.write(self._title)
            if self._file:
                self._file.write(content)


def _opened(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileNotFoundError):
        if path.stat().st_size > LARGEST_FILE:
            path.replace(path.with_name(path.name + ".old"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb", buffering=0)
