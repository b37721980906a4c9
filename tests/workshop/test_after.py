from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerai_tools.scoring import (
    gaussian,
    neutralize,
    tie_kept_rank,
)

from numebot.workshop import blended, neutralised, rank_gaussianised
from tests.fakes import made_up_rows

ROWS = made_up_rows(["0001", "0002", "0003"], 60, features=6, seed=4)
X, ERAS = ROWS.filter(like="feature").astype(float), ROWS["era"]
PREDICTIONS = pd.Series(np.random.default_rng(1).normal(size=180) + X["feature_0"], name="prediction")


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), rows=st.integers(3, 80), features=st.integers(1, 12), proportion=st.floats(0, 1),
    levels=st.sampled_from([2, 5, 1000]), collinear=st.booleans(),
)  # fmt: skip
def test_neutralised_is_what_numerai_computes(
    seed: int, rows: int, features: int, proportion: float, levels: int, collinear: bool
) -> None:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.integers(0, 5, size=(rows, features))).add_prefix("feature_")
    if collinear:
        frame["again"] = frame.iloc[:, 0] * 2
    values = pd.Series(random.integers(0, levels, size=rows) / levels, name="prediction")
    expected = neutralize(values.to_frame(), frame, proportion)["prediction"]
    found = neutralised(values, frame, proportion=proportion)
    assert np.allclose(found, expected, rtol=0, atol=1e-10, equal_nan=True)


def test_each_era_is_neutralised_by_itself_and_by_the_chosen_features() -> None:
    found = neutralised(PREDICTIONS, X, eras=ERAS, subset=["feature_0", "feature_2"])
    for era in ("0001", "0002", "0003"):
        part = era == ERAS
        wanted = neutralize(PREDICTIONS[part].to_frame(), X.loc[part, ["feature_0", "feature_2"]])["prediction"]
        assert np.allclose(found[part], wanted, rtol=0, atol=1e-10)
        assert abs(np.corrcoef(found[part], X.loc[part, "feature_0"])[0, 1]) < 1e-9
    mixed = PREDICTIONS.sample(frac=1, random_state=1)
    assert np.allclose(neutralised(mixed, X, eras=ERAS)[PREDICTIONS.index], neutralised(PREDICTIONS, X, eras=ERAS))


def test_missing_features_count_as_the_middle_and_constant_predictions_have_nothing_left() -> None:
    gaps, filled = X.copy(), X.copy()
    gaps.iloc[::5, 0], filled.iloc[::5, 0] = np.nan, 2.0
    assert np.allclose(neutralised(PREDICTIONS, gaps), neutralised(PREDICTIONS, filled))
    assert neutralised(PREDICTIONS * 0, X).isna().all()


def test_gaussianised_ranks_are_numerais() -> None:
    ties = PREDICTIONS.round()
    wanted = gaussian(tie_kept_rank(ties.to_frame()))["prediction"]
    assert np.allclose(rank_gaussianised(ties), wanted, rtol=0, atol=1e-10)
    by_era = rank_gaussianised(PREDICTIONS, ERAS)
    assert np.allclose(by_era.groupby(ERAS).mean(), 0)


def test_a_blend_weighs_ranks_and_not_numbers() -> None:
    other = pd.Series(np.random.default_rng(2).normal(size=180), index=PREDICTIONS.index)
    both = pd.DataFrame({"one": PREDICTIONS, "two": other})
    huge = both.assign(two=np.exp(other * 5))
    assert np.allclose(blended(both), blended(huge))
    assert np.allclose(blended(both, {"one": 2, "two": 0}), rank_gaussianised(PREDICTIONS))
    assert np.allclose(blended(both, {"two": -1}), -rank_gaussianised(other))
    assert np.allclose(blended(both, eras=ERAS), blended(both[ERAS == "0002"]).reindex(both.index).fillna(
        blended(both[ERAS == "0001"])).fillna(blended(both[ERAS == "0003"])))


def test_bad_input_is_said() -> None:
    with pytest.raises(ValueError, match=r"1 of 180 predictions are missing"):
        neutralised(PREDICTIONS.where(PREDICTIONS.iloc[0] != PREDICTIONS), X)
    with pytest.raises(ValueError, match=r"proportion is 2. Allowed: 0 to 1"):
        neutralised(PREDICTIONS, X, proportion=2)
    with pytest.raises(ValueError, match=r'featur_0 of 1 columns not there. Did you mean "feature_0"'):
        neutralised(PREDICTIONS, X, subset=["featur_0"])
    with pytest.raises(ValueError, match=r"no column is named"):
        neutralised(PREDICTIONS, X, subset=[])
    with pytest.raises(ValueError, match=r"no row of features"):
        neutralised(PREDICTIONS, X.iloc[1:])
    with pytest.raises(ValueError, match=r"179 of 180 predictions have no era"):
        rank_gaussianised(PREDICTIONS, ERAS.iloc[:1])
    with pytest.raises(ValueError, match=r"stands more than once"):
        rank_gaussianised(pd.Series([1.0, 2.0], index=["a", "a"]))
    with pytest.raises(ValueError, match=r"weights are 0 in all"):
        blended(PREDICTIONS.to_frame(), {"prediction": 0})
