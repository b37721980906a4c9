"""One LightGBM per target, blended: targets see different things, and their mean is steadier than any of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.plugin import Model, TrainingData

LEVELS_FILE = "levels.json"


class TargetEnsemble(Model):
    """The mean of standardised predictions for several targets; the first is the one that it is measured by.

    `weights` go with the targets, by default all the same. A row without one of the targets still counts for the
    others.
    """

    def __init__(
        self,
        *,
        feature_set: str = "small",
        target: Sequence[str] = ("target", "target_cyrusd_60", "target_teager2b_60", "target_jasper_60"),
        weights: Sequence[float] | None = None,
        n_estimators: int = 2000,
        max_depth: int = 5,
        num_leaves: int = 2**5 - 1,
        learning_rate: float = 0.01,
        colsample_bytree: float = 0.1,
        n_jobs: int = -1,
        random_state: int = 0,
    ) -> None:
        self.feature_set = feature_set
        self.target = (target,) if isinstance(target, str) else tuple(target)
        self.weights = [1.0] * len(self.target) if weights is None else [float(weight) for weight in weights]
        if len(self.weights) != len(self.target):
            raise ValueError(f"weights: {len(self.weights)} for {len(self.target)} targets. Allowed: one each.")
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
        self.boosters: list[lightgbm.Booster] = []
        self.levels: list[tuple[float, float]] = []

    def fit(self, data: TrainingData) -> None:
        """Grow trees for each target."""
        self.boosters, self.levels = [], []
        for name in data.targets.columns:
            known = data.targets[name].notna()
            if not known.any():
                raise ValueError(f"the target {name} is missing in every row; leave it out of `target`.")
            rows, target = (data.X, data.targets[name]) if known.all() else (data.X[known], data.targets[name][known])
            booster = lightgbm.train(self.parameters, lightgbm.Dataset(rows, label=target), self.n_estimators)
            found = np.asarray(booster.predict(rows))
            self.boosters.append(booster)
            self.levels.append((float(found.mean()), float(found.std()) or 1.0))

    def predict(self, live: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the blend."""
        if not self.boosters:
            raise RuntimeError("TargetEnsemble predicts after fit or load.")
        blend = np.zeros(len(live))
        for booster, (mean, deviation), weight in zip(self.boosters, self.levels, self.weights, strict=True):
            blend += weight * (np.asarray(booster.predict(live)) - mean) / deviation
        return blend

    def save(self, folder: Path) -> None:
        """Write LightGBM's own text format, a file per target."""
        if not self.boosters:
            raise RuntimeError("TargetEnsemble is saved after fit.")
        for number, booster in enumerate(self.boosters):
            booster.save_model(folder / f"model_{number}.txt")
        (folder / LEVELS_FILE).write_text(json.dumps(self.levels))

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        levels = json.loads((folder / LEVELS_FILE).read_text())
        self.levels = [(float(mean), float(deviation)) for mean, deviation in levels]
        self.boosters = [lightgbm.Booster(model_file=folder / f"model_{number}.txt") for number in range(len(levels))]
