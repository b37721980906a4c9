"""A pipeline of scikit-learn: statistics of Numerai's groups and the steadiest features, then ridge regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from numebot.plugin import Model, TrainingData
from numebot.workshop import NO_HISTORY, GroupStatistics, StableCorrelation, feature_groups


class RidgeOnGroups(Model):
    """Ridge regression on mean, deviation and skew of each group, and on `top_features` features as they are.

    `groups` are names of sets in features.json; by default Numerai's groups by descent.
    """

    def __init__(
        self,
        *,
        feature_set: str = "small",
        target: str = "target",
        groups: Sequence[str] = (),
        top_features: int = 100,
        alpha: float = 1000.0,
    ) -> None:
        self.feature_set = feature_set
        self.target = target
        self.groups = groups
        self.top_features = top_features
        self.alpha = alpha
        self.pipeline: Pipeline | None = None

    def fit(self, data: TrainingData) -> None:
        """Select the features and fit the regression."""
        groups = GroupStatistics(feature_groups(data.feature_sets, data.features, self.groups))
        # Fitted beforehand, since it alone wants to know the eras.
        steadiest = FrozenEstimator(StableCorrelation(self.top_features).fit(data.X, data.y, eras=data.eras))
        pipeline = make_pipeline(
            make_union(groups, steadiest),
            SimpleImputer(strategy="constant", fill_value=NO_HISTORY),
            StandardScaler(),
            Ridge(alpha=self.alpha),
        )
        self.pipeline = pipeline.fit(data.X, data.y)

    def predict(self, live: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the expected target per row."""
        if self.pipeline is None:
            raise RuntimeError("RidgeOnGroups predicts after fit or load.")
        return np.asarray(self.pipeline.predict(live), dtype=np.float64)
