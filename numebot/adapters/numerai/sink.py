"""Takes the bytes of a download: receives, hashes if wanted, writes and syncs side by side, with flat memory.

Done one after the other, the four would make a download a good deal slower than the line. hashlib and the disk's calls
let go of Python's lock while they work, so plain threads are enough. The bytes lie in a few buffers that are used over
and over: new memory for each chunk would first have to be mapped in by the kernel, which costs more than the copying.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

_CHUNK_BYTES = 512 * 1024
_BUFFERS = 8
_SYNC_EVERY_BYTES = 64 * 1024 * 1024


class Digest(Protocol):
    """What hashlib's objects are."""

    def update(self, data: memoryview, /) -> None:
        """Take the next bytes."""

    def hexdigest(self) -> str:
        """Return the hash in hexadecimal digits."""


class FileSink:
    """A file being written; use it in a `with` block, then read `sha256` and `size_bytes`. Without `digest` no hash.

    Fill the front of `room()` and hand it in with `keep()`, again and again.
    """

    def __init__(
        self, path: Path, digest: Digest | None = None, *, sync_every_bytes: int = _SYNC_EVERY_BYTES
    ) -> None:
        self.size_bytes = 0
        self._file = path.open("wb", buffering=0)
        self._digest = digest
        self._hasher = ThreadPoolExecutor(1, thread_name_prefix="download-sha256")
        self._buffers = [memoryview(bytearray(_CHUNK_BYTES)) for _ in range(_BUFFERS)]
        self._hashing: list[Future[None] | None] = [None] * _BUFFERS
        self._turn = 0
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix="download-sync")
        self._syncing: Future[None] | None = None
        self._sync_every_bytes = sync_every_bytes
        self._sync_at_bytes = sync_every_bytes

    @property
    def sha256(self) -> str | None:
        """The hash of everything kept, if one was wanted; complete once the `with` block has ended."""
        return self._digest.hexdigest() if self._digest else None

    def room(self) -> memoryview:
        """Return the buffer to be filled next; waits when hashing cannot keep up."""
        if hashing := self._hashing[self._turn]:
            hashing.result()
        return self._buffers[self._turn]

    def keep(self, size_bytes: int) -> None:
        """Take the first `size_bytes` of `room()`. Raises: OSError."""
        chunk = self._buffers[self._turn][:size_bytes]
        if self._digest:
            self._hashing[self._turn] = self._hasher.submit(self._digest.update, chunk)
        self._turn = (self._turn + 1) % _BUFFERS
        rest = chunk
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size_bytes += size_bytes
        if self.size_bytes >= self._sync_at_bytes:
            self._sync_behind()

    def _sync_behind(self) -> None:
        """Push to the disk while more is received, so that little is left for numebot.durable's sync at the end."""
        if self._syncing:
            if not self._syncing.done():
                return
            self._syncing.result()
        self._syncing = self._syncer.submit(os.fdatasync, self._file.fileno())
        self._sync_at_bytes = self.size_bytes + self._sync_every_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hasher.shutdown(wait=True)
        self._syncer.shutdown(wait=True)
        self._file.close()
        if kind is None and self._syncing:
            # The kernel tells of a failed sync once: the sync at the end, on a descriptor of its own, would succeed.
            self._syncing.result()
