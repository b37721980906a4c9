"""The made-up features, targets and names have the statistics of the real ones."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from numebot.practice.market.feature_model import cut, feature_model
from numebot.practice.market.feature_sets import TARGETS, feature_layout
from numebot.practice.market.ids import era_ids, live_ids
from numebot.practice.market.names import player_names, symbols, tickers
from numebot.practice.market.signal_model import signal_model
from numebot.practice.market.streams import standardised, stream
from numebot.practice.market.targets import daily_targets, era_targets, strength

REAL = Path(os.environ.get("NUMEBOT_SHARED_DATA", Path(__file__).parents[3] / "../shared/data"))
REAL_SETS = REAL / "features-v5.3/features.json"
REAL_ERA = REAL / "classic-v5-era0575-small/validation_era0575_small_int8.parquet"
needs_real_sets = pytest.mark.skipif(
    not REAL_SETS.is_file(), reason="real features.json: set NUMEBOT_SHARED_DATA to a folder that holds features-v5.3/"
)
needs_real_era = pytest.mark.skipif(
    not REAL_ERA.is_file(), reason=f"a real era: set NUMEBOT_SHARED_DATA to a folder that holds {REAL_ERA.name}"
)

SIZES = {
    "small": 42, "medium": 780, "all": 3555, "v2_equivalent_features": 304, "v3_equivalent_features": 1000,
    "fncv3_features": 400, "intelligence": 35, "charisma": 290, "strength": 135, "dexterity": 51, "constitution": 335,
    "wisdom": 140, "agility": 145, "serenity": 95, "sunshine": 325, "rain": 666, "midnight": 244, "faith": 372,
    "quantum": 807,
}  # fmt: skip
ROWS = 3000


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """Features of one late era of seed 1, shape (3555, 3000)."""
    return feature_model(1, feature_layout(1)).rows(stream(1, "test"), ROWS, 1000)


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_sets_have_the_sizes_of_the_real_version(seed: int) -> None:
    assert {name: len(members) for name, members in feature_layout(seed).sets.items()} == SIZES


def test_sets_lie_inside_each_other_as_in_the_real_version() -> None:
    sets = {name: set(members) for name, members in feature_layout(1).sets.items()}
    assert len(sets["small"] & sets["medium"]) == 11
    assert sets["v2_equivalent_features"] < sets["fncv3_features"] < sets["medium"] < sets["all"]
    assert sets["fncv3_features"] < sets["v3_equivalent_features"]
    assert not sets["quantum"] & sets["medium"]


@needs_real_sets
def test_sets_overlap_pair_by_pair_as_the_real_ones_and_no_real_name_appears() -> None:
    real = json.loads(REAL_SETS.read_text())
    made = feature_layout(1).features_json()
    assert made["targets"] == real["targets"]
    assert list(made["feature_sets"]) == list(real["feature_sets"])
    own, theirs = ({name: set(members) for name, members in one["feature_sets"].items()} for one in (made, real))
    for first in theirs:
        for second in theirs:
            assert len(own[first] & own[second]) == len(theirs[first] & theirs[second]), (first, second)
    assert not own["all"] & theirs["all"]


def test_feature_names_look_like_numerais_and_are_sorted_and_unique() -> None:
    names = feature_layout(1).names
    assert list(names) == sorted(set(names))
    assert all(re.fullmatch(r"feature_[a-z]+_[a-z]+_[a-z]+", name) for name in names)
    assert not set(names) & set(feature_layout(2).names)


def test_other_names_are_unique_and_short_enough() -> None:
    players = player_names(1, 500)
    assert len(set(players)) == 500
    assert max(map(len, players)) <= 20
    assert len(set(tickers(1, 7168))) == 7168
    assert len(set(symbols(1, 500))) == 500


def test_features_are_equal_fifths_but_for_missing_history(features: np.ndarray) -> None:
    assert features.dtype == np.int8
    shares = np.stack([(features == value).mean(axis=1) for value in range(5)])
    is_whole = shares[2] < 0.202
    assert is_whole.mean() > 0.8
    np.testing.assert_allclose(shares[:, is_whole], 0.2, atol=0.003)
    assert 0.1 < (~is_whole).mean() < 0.2
    assert shares[2].max() < 0.35


def test_features_without_history_hold_the_middle_bin_in_early_eras_only(features: np.ndarray) -> None:
    early = feature_model(1, feature_layout(1)).rows(stream(1, "test"), 200, 1)
    is_empty = (early == 2).all(axis=1)
    assert 0.1 < is_empty.mean() < 0.4
    assert not is_empty[feature_layout(1).positions("small")].any()
    assert not (features == 2).all(axis=1).any()


def test_variants_of_a_quantity_correlate_and_strangers_do_not(features: np.ndarray) -> None:
    blocks = feature_layout(1).blocks
    chosen = np.flatnonzero(blocks < 60)
    correlations = np.abs(np.corrcoef(features[chosen]))
    is_same = blocks[chosen][:, None] == blocks[chosen]
    np.fill_diagonal(is_same, False)
    assert np.median(correlations[is_same]) > 0.5
    assert np.median(correlations[~is_same]) < 0.06


@needs_real_era
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_small_correlates_like_a_real_era(seed: int) -> None:
    layout = feature_layout(seed)
    made = feature_model(seed, layout).rows(stream(seed, "test"), ROWS, 1000)[layout.positions("small")]
    real = pd.read_parquet(REAL_ERA).drop(columns=["era", "data_type"]).to_numpy().T
    (own_spectrum, own_sizes), (real_spectrum, real_sizes) = (_correlation_figures(one) for one in (made, real))
    assert own_spectrum[0] == pytest.approx(real_spectrum[0], rel=0.5)
    np.testing.assert_allclose(own_spectrum[1:10], real_spectrum[1:10], rtol=0.65)
    # median, upper quartile, 95th and 99th percentile of the absolute correlations
    np.testing.assert_allclose(own_sizes, real_sizes, rtol=0.7)


def _correlation_figures(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    matrix = np.corrcoef(features)
    sizes = np.abs(matrix[~np.eye(len(matrix), dtype=bool)])
    return np.linalg.eigvalsh(matrix)[::-1], np.percentile(sizes, [50, 75, 95, 99])


def test_cut_gives_bins_of_the_asked_sizes() -> None:
    out = np.empty((1, 20), dtype=np.int8)
    cut(np.random.default_rng(1).random((1, 20)).astype(np.float32), (0.05, 0.2, 0.5, 0.2, 0.05), out=out)
    assert np.bincount(out[0]).tolist() == [1, 4, 10, 4, 1]


def test_targets_have_numerais_shares_and_gaps_only_in_jeremy() -> None:
    signal = standardised(np.random.default_rng(1).normal(size=4000).astype(np.float32))
    targets = era_targets(stream(1, "targets"), signal, 0.05)
    assert tuple(targets) == TARGETS
    for name, values in targets.items():
        known = values[~np.isnan(values)]
        shares = [(known == value).mean() for value in (0, 0.25, 0.5, 0.75, 1)]
        np.testing.assert_allclose(shares, (0.05, 0.2, 0.5, 0.2, 0.05), atol=0.004, err_msg=name)
    with_gaps = {name for name, values in targets.items() if np.isnan(values).any()}
    assert with_gaps == {"target_jeremy_20", "target_jeremy_60"}
    assert np.isnan(targets["target_jeremy_60"]).mean() == pytest.approx(0.0129, abs=0.005)
    np.testing.assert_array_equal(targets["target"], targets["target_ender_60"])


def test_targets_of_both_horizons_and_of_other_names_correlate() -> None:
    signal = standardised(np.random.default_rng(1).normal(size=4000).astype(np.float32))
    targets = pd.DataFrame(era_targets(stream(1, "targets"), signal, 0.05))
    correlations = targets.corr()
    assert 0.4 < correlations.loc["target_ender_20", "target_ender_60"] < 0.65
    others = [name for name in targets if name.endswith("_60") and name != "target_ender_60"]
    assert correlations.loc["target_ender_60", others].between(0.3, 0.97).all()


def test_daily_targets_grow_into_the_final_one() -> None:
    signal = standardised(np.random.default_rng(1).normal(size=4000).astype(np.float32))
    daily = daily_targets(stream(1, "days"), signal, 0.05)
    assert daily.shape == (60, 4000)
    likeness = [np.corrcoef(daily[day], daily[-1])[0, 1] for day in (0, 9, 19, 39, 58)]
    assert likeness == sorted(likeness)
    assert likeness[2] == pytest.approx((20 / 60) ** 0.5, abs=0.08)
    assert likeness[-1] > 0.9


def test_strength_has_seasons_but_a_steady_mean() -> None:
    strengths = [strength(1, era, mean=0.05) for era in range(600)]
    assert np.mean(strengths) == pytest.approx(0.05, abs=0.003)
    assert 0.01 < np.std(strengths) < 0.03


def test_the_signal_persists_over_the_years() -> None:
    layout = feature_layout(1)
    model = signal_model(1, layout)
    features = feature_model(1, layout).rows(stream(1, "persist"), 2000, 1000)
    now, later = model.signal(features, 100.0), model.signal(features, 1200.0)
    assert 0.7 < np.corrcoef(now.whole, later.whole)[0, 1] < 0.995
    assert 0.4 < np.corrcoef(now.whole, now.known)[0, 1] < 0.9
    assert now.whole.std() == pytest.approx(1, abs=0.01)


def test_ids_are_numerais_pattern_and_never_repeat() -> None:
    listed = [era_ids(1, era, 300) for era in range(1, 40)] + [live_ids(1, number, 300) for number in range(1400, 1440)]
    every = [one for ids in listed for one in ids]
    assert len(set(every)) == len(every)
    assert all(re.fullmatch(r"n[0-9a-f]{15}", one) for one in every)
    assert all(ids == sorted(ids) for ids in listed)
    assert live_ids(1, 1404, 50) == live_ids(1, 1404, 50)
    assert not set(live_ids(2, 1404, 300)) & set(every)
