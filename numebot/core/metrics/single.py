"""The scores of one model in one era, and of one model era by era. For many models at once see `EraTable`."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

FloatArray = npt.NDArray[np.float64]

MAX_LOST_SHARE = 0.2
"""Numerai refuses to score when more than this share of either side's ids has no partner."""


def ranked(predictions: pd.Series[float]) -> pd.Series[float]:
    """Return the percentile ranks (rank - 0.5) / n, strictly inside (0, 1); ties share their average rank.

    Missing values stay missing and do not count. Source: numerai_tools.scoring.tie_kept_rank.
    """
    return (predictions.rank(method="average") - 0.5) / predictions.count()


def gaussianised(values: npt.ArrayLike) -> FloatArray:
    """Return the normal quantiles of the percentile ranks along the first axis; no value may be missing."""
    ranks = rankdata(np.asarray(values), method="average", axis=0)
    return np.asarray(ndtri((ranks - 0.5) / max(len(ranks), 1)), dtype=np.float64)


def tails_weighted(values: npt.ArrayLike) -> FloatArray:
    """Return sign(x)·|x|^1.5: the tails of a centred series count for more."""
    array = np.asarray(values, dtype=np.float64)
    return np.asarray(np.sign(array) * np.abs(array) ** 1.5, dtype=np.float64)


def pearson(first: FloatArray, second: FloatArray) -> float:
    """Return the Pearson correlation of two vectors, nan when one of them is constant or shorter than two."""
    if len(first) < 2:
        return math.nan
    a, b = first - first.mean(), second - second.mean()
    # Rounding leaves some 1e-16 per row in the "deviations" of a constant vector: that is still constant.
    if np.abs(a).max() <= 1e-14 * np.abs(first).max() or np.abs(b).max() <= 1e-14 * np.abs(second).max():
        return math.nan
    return float(a @ b / math.sqrt((a @ a) * (b @ b)))


def numerai_corr(predictions: pd.Series[float], target: pd.Series[float]) -> float:
    """Return Numerai's correlation of predictions with a target, matched by index.

    Predictions are ranked (ties kept), gaussianised and raised to 1.5; the target is centred over all its known values
    and raised to 1.5; then Pearson. nan when the predictions are constant.
    Raises: ValueError if an id stands twice or more than 20 % of either side's ids have no partner.
    Source: numerai_tools.scoring.numerai_corr.
    """
    values, centred = _matched(predictions, target - target.mean())
    return pearson(tails_weighted(gaussianised(values)), tails_weighted(centred))


def contribution(predictions: pd.Series[float], meta_model: pd.Series[float], target: pd.Series[float]) -> float:
    """Return what predictions add to a meta model (MMC) or to the benchmark models (BMC), matched by index.

    Both are ranked and gaussianised, the predictions made orthogonal to the meta model, and their covariance with the
    centred target taken; a target inside [0, 1] is first stretched to [0, 4].
    Raises: ValueError as numerai_corr. Source: numerai_tools.scoring.correlation_contribution.
    """
    values, meta, outcome = _matched(predictions, meta_model, target)
    if len(outcome) and outcome.min() >= 0 and outcome.max() <= 1:
        outcome = outcome * 4
    own = orthogonalised(gaussianised(values), gaussianised(meta))
    return float(own @ (outcome - outcome.mean()) / len(outcome)) if len(outcome) else math.nan


def orthogonalised(values: FloatArray, reference: FloatArray) -> FloatArray:
    """Return `values` without their projection on `reference`, which must not be constant zero."""
    return np.asarray(values - reference * ((values @ reference) / (reference @ reference)), dtype=np.float64)


def era_corr(
    predictions: pd.Series[float], target: pd.Series[float], eras: pd.Series[str]
) -> pd.Series[float]:
    """Return numerai_corr per era, indexed by era in order. Eras whose targets are all unknown are left out.

    Shapes: the three are matched by index; rows without a target do not count as lost.
    Raises: ValueError as numerai_corr, naming the era.
    """
    known = target.dropna()
    era_of = eras.reindex(known.index)
    scores: dict[str, float] = {}
    for era, part in known.groupby(era_of, sort=True):
        own = predictions.reindex(part.index)
        try:
            scores[str(era)] = numerai_corr(own, part)
        except ValueError as error:
            raise ValueError(f"era {era}: {error}") from error
    return pd.Series(scores, dtype=float, name="corr").rename_axis("era")


def _matched(*series: pd.Series[float]) -> list[FloatArray]:
    """Return the values at the ids that all series know, in the order of the sorted ids.

    The share of lost ids is judged pairwise, as Numerai does.
    """
    known = [one.dropna() for one in series]
    for one in known:
        if not one.index.is_unique:
            twice = one.index[one.index.duplicated()][0]
            raise ValueError(f"the id {twice!r} stands more than once; ids must be unique to be scored")
    ids = known[0].index
    for one in known[1:]:
        ids = ids.intersection(one.index)
    for one in series:
        if len(one) and len(ids) / len(one) < 1 - MAX_LOST_SHARE:
            raise ValueError(
                f"only {len(ids)} of {len(one)} ids have a partner; at least {1 - MAX_LOST_SHARE:.0%} are needed"
            )
    ids = ids.sort_values()
    return [np.asarray(one.reindex(ids), dtype=np.float64) for one in known]
