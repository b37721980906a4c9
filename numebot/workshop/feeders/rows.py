"""Batches of a frame's rows. A frame that lies in a mapped file is never in memory as a whole."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

RELEASE_BYTES = 32 * 2**20
"""After so much was read of a mapped file, the kernel may take its pages back."""

Matrix = npt.NDArray[Any]


class Rows:
    """The rows of a frame as matrices of their own type: int8 stays int8."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._whole = frame.to_numpy() if _lies_in_one_piece(frame) else None
        self._mapping = None if self._whole is None else _read_only_mapping(self._whole)
        self._read_bytes = 0
        self.dtype = np.result_type(*set(frame.dtypes)) if frame.shape[1] else np.dtype(np.int8)
        """The type of every batch."""

    def __len__(self) -> int:
        return len(self._frame)

    @property
    def size_bytes(self) -> int:
        """What all rows take."""
        return self._frame.shape[0] * self._frame.shape[1] * self.dtype.itemsize

    def batch(self, start: int, stop: int) -> Matrix:
        """Return some rows; where the frame lies in one piece, a view of it."""
        if self._whole is None:
            return self._frame.iloc[start:stop].to_numpy(self.dtype)
        self._note_read((stop - start) * self._whole.shape[1] * self.dtype.itemsize)
        return self._whole[start:stop]

    def picked(self, places: npt.NDArray[np.intp]) -> Matrix:
        """Return a copy of the rows at some places."""
        if self._whole is None:
            return self._frame.iloc[places].to_numpy(self.dtype)
        self._note_read(len(places) * mmap.PAGESIZE)
        return self._whole[places]

    def batches(self, rows: int) -> Iterator[tuple[int, int]]:
        """Yield (start, stop) of batches of at most `rows` rows."""
        for start in range(0, len(self), rows):
            yield start, min(start + rows, len(self))

    def rows_in(self, size_bytes: int, *, width: int | None = None) -> int:
        """Return how many rows fit into `size_bytes` with `width` bytes per value, at least one."""
        per_row = max(1, self._frame.shape[1]) * (width or self.dtype.itemsize)
        return max(1, min(len(self), size_bytes // per_row))

    def _note_read(self, size_bytes: int) -> None:
        self._read_bytes += size_bytes
        if self._mapping is not None and self._read_bytes >= RELEASE_BYTES:
            self._mapping.madvise(mmap.MADV_DONTNEED)
            self._read_bytes = 0


def _lies_in_one_piece(frame: pd.DataFrame) -> bool:
    first = frame.iloc[:1]
    return bool(frame.size) and np.shares_memory(first.to_numpy(), first.iloc[:, -1:].to_numpy())


def _read_only_mapping(array: Matrix) -> mmap.mmap | None:
    """Return the file that an array is a view of. In a mapping that can be written to, pages may differ from it."""
    thing: object = array
    while thing is not None and not isinstance(thing, mmap.mmap):
        thing = thing.obj if isinstance(thing, memoryview) else getattr(thing, "base", None)
    return thing if isinstance(thing, mmap.mmap) and memoryview(thing).readonly else None
