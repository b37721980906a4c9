"""What the transformers share: features stay int8 until their batch is on turn, and missing ones are filled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import validate_data

Floats = npt.NDArray[Any]

NO_HISTORY = 2.0
"""The middle of the five bins, which Numerai itself gives to features without history."""
BATCH_ROWS = 50_000
"""Rows that are floats at a time, unless said otherwise."""


class BatchEstimator(BaseEstimator):  # type: ignore[misc] # scikit-learn is not typed
    """Base of the transformers. `missing` takes the place of NaN; infinite numbers are refused."""

    missing: float
    batch_rows: int

    def __sklearn_tags__(self) -> Any:
        """Say to scikit-learn that NaN is welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _checked(self, X: Any, *, reset: bool) -> npt.NDArray[Any]:
        """Return X as an array of its own type. Raises: ValueError for other columns than were learned from."""
        array: npt.NDArray[Any] = validate_data(self, X, reset=reset, ensure_all_finite="allow-nan")
        return array

    def _checked_pair(self, X: Any, y: Any, *, reset: bool) -> tuple[npt.NDArray[Any], Floats, npt.NDArray[np.bool_]]:
        """Return the rows whose target is known, and which those are. Raises: ValueError when there is none."""
        if y is None:
            validate_data(self, X, y, ensure_all_finite="allow-nan", reset=reset)  # which says what is missing
        array = self._checked(X, reset=reset)
        target = check_array(y, ensure_2d=False, ensure_all_finite="allow-nan", dtype=np.float64)
        if target.ndim != 1 and target.shape[1:] != (1,):
            raise ValueError(f"the target has the shape {target.shape}. Allowed: one column.")
        target = target.reshape(-1)
        check_consistent_length(array, target)
        known = ~np.isnan(target)
        if not known.any():
            raise ValueError("the target is missing in every row; there is nothing to learn from.")
        return (array, target, known) if known.all() else (array[known], target[known], known)

    def _parts(self, rows: int) -> Iterator[slice]:
        """Yield slices of at most `batch_rows` rows, all of nearly the same size."""
        count = max(1, -(-rows // self.batch_rows))
        borders = np.linspace(0, rows, count + 1).astype(int)
        for start, end in itertools.pairwise(borders):
            yield slice(int(start), int(end))

    def _floats(self, part: npt.NDArray[Any], dtype: Any = np.float32) -> Floats:
        """Return a batch as floats without gaps."""
        floats = np.array(part, dtype=dtype)
        np.nan_to_num(floats, copy=False, nan=self.missing, posinf=None, neginf=None)
        return floats
