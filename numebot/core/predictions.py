"""What a plugin's predict gives back, brought into the order of the live ids."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.core.errors import PluginError
from numebot.core.features import listed

ALLOWED = "Allowed: a Series indexed by id, a DataFrame with one such column, a 1-d array, or a list."


def aligned(predictions: object, ids: pd.Index) -> pd.Series:
    """Return what `predict` gave as floats in the order of `ids`: a Series by its index, an array by position.

    Taken as numbers: integers and floats of any library and width, and object columns that hold nothing else. A frame
    with a single column counts as a Series, an array of shape (n, 1) as one of shape (n,). None, NA, NaN and infinities
    pass; the submission checks name them. Refused, since each is a mistake and not a prediction: text, also of digits;
    booleans; dates; categories; complex numbers; masked values; numbers that no float holds.
    Raises: PluginError for all of those, for another type or length, and for ids that are missing, extra or repeated.
    """
    try:
        column = _only_column(predictions)
        numbers = _numbers(column)
        if isinstance(column, pd.Series):
            return _aligned_by_index(pd.Series(numbers, index=column.index), ids)
    except (TypeError, ValueError, OverflowError) as error:
        raise PluginError(
            f"predict returned a {type(predictions).__name__} that is not one number per row ({error}). {ALLOWED}"
        ) from error
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.shape != (len(ids),):
        raise PluginError(f"predict returned an array of shape {numbers.shape} for {len(ids)} rows of live data.")
    return pd.Series(numbers, index=ids, name="prediction")


def _only_column(predictions: object) -> object:
    if not isinstance(predictions, pd.DataFrame):
        return predictions
    if predictions.shape[1] != 1:
        raise TypeError(f"it has {predictions.shape[1]} columns")
    return predictions.iloc[:, 0]


def _numbers(answer: object) -> npt.NDArray[np.float64]:
    """Raises: TypeError, ValueError or OverflowError with what is in there instead of numbers."""
    if answer is None:
        raise TypeError("it returned nothing")
    if isinstance(answer, np.ma.MaskedArray) and np.ma.getmaskarray(answer).any():
        masked = int(np.ma.getmaskarray(answer).sum())
        raise ValueError(f"{masked} of its values are masked; fill them, or give NaN")
    pandas_own = isinstance(answer, pd.Series | pd.Index | pd.api.extensions.ExtensionArray)
    values = pd.Series(answer) if pandas_own else np.asarray(answer)
    kind = values.dtype
    if pd.api.types.is_object_dtype(kind):
        objects = np.asarray(values, dtype=object)
        return np.array([_number(value) for value in objects.flat], dtype=float).reshape(objects.shape)
    if pd.api.types.is_bool_dtype(kind):
        raise TypeError(f"it holds {kind}; say .astype(float) if 0 and 1 are meant")
    if pd.api.types.is_complex_dtype(kind) or not pd.api.types.is_numeric_dtype(kind):
        raise TypeError(f"it holds {kind}")
    if isinstance(values, pd.Series):
        return values.to_numpy(dtype=float, na_value=np.nan)
    return values.astype(float)


def _number(value: object) -> float:
    if value is None or value is pd.NA:
        return np.nan
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real | Decimal):
        raise TypeError(f"it holds a {type(value).__name__}")
    return float(value)


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
