"""Feature exposure: how much predictions go along with single features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.core.metrics.neutral import centred_columns
from numebot.core.metrics.ranks import FloatArray


def correlations_with_columns(rows: FloatArray, features: npt.NDArray[np.generic]) -> FloatArray:
    """Return the Pearson correlation of each row (m, n) with each feature (n, k), shape (m, k).

    nan where either is constant; a feature's missing values count as its mean.
    """
    columns = centred_columns(features)
    centred = rows - rows.mean(axis=1, keepdims=True)
    own = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    own[own <= 1e-13 * np.abs(rows).max(axis=1, initial=0.0)] = np.nan
    lengths = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    lengths[lengths <= 1e-9] = np.nan
    return np.asarray((centred @ columns) / np.outer(own, lengths), dtype=np.float64)


@dataclass(frozen=True)
class Exposures:
    """Correlations of predictions with features. Shape of `values`: (eras, models, features); nan where undefined."""

    eras: list[str]
    models: list[str]
    features: list[str]
    values: FloatArray

    def strongest(self) -> pd.DataFrame:
        """Return the largest absolute exposure to any feature, eras × models ("max feature exposure")."""
        sizes = np.abs(self.values)
        largest = np.where(np.isnan(sizes), -1.0, sizes).max(axis=2, initial=-1.0)
        index = pd.Index(self.eras, name="era", dtype=object)
        return pd.DataFrame(np.where(largest < 0, np.nan, largest), index=index, columns=self.models)

    def of_features(self, model: str) -> pd.DataFrame:
        """Return eras × features of one model."""
        index = pd.Index(self.eras, name="era", dtype=object)
        return pd.DataFrame(self.values[:, self.models.index(model)], index=index, columns=self.features)
