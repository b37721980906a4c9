"""What counts as one number per row, and what is a mistake."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from numebot.core.errors import PluginError
from numebot.core.predictions import aligned

IDS = pd.Index(["n1", "n2", "n3"], name="id")
DATES = pd.date_range("2026-11-22", periods=3)


def series(values: object, **options: object) -> pd.Series:
    return pd.Series(values, index=IDS, **options)  # type: ignore[call-overload,no-any-return] # anything goes in


@pytest.mark.parametrize(
    "answer",
    [
        series([1, 2, 3]).to_frame("x"),
        series([1, 2, 3], dtype=object),
        series([np.float32(1), Decimal(2), Fraction(3)], dtype=object),
        series([1, 2, 3], dtype="Float64"),
        series([1, 2, 3], dtype="double[pyarrow]"),
        series([1.0, 2.0, 3.0], dtype="Sparse[float64]"),
        np.array([1, 2, 3], dtype=object),
        np.array([1, 2, 3], dtype=np.float16),
        np.ma.masked_array([1, 2, 3], mask=[False] * 3),
        pd.array([1, 2, 3], dtype="Int8"),
        pd.Index([1, 2, 3]),
        pa.array([1.0, 2.0, 3.0]),
        (1, 2.0, np.int8(3)),
    ],
)
def test_numbers_are_taken_in_whatever_they_come(answer: object) -> None:
    found = aligned(answer, IDS)
    assert found.tolist() == [1.0, 2.0, 3.0]
    assert (found.dtype, found.index.equals(IDS)) == (np.float64, True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.ma.masked_array([1, 2, 3], mask=[True, False, True]), "2 of its values are masked; fill them"),
        (series([1, 2, 3]) + 1j, "Series that is not one number per row (it holds complex128)"),
        (np.array([1, 2, 3]) + 1j, "it holds complex128"),
        (series([1, 2, 3j], dtype=object), "it holds a complex"),
        (series(DATES), "it holds datetime64"),
        (series(DATES, dtype=object), "it holds a Timestamp"),
        (series(DATES.tz_localize("UTC")), "it holds datetime64"),
        (DATES.to_numpy(), "it holds datetime64"),
        (series(DATES - DATES[0]), "it holds timedelta64"),
        (series(["0.1", "0.2", "0.3"]), "a Series that is not one number per row (it holds"),
        (series(["0.1", "0.2", "0.3"], dtype=object), "it holds a str"),
        (["0.1", "0.2", "0.3"], "a list that is not one number per row (it holds <U3)"),
        (series([1, 2, 3]).astype("category"), "it holds category"),
        (pd.Categorical([1, 2, 3]), "it holds category"),
        (series([True, False, True]), "it holds bool; say .astype(float) if 0 and 1 are meant"),
        (np.array([True, False, True]), "it holds bool"),
        (series([True, False, None], dtype="boolean"), "it holds boolean"),
        (series([True, 0.5, 0.2], dtype=object), "it holds a bool"),
        (series([10**400] * 3, dtype=object), "int too large to convert to float"),
        ([10**400] * 3, "int too large to convert to float"),
        (pd.concat([series([1, 2, 3])] * 2, axis=1), "it has 2 columns). Allowed: a Series indexed by id, a DataFrame"),
        (pd.DataFrame(index=IDS), "it has 0 columns"),
        ((number for number in range(3)), "it holds a generator"),
        ({"n1": 1.0}, "it holds a dict"),
        ([[1], [2, 3]], "a list that is not one number per row"),
        (None, "it returned nothing"),
    ],
)
def test_what_is_no_prediction_is_refused(answer: object, words: str) -> None:
    with pytest.raises(PluginError) as refusal:
        aligned(answer, IDS)
    assert words in str(refusal.value)


def test_gaps_of_any_kind_become_nan() -> None:
    for answer in (series([None, 1, 2], dtype=object), series([pd.NA, 1, 2], dtype="Int64"), [None, 1.0, 2.0]):
        assert aligned(answer, IDS).isna().tolist() == [True, False, False]
