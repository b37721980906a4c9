"""More from the targets: one estimator per target, blended; and trees that learn on where the eras went badly."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from numebot.core.metrics import era_corr
from numebot.workshop.batches import Floats


class TargetEnsemble(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn is not typed
    """A clone of `estimator` per column of the targets; predicts the weighted mean of their standardised predictions.

    Each learns from the rows that have its target. What standardises them comes from the training rows, so that a row's
    prediction does not depend on the others of its batch.
    """

    def __init__(self, estimator: Any, *, weights: Sequence[float] | None = None) -> None:
        self.estimator = estimator
        self.weights = weights

    def fit(self, X: Any, y: Any) -> TargetEnsemble:
        """Learn. Raises: ValueError for a target that is missing in every row, or other weights than targets."""
        targets = np.asarray(y, dtype=np.float64).reshape(len(X), -1)
        weights = np.ones(targets.shape[1]) if self.weights is None else np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (targets.shape[1],) or not np.abs(weights).sum() > 0:
            raise ValueError(f"weights: {len(weights)} for {targets.shape[1]} targets. Allowed: one each, not all 0.")
        self.weights_ = weights / np.abs(weights).sum()
        names = [str(name) for name in getattr(y, "columns", range(targets.shape[1]))]
        self.estimators_, levels = [], []
        for name, target in zip(names, targets.T, strict=True):
            known = ~np.isnan(target)
            if not known.any():
                raise ValueError(f"the target {name} is missing in every row.")
            rows = X if known.all() else X[known]
            self.estimators_.append(clone(self.estimator).fit(rows, target[known]))
            levels.append(_level(np.asarray(self.estimators_[-1].predict(rows), dtype=np.float64)))
        self.levels_ = levels
        return self

    def predict(self, X: Any) -> Floats:
        """Return the blend."""
        check_is_fitted(self)
        answer = np.zeros(len(X))
        for estimator, (mean, deviation), weight in zip(self.estimators_, self.levels_, self.weights_, strict=True):
            answer += weight * (np.asarray(estimator.predict(X), dtype=np.float64) - mean) / deviation
        return answer


class EraBoosted(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn is not typed
    """Trees that go on learning, `steps` times, from the `share` of eras in which they predict worst.

    `estimator` is LightGBM's or XGBoost's regressor, or one of scikit-learn's with `warm_start`. Each step adds as many
    trees as it begins with.
    """

    def __init__(self, estimator: Any, *, steps: int = 4, share: float = 0.5) -> None:
        self.estimator = estimator
        self.steps = steps
        self.share = share

    def fit(self, X: Any, y: Any, eras: Any) -> EraBoosted:
        """Learn; `eras` has one per row. Raises: ValueError for one era only, or an estimator that cannot go on."""
        labels = pd.Series(np.asarray(eras).astype(str))
        target = pd.Series(np.asarray(y, dtype=np.float64).reshape(-1))
        if labels.nunique() < 2:
            raise ValueError(f"there is {labels.nunique()} era; era boosting tells good ones from bad ones.")
        if not 0 < self.share < 1:
            raise ValueError(f"share is {self.share}. Allowed: more than 0 and less than 1.")
        self.estimator_ = clone(self.estimator).fit(X, target)
        self.era_scores_ = [self._scores(X, target, labels)]
        for step in range(1, self.steps + 1):
            scores = self.era_scores_[-1].fillna(-1.0)  # constant predictions are as bad as it gets
            worst = labels.isin(scores.nsmallest(max(1, int(len(scores) * self.share))).index).to_numpy()
            self.estimator_ = _grown(self.estimator_, X[worst], target[worst], step)
            self.era_scores_.append(self._scores(X, target, labels))
        return self

    def predict(self, X: Any) -> Floats:
        """Return what the trees predict."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict(X), dtype=np.float64)

    def _scores(self, X: Any, target: pd.Series, labels: pd.Series) -> pd.Series:
        return era_corr(pd.Series(self.predict(X)), target, labels)


def _grown(grown: Any, X: Any, y: Any, step: int) -> Any:
    accepted = inspect.signature(grown.fit).parameters
    if "init_model" in accepted:
        return clone(grown).fit(X, y, init_model=grown.booster_)
    if "xgb_model" in accepted:
        return clone(grown).fit(X, y, xgb_model=grown.get_booster())
    count = next((name for name in ("n_estimators", "max_iter") if hasattr(grown, name)), None)
    if count is None or not hasattr(grown, "warm_start"):
        raise ValueError(
            f"{type(grown).__name__} cannot go on learning."
            " Allowed: the regressors of LightGBM and XGBoost, and those with warm_start."
        )
    more = getattr(grown, count) * (step + 1) // step
    return grown.set_params(**{count: more, "warm_start": True}).fit(X, y)


def _level(predictions: Floats) -> tuple[float, float]:
    deviation = float(predictions.std())
    return float(predictions.mean()), deviation if deviation > 0 else 1.0
