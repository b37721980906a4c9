"""Many models at once score as each of them does in Numerai's own package, with ties and with missing ids."""

from __future__ import annotations

import math
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numerai_tools import scoring as numerai
from scipy.stats import rankdata, spearmanr

from numebot.core.metrics import (
    EraTable,
    adjusted_sharpe,
    autocorrelation,
    contribution,
    drawdowns,
    era_payouts,
    max_drawdown,
    neutralised,
    numerai_corr,
    summaries,
)
from numebot.core.metrics.ranks import average_ranks
from numebot.core.payouts import NotKnown, PayoutTerms

CLOSE = 1e-10
QUICK = (Phase.explicit, Phase.generate)
"""No shrinking: a failing history is told whole by its few arguments."""
TARGETS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


class History:
    """Some eras of predictions of three models, a meta model, features and targets."""

    def __init__(self, *, eras: int, rows: int, levels: int, lost: float, seed: int) -> None:
        random = np.random.default_rng(seed)
        count = eras * rows
        ids = pd.Index(random.permutation([f"n{place:06d}" for place in range(count)]), name="id")
        self.eras = pd.Series(np.repeat([f"{era:04d}" for era in range(1, eras + 1)], rows), index=ids)
        self.target = pd.Series(random.choice(TARGETS, p=[0.05, 0.2, 0.5, 0.2, 0.05], size=count), ids, name="target")
        for places in np.arange(count).reshape(eras, rows):
            self.target.iloc[places[:5]] = TARGETS
        features = random.integers(0, 5, size=(count, 4)).astype(np.int8)
        self.features = pd.DataFrame(features, index=ids, columns=list("abcd"))
        raw = random.normal(size=(count, 3)) + 0.3 * self.target.to_numpy()[:, None] + 0.1 * features[:, :3]
        self.predictions = pd.DataFrame(np.round(raw * levels) / levels, index=ids, columns=["one", "two", "three"])
        self.meta = pd.Series(np.round(random.normal(size=count) * levels) / levels, index=ids, name="meta")
        if lost:
            self.predictions = self.predictions.mask(random.random((count, 3)) < lost)
            self.meta = self.meta[random.random(count) >= lost / 3]
            self.target = self.target.mask(random.random(count) < 0.1)

    def table(self) -> EraTable:
        order = np.random.default_rng(1).permutation(len(self.predictions))
        return EraTable(self.predictions.iloc[order], self.target, self.eras)

    def each(self) -> list[tuple[str, pd.Index]]:
        """Each era with the ids that have a target."""
        known = self.target.dropna()
        return [(str(era), part.index) for era, part in known.groupby(self.eras.reindex(known.index))]

    def theirs(self, score) -> pd.DataFrame:  # type: ignore[no-untyped-def] # one function of this file
        """What Numerai's package says, era by era and model by model; nan where it refuses."""
        rows = {}
        for era, ids in self.each():
            rows[era] = {name: self._one(score, column.reindex(ids), ids) for name, column in self.predictions.items()}
        return pd.DataFrame.from_dict(rows, orient="index")

    @staticmethod
    def _one(score, column: pd.Series, ids: pd.Index) -> float:  # type: ignore[no-untyped-def]
        try:
            return float(score(column.dropna().sort_index().to_frame("p"), ids)["p"])
        except AssertionError:
            return math.nan


histories = st.builds(
    History,
    eras=st.integers(1, 3),
    rows=st.integers(25, 120),
    levels=st.sampled_from([1, 3, 40, 10**9]),
    lost=st.sampled_from([0.0, 0.05, 0.2, 0.5]),
    seed=st.integers(0, 2**32),
)


def assert_equal(own: pd.DataFrame, theirs: pd.DataFrame) -> None:
    assert list(own.index) == list(theirs.index)
    np.testing.assert_allclose(own.to_numpy(), theirs[own.columns].to_numpy(), rtol=0, atol=CLOSE, equal_nan=True)


@given(histories)
@settings(max_examples=20, deadline=None, phases=QUICK)
def test_correlations_are_those_of_numerais_package(data: History) -> None:
    theirs = data.theirs(lambda predictions, ids: numerai.numerai_corr(predictions, data.target[ids]))
    assert_equal(data.table().corr(), theirs)


@given(histories)
@settings(max_examples=20, deadline=None, phases=QUICK)
def test_contributions_are_those_of_numerais_package(data: History) -> None:
    def score(predictions: pd.DataFrame, ids: pd.Index) -> pd.Series:
        meta = data.meta[data.meta.index.isin(ids)]
        return numerai.correlation_contribution(predictions, meta, data.target[ids].rename("target"))

    own, theirs = data.table().contribution(data.meta), data.theirs(score)
    # Numerai compares pair by pair; we want 80 % of the era's rows in all three. Where we score, it is the same.
    both = own.notna()
    assert (theirs.notna() >= both).all(axis=None)
    np.testing.assert_allclose(own.to_numpy()[both], theirs.to_numpy()[both], rtol=0, atol=CLOSE)
    if data.predictions.notna().all(axis=None):
        assert both.all(axis=None)


@given(histories)
@settings(max_examples=10, deadline=None, phases=QUICK)
def test_feature_neutral_correlations_are_those_of_numerais_package(data: History) -> None:
    # Values that only rounding tells apart have no order of their own, so each row is one of a kind here.
    noise = np.random.default_rng(2).normal(size=data.features.shape) * 0.01
    features, target = data.features + noise, data.target.fillna(0.5)
    data.target = target
    own = data.table().feature_neutral_corr(features)

    def score(predictions: pd.DataFrame, ids: pd.Index) -> pd.Series:
        return numerai.feature_neutral_corr(predictions, features.loc[predictions.index], target[ids])

    assert_equal(own, data.theirs(score))


@given(histories, st.sampled_from([0.3, 1.0]))
@settings(max_examples=10, deadline=None, phases=QUICK)
def test_neutralisation_is_that_of_numerais_package(data: History, proportion: float) -> None:
    predictions = data.predictions.dropna()
    features = data.features.loc[predictions.index].assign(always=2, again=lambda frame: frame["a"])
    features["sum"] = features["a"] + features["b"]
    for columns in (["a", "b", "c", "d"], ["a", "always", "b"], list(features.columns)):
        theirs = numerai.neutralize(predictions, features[columns], proportion)
        own = neutralised(predictions.to_numpy().T, features[columns].to_numpy(), proportion)
        np.testing.assert_allclose(own.T, theirs.to_numpy(), rtol=0, atol=CLOSE)


@given(histories)
@settings(max_examples=10, deadline=None, phases=QUICK)
def test_exposure_is_that_of_numerais_package(data: History) -> None:
    data.predictions = data.predictions.fillna(0.5)
    found = data.table().exposures(data.features.assign(always=2))
    for era, ids in data.each():
        ids = ids.sort_values()
        for name in data.predictions:
            feature, size = numerai.max_feature_correlation(data.predictions.loc[ids, name], data.features.loc[ids])
            own = found.of_features(name).loc[era]
            assert math.isnan(own["always"])
            assert found.strongest().loc[era, name] == pytest.approx(size, abs=CLOSE)
            assert own.abs().max() == pytest.approx(abs(own[feature]), abs=CLOSE)


def test_it_says_the_same_as_the_functions_of_one_model() -> None:
    data = History(eras=3, rows=60, levels=5, lost=0, seed=1)
    table = data.table()
    corr, mmc, alike = table.corr(), table.contribution(data.meta), table.correlation_with(data.predictions["one"])
    for era, ids in data.each():
        own, target = data.predictions.loc[ids, "two"], data.target[ids]
        assert corr.loc[era, "two"] == pytest.approx(numerai_corr(own, target), abs=CLOSE)
        assert mmc.loc[era, "two"] == pytest.approx(contribution(own, data.meta[ids], target), abs=CLOSE)
        assert alike.loc[era, "one"] == pytest.approx(1)
        assert abs(alike.loc[era, "two"]) < 1


def test_spearman_and_mae_are_the_plain_ones() -> None:
    data = History(eras=2, rows=80, levels=4, lost=0, seed=2)
    table = data.table()
    for era, ids in data.each():
        own, target = data.predictions.loc[ids, "one"], data.target[ids]
        assert table.spearman().loc[era, "one"] == pytest.approx(spearmanr(own, target).statistic, abs=CLOSE)
        assert table.mae().loc[era, "one"] == pytest.approx((own - target).abs().mean(), abs=CLOSE)


def test_eras_without_any_target_are_left_out_and_the_others_come_in_order() -> None:
    data = History(eras=3, rows=30, levels=9, lost=0, seed=3)
    data.eras = data.eras.map({"0001": "1000", "0002": "0999", "0003": "X"})
    data.target[data.eras == "X"] = np.nan
    assert data.table().eras == list(data.table().corr().index) == ["0999", "1000"]


def test_constant_predictions_have_no_score_and_raise_no_warning() -> None:
    data = History(eras=2, rows=40, levels=9, lost=0, seed=4)
    data.predictions["flat"] = 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = data.table()
        flat = table.contribution(data.meta)["flat"]
        found = [table.corr(), table.spearman(), table.feature_neutral_corr(data.features)]
        strongest = table.exposures(data.features).strongest()
    assert all(frame["flat"].isna().all() and frame["one"].notna().all() for frame in [*found, strongest])
    assert (flat == 0).all()


def test_a_reference_that_covers_one_era_scores_that_era_alone() -> None:
    data = History(eras=2, rows=40, levels=9, lost=0, seed=5)
    mmc = data.table().contribution(data.meta[data.eras[data.meta.index] == "0002"])
    assert mmc.loc["0001"].isna().all()
    assert mmc.loc["0002"].notna().all()


def test_nothing_known_at_all_is_an_empty_answer() -> None:
    data = History(eras=2, rows=30, levels=9, lost=0, seed=6)
    data.target[:] = np.nan
    table = data.table()
    assert table.eras == []
    assert table.corr().shape == (0, 3)
    assert summaries(table.corr())["mean"].isna().all()


def test_missing_values_of_a_feature_count_as_its_mean() -> None:
    random = np.random.default_rng(7)
    rows, features = random.normal(size=(2, 50)), random.normal(size=(50, 3))
    features[:10, 1] = np.nan
    filled = np.where(np.isnan(features), np.nanmean(features, axis=0), features)
    np.testing.assert_allclose(neutralised(rows, features), neutralised(rows, filled), atol=CLOSE)


def test_an_id_that_stands_twice_is_refused() -> None:
    data = History(eras=1, rows=30, levels=9, lost=0, seed=8)
    twice = pd.concat([data.target, data.target.iloc[:1]])
    with pytest.raises(ValueError, match=str(data.target.index[0])):
        EraTable(data.predictions, twice, data.eras)


def test_the_adjusted_sharpe_of_scores_that_hang_together_is_smaller() -> None:
    random = np.random.default_rng(9)
    smooth = pd.Series(np.convolve(random.normal(size=100), np.ones(5) / 5, mode="valid") + 0.1)
    rho, count = autocorrelation(smooth), len(smooth)
    penalty = math.sqrt(1 + 2 * sum((count - step) / count * rho**step for step in range(1, count)))
    plain = smooth.mean() / smooth.std(ddof=1)
    assert rho == pytest.approx(np.corrcoef(smooth[:-1], smooth[1:])[0, 1])
    assert adjusted_sharpe(smooth) == pytest.approx(plain / penalty)
    assert adjusted_sharpe(smooth) < 0.7 * plain


def test_figures_of_one_era_are_nan_where_one_era_says_nothing() -> None:
    found = summaries(pd.DataFrame({"one": [0.02]}, index=["0001"])).loc["one"]
    assert (found["eras"], found["mean"], found["sum"], found["max_drawdown"]) == (1, 0.02, 0.02, 0)
    assert found[["std", "sharpe", "adjusted_sharpe", "autocorrelation"]].isna().all()


def test_drawdowns_reach_down_to_the_largest() -> None:
    scores = pd.Series([0.02, -0.01, -0.03, 0.05, -0.02])
    assert drawdowns(scores).min() == pytest.approx(-max_drawdown(scores)) == pytest.approx(-0.04)
    assert list(drawdowns(scores).round(9)) == [0, -0.01, -0.04, 0, -0.02]


def terms(**multipliers: str) -> PayoutTerms:
    return PayoutTerms({(name, "v1"): Decimal(value) for name, value in multipliers.items()}, Decimal("0.5"),
                       Decimal("0.05"))  # fmt: skip


def test_payouts_are_weighted_clipped_shares_of_the_stake() -> None:
    scores = {
        "corr": pd.DataFrame({"one": [0.02, 0.4]}, index=["1", "2"]),
        "mmc": pd.DataFrame({"one": [0.01, 0.1]}, index=["1", "2"]),
    }
    found = era_payouts(scores, terms(corr60="0.75", mmc60="2.25"))
    assert isinstance(found, pd.DataFrame)
    assert list(found["one"]) == pytest.approx([0.5 * (0.75 * 0.02 + 2.25 * 0.01), 0.05])
    assert isinstance(era_payouts(scores, terms(v2_corr20="1", tc="0")), pd.DataFrame)


def test_a_metric_that_is_not_measured_is_named_and_not_left_out() -> None:
    found = era_payouts({"corr": pd.DataFrame({"one": [0.02]})}, terms(corr60="1", tc="1"))
    assert isinstance(found, NotKnown)
    assert "pays for tc" in found.reason
    assert isinstance(era_payouts({}, terms(corr_w_meta_model="1")), NotKnown)


def test_ranks_are_those_of_scipy_whatever_the_floats_are() -> None:
    random = np.random.default_rng(10)
    near = 1 + np.arange(40) * np.finfo(float).eps  # told apart by their last bits alone
    rows = np.stack([
        random.permutation(near),
        random.permutation(-near),
        random.choice([-np.inf, -1e300, -0.0, 0.0, 5e-324, 1.0, np.inf], size=40),
        random.normal(size=40),
    ])
    np.testing.assert_array_equal(average_ranks(rows), rankdata(rows, axis=1))
    np.testing.assert_array_equal(average_ranks(rows[:, :1]), 1)
