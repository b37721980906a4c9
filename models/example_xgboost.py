"""Numerai's example model with XGBoost: many shallow trees that learn slowly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

from numebot.plugin import Model, TrainingData
from numebot.workshop.feeders.xgboost import Reporter

MODEL_FILE = "model.ubj"


class ExampleXgboost(Model):
    """2000 trees of depth 5 on one of Numerai's feature sets."""

    takes = "batches"

    def __init__(
        self,
        *,
        feature_set: str = "small",
        target: str = "target",
        n_estimators: int = 2000,
        max_depth: int = 5,
        learning_rate: float = 0.01,
        colsample_bytree: float = 0.1,
        n_jobs: int = -1,
        random_state: int = 0,
    ) -> None:
        self.feature_set = feature_set
        self.target = target
        self.regressor = xgboost.XGBRegressor(
            n_estimators=n_estimators,
            max_depth=max_depth,
            learning_rate=learning_rate,
            colsample_bytree=colsample_bytree,
            tree_method="hist",
            n_jobs=n_jobs,
            random_state=random_state,
        )

    def fit(self, data: TrainingData) -> None:
        """Grow the trees."""
        parameters = self.regressor.get_xgb_params() | {"max_bin": data.xgboost_bins}
        trees = self.regressor.get_num_boosting_rounds()
        booster = xgboost.train(parameters, data.xgboost_matrix(), trees, callbacks=[Reporter(data.report, trees)])
        self.regressor.load_model(booster.save_raw("ubj"))

    def predict(self, live: pd.DataFrame) -> npt.NDArray[np.float32]:
        """Return the expected target per row."""
        predictions: npt.NDArray[np.float32] = self.regressor.predict(live)
        return predictions

    def save(self, folder: Path) -> None:
        """Write XGBoost's own format, which newer versions of the library read too; a pickle promises nothing."""
        self.regressor.save_model(folder / MODEL_FILE)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        self.regressor.load_model(folder / MODEL_FILE)
