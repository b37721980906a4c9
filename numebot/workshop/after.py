"""What is done to predictions afterwards: ranks as a bell curve, neutralisation, blending; each era by itself.

`predict` of a plugin gets one round, which is one era: there `eras` is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from numebot.core.features import did_you_mean, listed
from numebot.core.metrics import gaussianised
from numebot.core.metrics.neutral import neutralised as neutralised_rows
from numebot.workshop.batches import NO_HISTORY


def rank_gaussianised(predictions: pd.Series, eras: pd.Series | None = None) -> pd.Series:
    """Return the normal quantiles of the ranks: mean 0, deviation about 1. Raises: ValueError for missing numbers."""
    _require_numbers(predictions)
    return _by_era(predictions, eras, lambda part: pd.Series(gaussianised(part), part.index, name=part.name))


def neutralised(
    predictions: pd.Series,
    features: pd.DataFrame,
    *,
    proportion: float = 1.0,
    subset: Sequence[str] | None = None,
    eras: pd.Series | None = None,
    missing: float = NO_HISTORY,
) -> pd.Series:
    """Return predictions without a proportion of what a linear regression on the features (and a constant) explains.

    With `subset` only those features count. Rows are matched by index; missing features become `missing`. Constant
    predictions have nothing left and become NaN.
    Raises: ValueError for missing predictions, rows without features, unknown features, a proportion outside [0, 1].
    Source: numerai_tools.scoring.neutralize, which it equals; neutralise gaussianised ranks as Numerai does.
    """
    _require_numbers(predictions)
    if not 0 <= proportion <= 1:
        raise ValueError(f"proportion is {proportion}. Allowed: 0 to 1.")
    columns = _known_columns(features, subset)
    if not predictions.index.isin(features.index).all():
        raise ValueError("some predictions have no row of features; both need the same index.")

    def of_era(part: pd.Series) -> pd.Series:
        if not len(part):
            return part
        rows = features.loc[part.index, columns].to_numpy()
        if not np.issubdtype(rows.dtype, np.integer):
            rows = np.nan_to_num(rows.astype(np.float64), nan=missing)
        values = part.to_numpy(dtype=np.float64)
        return pd.Series(neutralised_rows(values[np.newaxis], rows, proportion)[0], part.index, name=part.name)

    return _by_era(predictions, eras, of_era)


def blended(
    predictions: pd.DataFrame, weights: Mapping[str, float] | None = None, *, eras: pd.Series | None = None
) -> pd.Series:
    """Return the weighted mean of the columns' gaussianised ranks; without weights all count the same.

    A negative weight turns a column round. Raises: ValueError for unknown columns, weights that are 0 in all.
    """
    chosen = dict.fromkeys(predictions.columns, 1.0) if weights is None else dict(weights)
    columns = _known_columns(predictions, list(chosen))
    total = sum(abs(weight) for weight in chosen.values())
    if not total > 0:
        raise ValueError("the weights are 0 in all; one of them has to be another number.")
    parts = [rank_gaussianised(predictions[name], eras) * (chosen[name] / total) for name in columns]
    blend: pd.Series = sum(parts[1:], start=parts[0])
    return blend.rename(None)


def _by_era(values: pd.Series, eras: pd.Series | None, change: Callable[[pd.Series], pd.Series]) -> pd.Series:
    if eras is None:
        return change(values)
    of_rows = eras.reindex(values.index)
    if of_rows.isna().any():
        raise ValueError(f"{int(of_rows.isna().sum())} of {len(values)} predictions have no era.")
    whole: pd.Series = pd.concat([change(part) for _, part in values.groupby(of_rows, sort=False)])
    return whole.reindex(values.index)


def _require_numbers(predictions: pd.Series) -> None:
    if not predictions.index.is_unique:
        raise ValueError(f"the id {predictions.index[predictions.index.duplicated()][0]!r} stands more than once.")
    absent = int(predictions.isna().sum())
    if absent:
        raise ValueError(f"{absent} of {len(predictions)} predictions are missing; fill or drop them first.")


def _known_columns(frame: pd.DataFrame, names: Sequence[str] | None) -> list[str]:
    if names is None:
        return list(frame.columns)
    unknown = [name for name in names if name not in frame.columns]
    if unknown or not names:
        hint = did_you_mean(str(unknown[0]), map(str, frame.columns)) if unknown else ""
        found = f"{listed(unknown)} of {len(names)} columns not there" if unknown else "no column is named"
        raise ValueError(f"{found}.{hint} Allowed: one or more of the frame's columns.")
    return list(names)
