"""Statistics of groups of features: a few numbers per row in the place of hundreds of features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from numebot.core.features import did_you_mean, listed
from numebot.workshop.batches import BATCH_ROWS, NO_HISTORY, BatchEstimator, Floats

GROUPS = (
    "intelligence", "charisma", "strength", "dexterity", "constitution", "wisdom", "agility", "serenity", "sunshine",
    "rain", "midnight", "faith", "quantum",
)  # fmt: skip
"""Numerai's groups by descent, as of v5.3; the other sets of features.json cut across them."""
STATISTICS = ("mean", "std", "skew")


def feature_groups(
    feature_sets: Mapping[str, Sequence[str]],
    features: Iterable[str],
    names: Sequence[str] = (),
) -> dict[str, list[str]]:
    """Return the features of each group that are among `features`; a group without any is left out.

    `feature_sets` are those of features.json. Without `names` these are Numerai's groups as far as the file has them;
    where it has none, all features are one group "all".
    Raises: ValueError for a name that is not in the file, or when no named group has a feature.
    """
    unknown = [name for name in names if name not in feature_sets]
    if unknown:
        allowed = ", ".join(sorted(feature_sets)) or "none, since no sets are known"
        raise ValueError(f'"{unknown[0]}" is no group.{did_you_mean(unknown[0], feature_sets)} Allowed: {allowed}.')
    wanted = list(features)
    there = set(wanted)
    groups = {
        name: [feature for feature in feature_sets[name] if feature in there]
        for name in names or GROUPS
        if name in feature_sets
    }
    found = {name: members for name, members in groups.items() if members}
    if not found and names:
        raise ValueError(f"none of the {len(wanted)} features is in {listed(names)}.")
    return found or {"all": wanted}


class GroupStatistics(TransformerMixin, BatchEstimator):  # type: ignore[misc] # scikit-learn is not typed
    """Mean, standard deviation and skew over each group's features, row by row.

    `groups` maps names to columns: names of a frame (see `feature_groups`), or positions. Without, all are one group.
    Learns nothing but the columns, so any batch will do for `partial_fit`. Where all features of a group are equal, the
    skew is 0.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[str | int]] | None = None,
        *,
        statistics: Sequence[str] = STATISTICS,
        missing: float = NO_HISTORY,
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        self.groups = groups
        self.statistics = statistics
        self.missing = missing
        self.batch_rows = batch_rows

    def fit(self, X: Any, y: Any = None) -> GroupStatistics:
        """Remember where each group's columns are. Raises: ValueError for columns and statistics that are not known."""
        array = self._checked(X, reset=True)
        unknown = [name for name in self.statistics if name not in STATISTICS]
        if unknown or not len(self.statistics):
            found = f'"{unknown[0]}"' if unknown else "none"
            raise ValueError(f"statistics: {found}. Allowed: one or more of {', '.join(STATISTICS)}.")
        self.columns_ = self._columns(array.shape[1])
        return self

    def partial_fit(self, X: Any, y: Any = None) -> GroupStatistics:
        """Learn from the first batch; the others are looked at only."""
        if not hasattr(self, "columns_"):
            return self.fit(X, y)
        self._checked(X, reset=False)
        return self

    def transform(self, X: Any) -> Floats:
        """Return one column per group and statistic: float64 for float64, else float32."""
        check_is_fitted(self)
        array = self._checked(X, reset=False)
        dtype = np.float64 if array.dtype == np.float64 else np.float32
        answer = np.empty((len(array), len(self.columns_) * len(self.statistics)), dtype=dtype)
        for rows in self._parts(len(array)):
            blocks = [self._of_group(self._floats(array[rows][:, places], dtype)) for places in self.columns_.values()]
            answer[rows] = np.column_stack(blocks)
        return answer

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return names such as "wisdom_mean"."""
        check_is_fitted(self)
        names = [f"{group}_{statistic}" for group in self.columns_ for statistic in self.statistics]
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Say to scikit-learn which types stay."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _columns(self, count: int) -> dict[str, npt.NDArray[np.intp]]:
        if self.groups is None:
            return {"all": np.arange(count)}
        known: dict[str | int, int] = {place: place for place in range(count)}
        known |= {str(name): place for place, name in enumerate(getattr(self, "feature_names_in_", ()))}
        for group, members in self.groups.items():
            absent = [member for member in members if member not in known]
            if absent or not len(members):
                raise ValueError(
                    f'group "{group}": {len(absent)} of its {len(members)} features are not in the data'
                    f"{': ' + listed(absent) if absent else ''}. Allowed: one or more that are."
                )
        return {group: np.array([known[member] for member in members]) for group, members in self.groups.items()}

    def _of_group(self, values: Floats) -> Floats:
        mean = values.mean(axis=1, keepdims=True)
        apart = values - mean
        variance = (apart**2).mean(axis=1)
        found = {"mean": mean[:, 0], "std": np.sqrt(variance)}
        if "skew" in self.statistics:
            found["skew"] = _skew(apart, variance)
        return np.column_stack([found[name] for name in self.statistics])


def _skew(apart: Floats, variance: Floats) -> Floats:
    third = (apart**3).mean(axis=1)
    # Deviations of equal numbers are rounding alone; their quotient would be any number.
    is_flat = variance <= 1e-12
    return np.asarray(np.where(is_flat, 0.0, third / np.where(is_flat, 1.0, variance) ** 1.5), dtype=apart.dtype)
