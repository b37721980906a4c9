"""Numerai's example model with LightGBM: many shallow trees that learn slowly."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.plugin import Model, TrainingData

MODEL_FILE = "model.txt"


class ExampleLightgbm(Model):
    """2000 trees of depth 5 on one of Numerai's feature sets."""

    takes = "batches"

    def __init__(
        self,
        *,
        feature_set: str = "small",
        target: str = "target",
        n_estimators: int = 2000,
        max_depth: int = 5,
        num_leaves: int = 2**5 - 1,
        learning_rate: float = 0.01,
        colsample_bytree: float = 0.1,
        min_data_in_leaf: int = 20,
        n_jobs: int = -1,
        random_state: int = 0,
    ) -> None:
        self.feature_set = feature_set
        self.target = target
        self.n_estimators = n_estimators
        self.parameters = {
            "objective": "regression",
            "max_depth": max_depth,
            "num_leaves": num_leaves,
            "learning_rate": learning_rate,
            "feature_fraction": colsample_bytree,
            "min_data_in_leaf": min_data_in_leaf,
            "num_threads": n_jobs,
            "seed": random_state,
            "deterministic": True,
            "verbosity": -1,
        }
        self.booster: lightgbm.Booster | None = None

    def fit(self, data: TrainingData) -> None:
        """Grow the trees."""
        self.booster = lightgbm.train(
            self.parameters,
            data.lightgbm_dataset(self.parameters),
            num_boost_round=self.n_estimators,
            callbacks=[lambda state: data.report(state.iteration + 1, self.n_estimators)],
        )

    def predict(self, live: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the expected target per row."""
        if self.booster is None:
            raise RuntimeError("ExampleLightgbm predicts after fit or load.")
        return np.asarray(self.booster.predict(live), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write LightGBM's own text format, which newer versions of the library read too."""
        if self.booster is None:
            raise RuntimeError("ExampleLightgbm is saved after fit.")
        self.booster.save_model(folder / MODEL_FILE)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        self.booster = lightgbm.Booster(model_file=folder / MODEL_FILE)
