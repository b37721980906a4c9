"""Selection of features, in batches: by correlation, by stability over eras, by importance, against shadows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted

from numebot.workshop.batches import BATCH_ROWS, NO_HISTORY, BatchEstimator, Floats

TREE_ROWS = 200_000
"""Rows that an estimator learns from at a time, unless said otherwise."""


class _Selector(SelectorMixin, BatchEstimator):  # type: ignore[misc] # scikit-learn is not typed
    """Keeps the `k` features of the highest `scores_`, or all where there are fewer."""

    k: int
    scores_: Floats

    def __sklearn_tags__(self) -> Any:
        """Say to scikit-learn that a target is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn from all rows, batch by batch; rows without a target do not count."""
        self._forget()
        array, target, _ = self._checked_pair(X, y, reset=True)
        for rows in self._parts(len(array)):
            self._learn(self._floats(array[rows], np.float64), target[rows])
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Any:
        """Learn from one more batch."""
        array, target, _ = self._checked_pair(X, y, reset=not hasattr(self, "scores_"))
        for rows in self._parts(len(array)):
            self._learn(self._floats(array[rows], np.float64), target[rows])
        return self

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]:
            delattr(self, name)

    def _sum(self, name: str, new: Floats) -> Floats:
        """Add a batch's share to what earlier batches left."""
        total = getattr(self, name, np.zeros_like(new)) + new
        setattr(self, name, total)
        return total

    @abstractmethod
    def _learn(self, X: Floats, y: Floats) -> None:
        """Take a batch in, and set `scores_`."""

    def _get_support_mask(self) -> npt.NDArray[np.bool_]:
        check_is_fitted(self)
        best = np.argsort(-self.scores_, kind="stable")[: max(1, self.k)]
        return np.isin(np.arange(len(self.scores_)), best)


class TopCorrelation(_Selector):
    """The `k` features with the highest absolute correlation with the target, over all rows."""

    def __init__(self, k: int = 50, *, missing: float = NO_HISTORY, batch_rows: int = BATCH_ROWS) -> None:
        self.k = k
        self.missing = missing
        self.batch_rows = batch_rows

    def _learn(self, X: Floats, y: Floats) -> None:
        new = np.stack([np.full(X.shape[1], float(len(y))), X.sum(0), (X**2).sum(0), X.T @ y])
        of_target = np.array([y.sum(), (y**2).sum()])
        rows, total, squares, products = self._sum("sums_", new)
        own, own_squares = self._sum("target_sums_", of_target)
        covariance = rows * products - total * own
        variances = (rows * squares - total**2) * (rows * own_squares - own**2)
        self.scores_ = np.abs(_quotient(covariance, np.sqrt(np.maximum(variances, 0))))


class StableCorrelation(_Selector):
    """The `k` features whose correlation with the target is steadiest: |mean| over deviation of the eras' correlations.

    Give `eras`, one per row, and whole eras in each batch of `partial_fit`. Without eras a batch is an era.
    """

    def __init__(self, k: int = 50, *, missing: float = NO_HISTORY, batch_rows: int = BATCH_ROWS) -> None:
        self.k = k
        self.missing = missing
        self.batch_rows = batch_rows

    def fit(self, X: Any, y: Any = None, eras: Any = None) -> StableCorrelation:
        """Learn from all rows. Raises: ValueError when `eras` has one era only."""
        self._forget()
        if eras is not None and (count := pd.Series(np.asarray(eras)).nunique()) < 2:
            raise ValueError(f"there is {count} era; how steady a correlation is shows in two or more.")
        return self.partial_fit(X, y, eras)

    def partial_fit(self, X: Any, y: Any = None, eras: Any = None) -> StableCorrelation:
        """Learn from one more batch of whole eras."""
        array, target, known = self._checked_pair(X, y, reset=not hasattr(self, "scores_"))
        if eras is None:
            self._learn(self._floats(array, np.float64), target)
            return self
        labels = np.asarray(eras)
        if len(labels) != len(known):
            raise ValueError(f"eras has {len(labels)} labels for {len(known)} rows; each row needs one.")
        for rows in pd.Series(labels[known]).groupby(labels[known]).indices.values():
            self._learn(self._floats(array[rows], np.float64), target[rows])
        return self

    def _learn(self, X: Floats, y: Floats) -> None:
        apart, own = X - X.mean(0), y - y.mean()
        corr = _quotient(apart.T @ own, np.sqrt((apart**2).sum(0) * (own @ own)))
        new = np.stack([np.ones_like(corr), corr, corr**2])
        count, total, squares = self._sum("sums_", new)
        mean = np.abs(total / count)
        deviation = np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0))
        self.scores_ = mean if count[0] < 2 else _quotient(mean, deviation)


class TopImportance(_Selector):
    """The `k` features that matter most to an estimator: its feature_importances_, or its absolute coef_.

    Each batch trains a clone; their importances are averaged by rows. By default these are shallow extra trees.
    """

    def __init__(
        self,
        k: int = 50,
        *,
        estimator: Any = None,
        missing: float = NO_HISTORY,
        batch_rows: int = TREE_ROWS,
        random_state: int = 0,
    ) -> None:
        self.k = k
        self.estimator = estimator
        self.missing = missing
        self.batch_rows = batch_rows
        self.random_state = random_state

    def _learn(self, X: Floats, y: Floats) -> None:
        estimator = _trees(self.random_state) if self.estimator is None else clone(self.estimator)
        new = importances_of(estimator.fit(X, y)) * len(y)
        self.scores_ = self._sum("sums_", new)


class ShadowFeatures(_Selector):
    """The features that beat shuffled copies of all features more often than chance, as in Boruta.

    Each of `rounds` trainings sees every feature and a shuffled copy of it; a hit is an importance above that of all
    copies. Kept are features whose hits are significant at `alpha`, shared by all features (Bonferroni); where none is,
    the one with the most hits. `partial_fit` plays all rounds on its batch, and hits add up.
    """

    def __init__(
        self,
        *,
        rounds: int = 20,
        alpha: float = 0.05,
        estimator: Any = None,
        missing: float = NO_HISTORY,
        batch_rows: int = TREE_ROWS,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.alpha = alpha
        self.estimator = estimator
        self.missing = missing
        self.batch_rows = batch_rows
        self.random_state = random_state

    def _learn(self, X: Floats, y: Floats) -> None:
        done = getattr(self, "rounds_", 0)
        hits = getattr(self, "hits_", np.zeros(X.shape[1], dtype=np.int64))
        for number in range(done, done + self.rounds):
            random = np.random.default_rng((self.random_state, number))
            estimator = _trees(number) if self.estimator is None else clone(self.estimator)
            found = importances_of(estimator.fit(np.hstack([X, random.permuted(X, axis=0)]), y))
            hits = hits + (found[: X.shape[1]] > found[X.shape[1] :].max())
        self.hits_, self.rounds_ = hits, done + self.rounds
        self.scores_ = hits / self.rounds_

    def _get_support_mask(self) -> npt.NDArray[np.bool_]:
        check_is_fitted(self)
        chance = binom.sf(self.hits_ - 1, self.rounds_, 0.5)
        kept: npt.NDArray[np.bool_] = chance < self.alpha / len(self.hits_)
        return kept if kept.any() else np.arange(len(kept)) == int(np.argmax(self.hits_))


def importances_of(estimator: Any) -> Floats:
    """Return one number per feature. Raises: ValueError for an estimator that has none."""
    for name in ("feature_importances_", "coef_"):
        if (found := getattr(estimator, name, None)) is not None:
            return np.abs(np.asarray(found, dtype=np.float64)).reshape(-1)
    raise ValueError(
        f"{type(estimator).__name__} has neither feature_importances_ nor coef_; name another estimator."
    )


def _trees(random_state: int) -> ExtraTreesRegressor:
    return ExtraTreesRegressor(50, max_depth=6, max_features=0.5, random_state=random_state)


def _quotient(above: Floats, below: Floats) -> Floats:
    """Return a quotient that is 0 where the lower number is nothing but rounding."""
    is_flat = ~(below > 1e-12)
    return np.asarray(np.where(is_flat, 0.0, above / np.where(is_flat, 1.0, below)), dtype=np.float64)
