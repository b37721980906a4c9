"""Scores of many models at once, era by era: every model's predictions are sorted once per era, and never again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.core.features import era_order
from numebot.core.metrics.exposure import Exposures, correlations_with_columns
from numebot.core.metrics.neutral import neutralised
from numebot.core.metrics.ranks import (
    FloatArray,
    PlaceArray,
    average_ranks,
    doubled_places,
    gaussian_of,
    gaussian_rows,
    tails_of,
)
from numebot.core.metrics.single import MAX_LOST_SHARE, tails_weighted

BoolArray = npt.NDArray[np.bool_]
Aligned = TypeVar("Aligned", pd.DataFrame, "pd.Series[float]")
Blocks = Iterator[tuple[BoolArray, BoolArray]]


@dataclass(frozen=True)
class _Era:
    """The rows of one era: values (m, n) of m models, nan where one has none; target (n,), nan where it is unknown."""

    name: str
    places: npt.NDArray[np.int64]
    values: FloatArray
    target: FloatArray
    _sorted: dict[bytes, PlaceArray] = field(default_factory=dict, repr=False)

    def blocks(self, wanted: BoolArray) -> Blocks:
        """Yield models (m,) with the rows (n,) that they know of the `wanted` ones; models alike come together.

        Models that lack more rows than Numerai allows are left out, and so are all when nothing is wanted.
        """
        count = int(wanted.sum())
        known = ~np.isnan(self.values) & wanted
        if count and known.sum() == known.shape[0] * count:
            yield np.ones(len(known), dtype=bool), wanted
            return
        enough = known.sum(axis=1) >= max(1.0, count * (1 - MAX_LOST_SHARE) - 1e-9)
        for pattern in np.unique(known[enough], axis=0):
            yield enough & (known == pattern).all(axis=1), pattern

    def ranked(self, models: BoolArray, rows: BoolArray) -> PlaceArray:
        """Return the doubled places of some models' predictions on some rows, kept for the next metric."""
        key = models.tobytes() + rows.tobytes()
        if key not in self._sorted:
            self._sorted[key] = doubled_places(self.part(models, rows))
        return self._sorted[key]

    def gaussian(self, models: BoolArray, rows: BoolArray) -> FloatArray:
        """Return the gaussianised predictions of some models on some rows."""
        return gaussian_of(self.ranked(models, rows))

    def part(self, models: BoolArray, rows: BoolArray) -> FloatArray:
        """Return the predictions of some models on some rows."""
        return self.values if models.all() and rows.all() else self.values[np.ix_(models, rows)]

    def forget(self) -> None:
        """Give the memory of what was sorted back."""
        self._sorted.clear()


class EraTable:
    """Predictions of many models with targets, from which every score is a product. Made for some eras, or for all.

    Shapes: predictions (rows, models), target (rows,), eras (rows,), all matched by index to `eras`; ids that it does
    not name are ignored. Eras in which no target is known are left out. Results have a row per era, oldest first, and a
    column per model. A score is nan where it is not defined: for predictions that are constant, and where a model lacks
    more than 20 % of the rows that have a target (Numerai scores no such predictions).
    """

    def __init__(self, predictions: pd.DataFrame, target: pd.Series[float], eras: pd.Series[str]) -> None:
        """Raises: ValueError when rows must be matched and an id stands twice."""
        self._ids = eras.index
        self.models = [str(name) for name in predictions.columns]
        values = _numbers(_on(self._ids, predictions))
        targets = _numbers(_on(self._ids, target))
        self._eras = list(_eras(values, targets, eras))

    @property
    def eras(self) -> list[str]:
        """The eras that have a target, oldest first."""
        return [era.name for era in self._eras]

    def corr(self) -> pd.DataFrame:
        """Return Numerai's correlation with the target. Source: numerai_tools.scoring.numerai_corr."""

        def score(era: _Era, models: BoolArray, rows: BoolArray) -> FloatArray:
            centred = era.target - np.nanmean(era.target)
            return _pearson(tails_of(era.ranked(models, rows)), tails_weighted(centred[rows]))

        return self._scored(score)

    def contribution(self, reference: pd.Series[float]) -> pd.DataFrame:
        """Return what each model adds to a reference: MMC with the meta model, BMC with the benchmark models.

        nan in eras that the reference does not cover. Source: numerai_tools.scoring.correlation_contribution.
        """

        def score(era: _Era, models: BoolArray, rows: BoolArray, known: FloatArray) -> FloatArray:
            own, other = era.gaussian(models, rows), gaussian_rows(known[None, :])[0]
            target = era.target[rows]
            if target.min() >= 0 and target.max() <= 1:
                target = target * 4
            target = target - target.mean()
            size = float(other @ other)
            if size == 0:
                return np.full(len(own), np.nan)
            return np.asarray((own @ (target - other * (other @ target / size))) / len(target), dtype=np.float64)

        return self._beside(reference, score)

    def correlation_with(self, reference: pd.Series[float]) -> pd.DataFrame:
        """Return the Pearson correlation of gaussianised predictions with another model's; nan where it has none."""

        def score(era: _Era, models: BoolArray, rows: BoolArray, known: FloatArray) -> FloatArray:
            return _pearson(era.gaussian(models, rows), gaussian_rows(known[None, :])[0])

        return self._beside(reference, score)

    def feature_neutral_corr(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the correlation of what is left of predictions without features (FNC), which have the same index.

        A feature's missing values count as its mean. Source: numerai_tools.scoring.feature_neutral_corr.
        """
        columns = _on(self._ids, features)

        def score(era: _Era, models: BoolArray, rows: BoolArray) -> FloatArray:
            found = np.full(int(models.sum()), np.nan)
            centred = era.target - np.nanmean(era.target)
            whole = _Era(era.name, era.places, era.values[models], era.target)
            # The rows without a target help to say what features explain, and are not scored.
            is_predicted = np.asarray(~np.isnan(whole.values).all(axis=0), dtype=bool)
            for alike, known in whole.blocks(is_predicted):
                neutral = neutralised(
                    gaussian_rows(whole.part(alike, known)), columns.iloc[era.places[known]].to_numpy()
                )
                is_told = ~np.isnan(neutral).any(axis=1)
                places = np.flatnonzero(alike)[is_told]
                scored = rows[known]
                powered = tails_of(doubled_places(neutral[is_told][:, scored]))
                found[places] = _pearson(powered, tails_weighted(centred[known][scored]))
            return found

        return self._scored(score)

    def exposures(self, features: pd.DataFrame) -> Exposures:
        """Return the Pearson correlation of the predictions, as they are, with each feature in each era."""
        columns = _on(self._ids, features)
        found = np.full((len(self._eras), len(self.models), columns.shape[1]), np.nan)
        for number, era in enumerate(self._eras):
            for models, rows in era.blocks(~np.isnan(era.target)):
                matrix = columns.iloc[era.places[rows]].to_numpy()
                found[number, models] = correlations_with_columns(era.part(models, rows), matrix)
        return Exposures(self.eras, self.models, [str(name) for name in columns.columns], found)

    def spearman(self) -> pd.DataFrame:
        """Return the rank correlation with the target; ties share their rank."""

        def score(era: _Era, models: BoolArray, rows: BoolArray) -> FloatArray:
            target = average_ranks(era.target[rows][None, :])[0]
            return _pearson(era.ranked(models, rows).astype(np.float64), target)

        return self._scored(score)

    def mae(self) -> pd.DataFrame:
        """Return the mean absolute difference of the predictions, as they are, from the target."""

        def score(era: _Era, models: BoolArray, rows: BoolArray) -> FloatArray:
            return np.asarray(np.abs(era.part(models, rows) - era.target[rows]).mean(axis=1), dtype=np.float64)

        return self._scored(score)

    def forget(self) -> None:
        """Give back the memory of what was sorted; another metric would sort again."""
        for era in self._eras:
            era.forget()

    def _scored(self, score: Callable[[_Era, BoolArray, BoolArray], FloatArray]) -> pd.DataFrame:
        found = np.full((len(self._eras), len(self.models)), np.nan)
        for number, era in enumerate(self._eras):
            for models, rows in era.blocks(~np.isnan(era.target)):
                found[number, models] = score(era, models, rows)
        return self._frame(found)

    def _beside(
        self, reference: pd.Series[float], score: Callable[[_Era, BoolArray, BoolArray, FloatArray], FloatArray]
    ) -> pd.DataFrame:
        beside = _numbers(_on(self._ids, reference))
        found = np.full((len(self._eras), len(self.models)), np.nan)
        for number, era in enumerate(self._eras):
            other = beside[era.places]
            has_target = ~np.isnan(era.target)
            wanted = has_target & ~np.isnan(other)
            least = has_target.sum() * (1 - MAX_LOST_SHARE) - 1e-9
            for models, rows in era.blocks(wanted):
                if rows.sum() >= least:
                    found[number, models] = score(era, models, rows, other[rows])
        return self._frame(found)

    def _frame(self, found: FloatArray) -> pd.DataFrame:
        return pd.DataFrame(found, index=pd.Index(self.eras, name="era", dtype=object), columns=self.models)


def _on(ids: pd.Index, table: Aligned) -> Aligned:
    """Return the rows of `ids`; where the ids are the same already, nothing is looked up."""
    if table.index is ids or table.index.equals(ids):
        return table
    for index in (ids, table.index):
        if not index.is_unique:
            twice = index[index.duplicated()][0]
            raise ValueError(f"the id {twice!r} stands more than once; ids must be unique to be scored")
    return table.reindex(ids)


def _numbers(table: pd.DataFrame | pd.Series[float]) -> FloatArray:
    # np.asarray of a pandas object would first look for attributes of that name among a million ids.
    return np.asarray(table.to_numpy(dtype=np.float64), dtype=np.float64)


def _eras(values: FloatArray, targets: FloatArray, eras: pd.Series[str]) -> Iterator[_Era]:
    codes, names = pd.factorize(eras)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes[codes >= 0], minlength=len(names)))
    order = order[len(order) - int(ends[-1]) :] if len(ends) else order  # rows without an era come first
    places = dict(zip(map(str, names), np.split(order, ends[:-1]) if len(ends) else (), strict=True))
    for name in era_order(places):
        at = places[name]
        target = targets[at]
        if not np.isnan(target).all():
            is_one_piece = int(at[-1]) - int(at[0]) + 1 == len(at)
            rows = values[int(at[0]) : int(at[-1]) + 1] if is_one_piece else values[at]
            yield _Era(name, at, np.ascontiguousarray(rows.T), target)


def _pearson(rows: FloatArray, column: FloatArray) -> FloatArray:
    """Return the correlation of each row (m, n) with a column (n,); nan where either is constant."""
    count = rows.shape[1]
    other = column - column.mean()
    means = rows.mean(axis=1)
    spread = np.einsum("ij,ij->i", rows, rows) - count * means * means
    # Rounding leaves some 1e-16 per row in the spread of what is constant.
    is_constant = spread <= 1e-13 * np.maximum(np.einsum("ij,ij->i", rows, rows), 1e-300)
    size = float(other @ other)
    if count < 2 or size <= 1e-26 * float(column @ column):
        return np.full(len(rows), np.nan)
    spread[is_constant] = np.nan
    return np.asarray((rows @ other) / np.sqrt(spread * size), dtype=np.float64)

