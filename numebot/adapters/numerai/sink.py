"""Takes the bytes of a download: writes, hashes and pushes to the disk side by side, with flat memory.

Done one after the other, these three would make a download several times slower than the line. hashlib and fdatasync
let go of Python's lock while they work, so plain threads are enough.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

_MOST_WAITING_CHUNKS = 4
SYNC_EVERY_BYTES = 64 * 1024 * 1024


class FileSink:
    """A file being written; use it in a `with` block, then read `sha256` and `size_bytes`."""

    def __init__(self, path: Path, *, sync_every_bytes: int = SYNC_EVERY_BYTES) -> None:
        self.size_bytes = 0
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._hasher = ThreadPoolExecutor(1, thread_name_prefix="download-sha256")
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix="download-sync")
        self._waiting: deque[Future[None]] = deque()
        self._sync: Future[None] | None = None
        self._sync_every_bytes = sync_every_bytes
        self._next_sync_bytes = sync_every_bytes

    @property
    def sha256(self) -> str:
        """The hash of everything written; complete once the `with` block has ended."""
        return self._digest.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Take one chunk; waits when hashing cannot keep up. Raises: OSError from this or an earlier write."""
        if len(self._waiting) >= _MOST_WAITING_CHUNKS:
            self._waiting.popleft().result()
        self._waiting.append(self._hasher.submit(self._digest.update, chunk))
        self._file.write(chunk)
        self.size_bytes += len(chunk)
        if self.size_bytes >= self._next_sync_bytes and (self._sync is None or self._sync.done()):
            self._push()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hasher.shutdown(wait=True)
        self._syncer.shutdown(wait=True)
        self._file.close()
        if kind is None and self._sync is not None:
            # A failed fdatasync is reported once by the kernel: here, or never.
            self._sync.result()

    def _push(self) -> None:
        """Start to move what was written to the disk, so that little is left to wait for at the end."""
        if self._sync is not None:
            self._sync.result()
        self._sync = self._syncer.submit(os.fdatasync, self._file.fileno())
        self._next_sync_bytes = self.size_bytes + self._sync_every_bytes
