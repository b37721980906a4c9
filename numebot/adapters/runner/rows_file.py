"""Training rows whose features lie in a file: a frame over its mapping, which takes no memory until it is read."""

from __future__ import annotations

import mmap

import numpy as np
import pandas as pd

from numebot.core.staging import StagedRows
from numebot.plugin import TrainingData


def mapped_rows(rows: StagedRows, *, is_read_only: bool, memory_bytes: int | None) -> TrainingData:
    """Return the rows as a plugin sees them, nothing copied.

    Read-only, the kernel may take pages back while the feeders go through them. Otherwise the mapping is private: a
    plugin that writes into its frame writes into memory of its own.
    """
    access = mmap.ACCESS_READ if is_read_only else mmap.ACCESS_COPY
    with rows.path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, access=access)
    matrix = np.frombuffer(mapping, np.dtype(rows.dtype)).reshape(len(rows), len(rows.features))
    frame = pd.DataFrame(matrix, index=rows.targets.index, columns=list(rows.features), copy=False)
    return TrainingData(frame, rows.targets, rows.eras, rows.target, rows.feature_sets, memory_bytes)
