"""XGBoost matrices that are made batch by batch, in memory or, beyond it, in files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import xgboost

from numebot.workshop.feeders.rows import Rows

BATCH_BYTES = 16 * 2**20
PAGE_BYTES = 128 * 2**20
"""Of a matrix in files; several pages are in memory at a time."""


class RowIterator(xgboost.DataIter):
    """Gives XGBoost one batch after the other, as often as it wants to begin anew."""

    def __init__(
        self,
        rows: Rows,
        label: npt.NDArray[np.float32],
        names: Sequence[str],
        *,
        batch_bytes: int,
        cache: str | None = None,
    ) -> None:
        self._rows, self._label, self._names = rows, label, list(names)
        self._step, self._start = rows.rows_in(batch_bytes), 0
        super().__init__(cache_prefix=cache, release_data=True)

    def next(self, input_data: Callable[..., object]) -> bool:
        """Hand over the next batch; False when there is none left."""
        start, self._start = self._start, self._start + self._step
        if start >= len(self._rows):
            return False
        stop = min(start + self._step, len(self._rows))
        input_data(data=self._rows.batch(start, stop), label=self._label[start:stop], feature_names=self._names)
        return True

    def reset(self) -> None:
        """Begin anew."""
        self._start = 0


def matrix(
    rows: Rows, label: npt.NDArray[np.float32], names: Sequence[str], *, max_bin: int, is_external: bool
) -> xgboost.DMatrix:
    """Return the matrix. Train with the same `max_bin`; one in files needs the working folder of the call."""
    if is_external:
        cache = tempfile.mkdtemp(prefix="pages-", dir=os.environ.get("TMPDIR"))
        source = RowIterator(rows, label, names, batch_bytes=PAGE_BYTES, cache=f"{cache}/rows")
        return xgboost.ExtMemQuantileDMatrix(source, max_bin=max_bin)
    source = RowIterator(rows, label, names, batch_bytes=BATCH_BYTES)
    return xgboost.QuantileDMatrix(source, max_bin=max_bin)


class Reporter(xgboost.callback.TrainingCallback):
    """Tells after each tree how far the training is."""

    def __init__(self, report: Callable[[int, int | None], None], trees: int) -> None:
        self._report, self._trees = report, trees
        super().__init__()

    def after_iteration(self, model: object, epoch: int, evals_log: object) -> bool:
        """Tell it; False: go on."""
        self._report(epoch + 1, self._trees)
        return False
