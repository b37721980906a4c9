"""What a plugin's predict gives back, brought into the order of the live ids."""

from __future__ import annotations

import numpy as np
import pandas as pd

from numebot.core.errors import PluginError
from numebot.core.features import listed


def aligned(predictions: object, ids: pd.Index) -> pd.Series:
    """Return what `predict` gave as floats in the order of `ids`: a Series by its index, an array by position.

    A frame with a single column counts as a Series. NaN and infinities pass; the submission checks name them.
    Raises: PluginError for another type, another length, ids that are missing, extra or repeated, or text.
    """
    if isinstance(predictions, pd.DataFrame) and predictions.shape[1] == 1:
        predictions = predictions.iloc[:, 0]
    try:
        if isinstance(predictions, pd.Series):
            values = pd.Series(predictions.to_numpy(dtype=float, na_value=np.nan), index=predictions.index)
            return _aligned_by_index(values, ids)
        if predictions is None or isinstance(predictions, pd.DataFrame | str | dict):
            raise TypeError(type(predictions).__name__)
        array = np.asarray(predictions, dtype=float)
    except (TypeError, ValueError) as error:
        raise PluginError(
            f"predict returned a {type(predictions).__name__} that is not one number per row ({error})."
            " Allowed: a Series indexed by id, or a 1-d array."
        ) from error
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (len(ids),):
        raise PluginError(f"predict returned an array of shape {array.shape} for {len(ids)} rows of live data.")
    return pd.Series(array, index=ids, name="prediction")


def _aligned_by_index(values: pd.Series, ids: pd.Index) -> pd.Series:
    missing, extra = ids[~ids.isin(values.index)], values.index[~values.index.isin(ids)]
    repeated = values.index[values.index.duplicated()].unique()
    faults = [
        f"{len(found)} {what} ({listed(found)})"
        for found, what in ((missing, "ids missing"), (extra, "ids that are not live"), (repeated, "repeated ids"))
        if len(found)
    ]
    if faults:
        hint = " Give the Series index=live.index, or return the array." if len(missing) == len(ids) else ""
        raise PluginError(f"predict returned a Series with {', '.join(faults)}, for {len(ids)} live ids.{hint}")
    ordered = values.reindex(ids)
    return ordered.rename("prediction")
