"""A LightGBM dataset that is filled batch by batch: in memory are its bins, four bits per value, and one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import lightgbm
import numpy as np
import numpy.typing as npt

from numebot.workshop.feeders.rows import Matrix, Rows

BATCH_BYTES = 16 * 2**20
SAMPLE_BYTES = 64 * 2**20
"""Of the rows that bins are chosen from; LightGBM makes several copies. Numerai's features have five values each."""
FEW_BINS = 15
"""More would take a byte per value in place of half of one."""


class RowSequence(lightgbm.Sequence):
    """Rows as LightGBM asks for them: batches to fill in, single ones to choose the bins from."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.batch_size = rows.rows_in(BATCH_BYTES, width=4)
        self._wide = np.float64 if rows.dtype == np.float64 else np.float32

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int | slice | list[int]) -> Matrix:
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return self._rows.batch(start, stop).astype(self._wide)
        if isinstance(index, list):
            return self._rows.picked(np.asarray(index)).astype(np.float64)
        return self._rows.batch(index, index + 1).reshape(-1).astype(np.float64)


def dataset(
    rows: Rows,
    label: npt.NDArray[np.float32],
    names: Sequence[str],
    parameters: Mapping[str, object],
) -> lightgbm.Dataset:
    """Return the dataset, filled. `parameters` are LightGBM's own and win."""
    sample = max(2_000, rows.rows_in(SAMPLE_BYTES, width=8))
    chosen: dict[str, object] = {"bin_construct_sample_cnt": sample, "force_col_wise": True}
    if rows.dtype.kind in "iu":
        chosen["max_bin"] = FEW_BINS
    given = dict(parameters)
    filled = lightgbm.Dataset(RowSequence(rows), label=label, feature_name=list(names), params=chosen | given)
    return filled.construct()
