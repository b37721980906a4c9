"""Takes the bytes of a download: writes and hashes side by side, with flat memory.

Done one after the other, the two would make a download a good deal slower than the line. hashlib lets go of Python's
lock while it works, so a plain thread is enough. The disk is left to the kernel until the end, when numebot.durable
syncs the whole file once: pushing in between was measured to gain nothing.
"""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

_MOST_WAITING_CHUNKS = 4


class FileSink:
    """A file being written; use it in a `with` block, then read `sha256` and `size_bytes`."""

    def __init__(self, path: Path) -> None:
        self.size_bytes = 0
        self._file = path.open("wb", buffering=0)
        self._digest = hashlib.sha256()
        self._hasher = ThreadPoolExecutor(1, thread_name_prefix="download-sha256")
        self._waiting: deque[Future[None]] = deque()

    @property
    def sha256(self) -> str:
        """The hash of everything written; complete once the `with` block has ended."""
        return self._digest.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Take one chunk; waits when hashing cannot keep up. Raises: OSError."""
        if len(self._waiting) >= _MOST_WAITING_CHUNKS:
            self._waiting.popleft().result()
        self._waiting.append(self._hasher.submit(self._digest.update, chunk))
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size_bytes += len(chunk)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hasher.shutdown(wait=True)
        self._file.close()
