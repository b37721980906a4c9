"""The scores agree with Numerai's own package, and say what they should of plain cases."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerai_tools import scoring as numerai

from numebot.core.metrics import (
    contribution,
    era_corr,
    gaussianised,
    max_drawdown,
    numerai_corr,
    ranked,
    summary,
)

REAL = Path(os.environ.get("NUMEBOT_SHARED_DATA", Path(__file__).parents[2] / "../shared/data"))
REAL_2018 = REAL / "classic-2018-numerox/numerox_test_data_2018_mid.parquet"

_X_COLUMNS = [f"x{number}" for number in range(1, 51)]
TARGETS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


def _series(values: np.ndarray) -> pd.Series:
    return pd.Series(values, index=[f"n{place:05d}" for place in range(len(values))], name="prediction")


@st.composite
def _rounds(draw: st.DrawFn) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Predictions, a meta model and targets of 20 to 300 rows; few or many different values: with and without ties."""
    count = draw(st.integers(20, 300))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    levels = draw(st.sampled_from([3, 7, 50, 10**9]))
    target = random.choice(TARGETS, p=[0.05, 0.2, 0.5, 0.2, 0.05], size=count)
    target[:5] = TARGETS
    predictions = np.round(random.normal(size=count) * levels) / levels + 0.2 * target
    predictions[:2] = (-9, 9)
    order = random.permutation(count)
    return _series(predictions).iloc[order], _series(random.random(count)), _series(target)


@given(_rounds())
@settings(max_examples=25, deadline=None)
def test_correlation_is_that_of_numerais_package(data: tuple[pd.Series, pd.Series, pd.Series]) -> None:
    predictions, _, target = data
    expected = numerai.numerai_corr(predictions.to_frame(), target)["prediction"]
    assert numerai_corr(predictions, target) == pytest.approx(expected, abs=1e-9)


@given(_rounds())
@settings(max_examples=25, deadline=None)
def test_contribution_is_that_of_numerais_package(data: tuple[pd.Series, pd.Series, pd.Series]) -> None:
    predictions, meta, target = data
    expected = numerai.correlation_contribution(predictions.to_frame(), meta, target)["prediction"]
    assert contribution(predictions, meta, target) == pytest.approx(expected, abs=1e-9)


@given(_rounds())
@settings(max_examples=15, deadline=None)
def test_ranks_are_those_of_numerais_package_and_strictly_inside(data: tuple[pd.Series, pd.Series, pd.Series]) -> None:
    predictions = data[0].sort_index()
    own = ranked(predictions)
    pd.testing.assert_series_equal(own, numerai.tie_kept_rank(predictions))
    assert own.between(0, 1, inclusive="neither").all()


@given(_rounds())
@settings(max_examples=15, deadline=None)
def test_any_growing_transformation_of_predictions_leaves_the_scores_alone(
    data: tuple[pd.Series, pd.Series, pd.Series],
) -> None:
    predictions, meta, target = data
    stretched = predictions.rank() ** 2
    assert numerai_corr(stretched, target) == pytest.approx(numerai_corr(predictions, target), abs=1e-12)
    assert contribution(stretched, meta, target) == pytest.approx(contribution(predictions, meta, target), abs=1e-12)


def test_rows_without_a_partner_are_left_out_as_numerai_does() -> None:
    random = np.random.default_rng(3)
    target = _series(random.choice(TARGETS, size=200))
    predictions = _series(random.random(200))
    predictions.iloc[:10] = np.nan
    target.iloc[-20:] = np.nan
    expected = numerai.numerai_corr(predictions.to_frame(), target)["prediction"]
    assert numerai_corr(predictions, target) == pytest.approx(expected, abs=1e-9)


def test_predictions_equal_to_the_meta_model_contribute_nothing() -> None:
    random = np.random.default_rng(4)
    meta, target = _series(random.random(300)), _series(random.choice(TARGETS, size=300))
    assert contribution(meta * 2, meta, target) == pytest.approx(0, abs=1e-12)


def test_too_many_lost_ids_are_refused_with_both_counts() -> None:
    target = _series(np.tile(TARGETS, 20))
    with pytest.raises(ValueError, match="only 70 of 100 ids have a partner"):
        numerai_corr(target.iloc[:70], target)


def test_an_id_that_stands_twice_is_refused() -> None:
    target = _series(np.tile(TARGETS, 4))
    with pytest.raises(ValueError, match="n00000"):
        numerai_corr(pd.concat([target, target.iloc[:1]]), target)


def test_constant_predictions_have_no_correlation_and_raise_no_warning() -> None:
    target = _series(np.tile(TARGETS, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(numerai_corr(target * 0 + 0.1, target))


def test_gaussianised_values_are_centred_and_keep_ties() -> None:
    quantiles = gaussianised([1.0, 5.0, 5.0, 9.0])
    assert quantiles[1] == quantiles[2] == pytest.approx(0)
    assert quantiles[0] == pytest.approx(-quantiles[3])


def test_eras_come_in_order_and_those_without_targets_are_left_out() -> None:
    random = np.random.default_rng(5)
    target = _series(random.choice(TARGETS, size=150))
    eras = pd.Series(["0003"] * 50 + ["0001"] * 50 + ["0002"] * 50, index=target.index)
    target[eras == "0002"] = np.nan
    scores = era_corr(target.fillna(0.3) + 0.001 * _series(random.random(150)), target, eras)
    assert list(scores.index) == ["0001", "0003"]
    assert (scores > 0.8).all()


def test_an_era_with_too_few_predictions_is_named() -> None:
    target = _series(np.tile(TARGETS, 20))
    eras = pd.Series(["0001"] * 50 + ["0002"] * 50, index=target.index)
    with pytest.raises(ValueError, match="era 0002"):
        era_corr(target.iloc[:60], target, eras)


def test_summary_counts_as_numerai_does() -> None:
    scores = pd.Series([0.02, 0.03, -0.04, -0.01, 0.05], index=["1", "2", "3", "4", "5"])
    found = summary(scores)
    assert found["mean"] == pytest.approx(0.01)
    assert found["std"] == pytest.approx(np.std(scores, ddof=1))
    assert found["sharpe"] == pytest.approx(0.01 / np.std(scores, ddof=1))
    assert found["max_drawdown"] == pytest.approx(0.05)


def test_summary_of_too_few_eras_is_nan_where_nothing_is_known() -> None:
    assert math.isnan(summary(pd.Series([0.1]))["sharpe"])
    assert math.isnan(max_drawdown(pd.Series([], dtype=float)))


@pytest.mark.skipif(not REAL_2018.is_file(), reason=f"set NUMEBOT_SHARED_DATA to a folder that holds {REAL_2018.name}")
def test_real_eras_with_binary_targets_score_as_in_numerais_package() -> None:
    frame = pd.read_parquet(REAL_2018)
    target_name = next(column for column in frame if column not in ("era", "region", "region_name", *_X_COLUMNS))
    frame = frame[frame[target_name].notna() & (frame.groupby("era")[target_name].transform("count") >= 20)]
    eras = frame["era"].astype(str)
    own = era_corr(frame["x1"], frame[target_name], eras)
    assert len(own) > 50
    for era, part in list(frame.groupby(eras))[:20]:
        expected = numerai.numerai_corr(part[["x1"]].sort_index(), part[target_name].sort_index())["x1"]
        assert own[era] == pytest.approx(expected, abs=1e-9)
