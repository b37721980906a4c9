"""Principal components of features that stay int8 until their batch is on turn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.decomposition import IncrementalPCA
from sklearn.utils.validation import check_is_fitted

from numebot.workshop.batches import BATCH_ROWS, NO_HISTORY, BatchEstimator, Floats


class BatchPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BatchEstimator):  # type: ignore[misc] # not typed
    """scikit-learn's IncrementalPCA, which would make floats of all rows at once.

    At most `n_components`: fewer where there are fewer features, or rows in the first batch.
    """

    def __init__(
        self, n_components: int = 20, *, missing: float = NO_HISTORY, batch_rows: int = BATCH_ROWS
    ) -> None:
        self.n_components = n_components
        self.missing = missing
        self.batch_rows = batch_rows

    def fit(self, X: Any, y: Any = None) -> BatchPCA:
        """Learn from all rows, batch by batch."""
        array = self._checked(X, reset=True)
        self._begin(*array.shape)
        for rows in self._parts(len(array)):
            self.pca_.partial_fit(self._floats(array[rows], np.float64))
        return self

    def partial_fit(self, X: Any, y: Any = None) -> BatchPCA:
        """Learn from one more batch."""
        is_first = not hasattr(self, "pca_")
        array = self._checked(X, reset=is_first)
        if is_first:
            self._begin(*array.shape)
        for rows in self._parts(len(array)):
            self.pca_.partial_fit(self._floats(array[rows], np.float64))
        return self

    def transform(self, X: Any) -> Floats:
        """Return the components of each row: float64 for float64, else float32."""
        check_is_fitted(self)
        array = self._checked(X, reset=False)
        dtype = np.float64 if array.dtype == np.float64 else np.float32
        answer = np.empty((len(array), self._n_features_out), dtype=dtype)
        for rows in self._parts(len(array)):
            answer[rows] = self.pca_.transform(self._floats(array[rows], dtype))
        return answer

    def __sklearn_tags__(self) -> Any:
        """Say to scikit-learn which types stay."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _begin(self, rows: int, features: int) -> None:
        smallest = rows // max(1, -(-rows // self.batch_rows))
        self.pca_ = IncrementalPCA(min(self.n_components, features, smallest))
        self._n_features_out = self.pca_.n_components
