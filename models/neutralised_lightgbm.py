"""LightGBM whose predictions are made independent of its features, in part: less exposed, steadier, often less corr."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from numebot.plugin import Model, TrainingData
from numebot.workshop import neutralised, rank_gaussianised

MODEL_FILE = "model.txt"


class NeutralisedLightgbm(Model):
    """2000 trees, then neutralisation within each round.

    `proportion` 0 leaves the predictions as they are, 1 takes all out that a linear regression on the features
    explains. With `neutralisers` these features count alone.
    """

    takes = "batches"

    def __init__(
        self,
        *,
        feature_set: str = "small",
        target: str = "target",
        proportion: float = 0.5,
        neutralisers: Sequence[str] | None = None,
        n_estimators: int = 2000,
        max_depth: int = 5,
        num_leaves: int = 2**5 - 1,
        learning_rate: float = 0.01,
        colsample_bytree: float = 0.1,
        n_jobs: int = -1,
        random_state: int = 0,
    ) -> None:
        if not 0 <= proportion <= 1:
            raise ValueError(f"proportion is {proportion}. Allowed: 0 to 1.")
        self.feature_set = feature_set
        self.target = target
        self.proportion = proportion
        self.neutralisers = neutralisers
        self.n_estimators = n_estimators
        self.parameters = {
            "objective": "regression",
            "max_depth": max_depth,
            "num_leaves": num_leaves,
            "learning_rate": learning_rate,
            "feature_fraction": colsample_bytree,
            "num_threads": n_jobs,
            "seed": random_state,
            "deterministic": True,
            "verbosity": -1,
        }
        self.booster: lightgbm.Booster | None = None

    def fit(self, data: TrainingData) -> None:
        """Grow the trees."""
        rows = data.lightgbm_dataset(self.parameters)
        self.booster = lightgbm.train(self.parameters, rows, num_boost_round=self.n_estimators)

    def predict(self, live: pd.DataFrame) -> pd.Series:
        """Return neutralised predictions of one round."""
        if self.booster is None:
            raise RuntimeError("NeutralisedLightgbm predicts after fit or load.")
        found = pd.Series(np.asarray(self.booster.predict(live)), index=live.index)
        return neutralised(rank_gaussianised(found), live, proportion=self.proportion, subset=self.neutralisers)

    def save(self, folder: Path) -> None:
        """Write LightGBM's own text format."""
        if self.booster is None:
            raise RuntimeError("NeutralisedLightgbm is saved after fit.")
        self.booster.save_model(folder / MODEL_FILE)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        self.booster = lightgbm.Booster(model_file=folder / MODEL_FILE)
