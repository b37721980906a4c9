"""Scores of uploads: the published formulas, day by day, among the other players."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numerai_tools import scoring as numerai

from numebot.core.metrics import contribution, numerai_corr
from numebot.practice.market.crowd import PLAYERS, crowd, meta_model, player_predictions
from numebot.practice.market.market import Outcome
from numebot.practice.market.scale import Scale
from numebot.practice.market.streams import standardised, stream
from numebot.practice.market.synthetic import SyntheticMarket
from numebot.practice.market.targets import daily_targets
from numebot.practice.scores.leaderboard import ranked, ranks_by
from numebot.practice.scores.metrics import Score
from numebot.practice.scores.payouts import metric_payout, payout, payout_rule, payout_score, stake_at_risk
from numebot.practice.scores.players import Players
from numebot.practice.scores.scorer import Scorer

ROWS = 1500


class OneSignalMarket:
    """A market of nothing but outcomes: quick, and with a signal strong enough to be seen in a few rounds."""

    version = "v5.3"
    seed = 1

    def dataset_names(self) -> list[str]:
        return []

    def dataset_path(self, name: str, round_number: int) -> Path:
        raise KeyError(name)

    def ids(self, tournament: int, round_number: int) -> pd.Index[str]:
        return pd.Index([f"n{round_number:07d}{place:08d}" for place in range(ROWS)], name="id")

    def outcome(self, tournament: int, round_number: int) -> Outcome:
        random = stream(self.seed, "test", tournament, round_number)
        signal = standardised(random.standard_normal(ROWS, dtype=np.float32))
        return Outcome(
            key=("live", tournament, round_number),
            ids=self.ids(tournament, round_number),
            known=signal,
            targets=daily_targets(random, signal, 0.1),
            neutralizers=random.integers(0, 5, size=(ROWS, 20)).astype(np.float32),
            benchmark=(0.5 * signal + random.standard_normal(ROWS)).astype(np.float32),
        )


@pytest.fixture(scope="module")
def market() -> OneSignalMarket:
    return OneSignalMarket()


@pytest.fixture(scope="module")
def scorer(market: OneSignalMarket) -> Scorer:
    return Scorer(market, Players(1))


def _chance(market: OneSignalMarket, tournament: int, round_number: int) -> pd.Series:
    ids = market.ids(tournament, round_number)
    return pd.Series(np.random.default_rng(round_number).random(len(ids)), index=ids)


def _by_name(scores: Iterable[Score], day: int) -> dict[str, float | None]:
    return {score.display_name: score.value for score in scores if score.day == day}


def test_correlation_and_contribution_are_the_published_formulas(market: OneSignalMarket, scorer: Scorer) -> None:
    outcome = market.outcome(8, 1404)
    predictions = _chance(market, 8, 1404) + 0.1 * pd.Series(outcome.known, outcome.ids)
    found = _by_name(scorer.scores(8, 1404, predictions, days=63), 63)
    target = pd.Series(outcome.targets[-1].astype(float), outcome.ids)
    members = crowd(1, PLAYERS)
    meta = meta_model(members, player_predictions(members, 1, outcome.key, outcome.known))
    assert found["corr60"] == pytest.approx(numerai_corr(predictions, target), abs=1e-9)
    assert found["mmc60"] == pytest.approx(contribution(predictions, pd.Series(meta, outcome.ids), target), abs=1e-9)
    day_23 = _by_name(scorer.scores(8, 1404, predictions, days=63), 23)
    after_20 = pd.Series(outcome.targets[19].astype(float), outcome.ids)
    benchmark = pd.Series(outcome.benchmark, outcome.ids)
    assert day_23["v2_corr20"] == pytest.approx(numerai_corr(predictions, after_20), abs=1e-9)
    assert day_23["bmc"] == pytest.approx(contribution(predictions, benchmark, after_20), abs=1e-9)


def test_the_first_days_bring_only_what_needs_no_returns(market: OneSignalMarket, scorer: Scorer) -> None:
    scores = scorer.scores(8, 1404, _chance(market, 8, 1404), days=5)
    assert {score.day for score in scores} == {1, 2, 3, 4, 5}
    for day in (1, 2, 3):
        known = {name for name, value in _by_name(scores, day).items() if value is not None}
        assert known == {"apcwnm", "mcwnm", "corr_w_meta_model"}
    assert None not in _by_name(scores, 4).values()
    assert {"v2_corr20", "corr60", "mmc", "mmc60", "bmc", "fnc_v3", "season_score"} < set(_by_name(scores, 4))


def test_corr60_equals_v2_corr20_until_twenty_days_of_returns(market: OneSignalMarket, scorer: Scorer) -> None:
    scores = scorer.scores(8, 1404, _chance(market, 8, 1404), days=100)
    for day in range(1, 24):
        today = _by_name(scores, day)
        assert today["v2_corr20"] == today["corr60"]
        assert today["mmc"] == today["mmc60"]
    assert "v2_corr20" not in _by_name(scores, 24)
    assert _by_name(scores, 24)["corr60"] != _by_name(scores, 23)["corr60"]
    assert max(score.day for score in scores) == 63


def test_equal_predictions_get_equal_scores_also_after_a_restart(market: OneSignalMarket, scorer: Scorer) -> None:
    predictions = _chance(market, 8, 1405)
    first = scorer.scores(8, 1405, predictions, days=63)
    again = Scorer(market, Players(1)).scores(8, 1405, predictions.sample(frac=1, random_state=1) * 0.5 + 0.1, days=63)
    assert first == again


def test_earlier_days_stay_as_they_were(market: OneSignalMarket, scorer: Scorer) -> None:
    predictions = _chance(market, 8, 1404)
    early = scorer.scores(8, 1404, predictions, days=10)
    assert early == [score for score in scorer.scores(8, 1404, predictions, days=63) if score.day <= 10]
    assert scorer.scores(8, 1404, predictions, days=0) == []


def test_chance_earns_nothing_and_the_signal_earns_its_strength(market: OneSignalMarket, scorer: Scorer) -> None:
    rounds = range(1400, 1406)
    chance, signal = [], []
    for number in rounds:
        outcome = market.outcome(8, number)
        chance.append(_by_name(scorer.scores(8, number, _chance(market, 8, number), days=63), 63)["corr60"])
        best = pd.Series(outcome.known, outcome.ids)
        signal.append(_by_name(scorer.scores(8, number, best, days=63), 63)["corr60"])
    assert abs(np.mean(chance)) < 0.03
    assert 0.06 < np.mean(signal) < 0.12


def test_percentiles_order_players_and_uploads_alike(market: OneSignalMarket, scorer: Scorer) -> None:
    outcome = market.outcome(8, 1404)
    truth = pd.Series(outcome.targets[-1], outcome.ids) + 1e-3 * _chance(market, 8, 1404)
    best, worst = (
        {score.display_name: score for score in scorer.scores(8, 1404, sign * truth, days=63) if score.day == 63}
        for sign in (1, -1)
    )
    assert best["corr60"].percentile == 1
    assert worst["corr60"].percentile == 0
    assert best["season_score"].percentile is None
    middle = [score.percentile for score in scorer.scores(8, 1404, _chance(market, 8, 1404), days=63)]
    assert all(one is None or 0 <= one <= 1 for one in middle)


def test_the_meta_model_itself_contributes_nothing(market: OneSignalMarket, scorer: Scorer) -> None:
    outcome, members = market.outcome(8, 1404), crowd(1, PLAYERS)
    meta = meta_model(members, player_predictions(members, 1, outcome.key, outcome.known))
    found = _by_name(scorer.scores(8, 1404, pd.Series(meta, outcome.ids), days=63), 63)
    assert found["corr_w_meta_model"] == pytest.approx(1)
    assert found["mmc60"] == pytest.approx(0, abs=1e-9)


def test_neutral_score_is_that_of_numerais_package(market: OneSignalMarket, scorer: Scorer) -> None:
    outcome = market.outcome(8, 1404)
    features = pd.DataFrame(outcome.neutralizers.astype(float), outcome.ids).add_prefix("feature_")
    target = pd.Series(outcome.targets[19].astype(float), outcome.ids, name="target")
    predictions = (_chance(market, 8, 1404) + 3 * features["feature_0"]).rename("prediction")
    expected = numerai.feature_neutral_corr(predictions.to_frame(), features, target)["prediction"]
    found = _by_name(scorer.scores(8, 1404, predictions, days=23), 23)
    assert found["fnc_v3"] == pytest.approx(expected, abs=1e-6)
    assert found["fnc_v3"] != pytest.approx(found["corr60"], abs=1e-3)


def test_missing_and_strange_ids_do_not_stop_the_scoring(market: OneSignalMarket, scorer: Scorer) -> None:
    predictions = _chance(market, 8, 1404)
    found = scorer.scores(8, 1404, pd.concat([predictions.iloc[10:], pd.Series({"stranger": 0.9})]), days=63)
    whole = scorer.scores(8, 1404, predictions, days=63)
    assert _by_name(found, 63)["corr60"] == pytest.approx(_by_name(whole, 63)["corr60"], abs=0.02)


def test_constant_predictions_have_no_scores_and_raise_no_warning(market: OneSignalMarket, scorer: Scorer) -> None:
    scores = scorer.scores(8, 1404, _chance(market, 8, 1404) * 0 + 0.5, days=63)
    assert _by_name(scores, 63)["corr60"] is None
    assert {score.percentile for score in scores if score.value is None} == {None}


@pytest.mark.parametrize(
    ("tournament", "names"),
    [(11, {"alpha", "mpc", "corr_v4", "fnc_v4"}), (12, {"corr", "mmc", "apcwcm", "mcwcm"})],
)
def test_other_tournaments_bring_their_own_metrics(
    market: OneSignalMarket, scorer: Scorer, tournament: int, names: set[str]
) -> None:
    scores = scorer.scores(tournament, 1404, _chance(market, tournament, 1404), days=23)
    assert names < set(_by_name(scores, 23))
    assert None not in _by_name(scores, 23).values()


def test_a_tiny_synthetic_round_is_scored_whole(tmp_path: Path) -> None:
    market = SyntheticMarket(tmp_path, seed=1, scale=Scale.tiny())
    ids = market.ids(8, 1404)
    predictions = pd.Series(np.linspace(0, 1, len(ids)), ids)
    assert None not in _by_name(Scorer(market).scores(8, 1404, predictions, days=63), 63).values()


@pytest.mark.parametrize(
    ("round_number", "scores", "at_risk", "expected"),
    [
        (1342, {"v2_corr20": 0.02, "mmc": 0.01}, "100", "0.33375"),  # 100 · 0.089 · (0.75 · 0.02 + 2.25 · 0.01)
        (1342, {"v2_corr20": 0.9, "mmc": 0.2}, "100", "5"),  # clipped at 5 %
        (1100, {"v2_corr20": -0.02, "mmc": -0.01}, "100", "-0.267"),  # 100 · 0.089 · (0.5 · -0.02 + 2 · -0.01)
        (1343, {"corr60": 0.02, "mmc60": 0.01}, "10", "2.1"),  # 10 · (3 · 0.02 + 15 · 0.01)
        (1404, {"corr60": -0.4, "mmc60": -0.1}, "10", "-10"),  # clipped at the whole stake
    ],
)
def test_payouts_follow_the_published_formula_of_their_time(
    round_number: int, scores: dict[str, float], at_risk: str, expected: str
) -> None:
    assert payout(Decimal(at_risk), scores, payout_rule(8, round_number)) == Decimal(expected)


def test_nothing_is_paid_while_a_paying_score_is_unknown() -> None:
    rule = payout_rule(8, 1404)
    assert payout(Decimal(10), {"corr60": 0.02}, rule) is None
    assert payout(Decimal(10), {"corr60": 0.02, "mmc60": None}, rule) is None
    assert stake_at_risk(Decimal(64), rule) == 1
    assert stake_at_risk(Decimal(64), payout_rule(8, 1342)) == 64


def test_season_score_is_the_sum_of_multiplied_scores(market: OneSignalMarket, scorer: Scorer) -> None:
    for number in (1342, 1404):
        day = 23 if number == 1342 else 63
        found = _by_name(scorer.scores(8, number, _chance(market, 8, number), days=63), day)
        season = found.pop("season_score")
        assert season == pytest.approx(payout_score(found, payout_rule(8, number)), abs=1e-12)


def test_signals_and_crypto_pay_by_their_own_rules() -> None:
    assert payout(Decimal(10), {"alpha": 0.01, "mpc": 0.01}, payout_rule(11, 1404)) == Decimal("0.11")
    assert payout(Decimal(10), {"alpha": 0.1, "mpc": 0.01}, payout_rule(11, 1404)) == Decimal("0.17")
    assert payout(Decimal(10), {"corr": 0.1, "mmc": 0.02}, payout_rule(12, 1404)) == Decimal("0.3")
    assert metric_payout(Decimal(10), "mpc", 0.01, payout_rule(11, 1404)) == Decimal("0.08")
    assert metric_payout(Decimal(10), "fnc_v4", 0.01, payout_rule(11, 1404)) is None
    with pytest.raises(ValueError, match="99"):
        payout_rule(99, 1404)


def test_a_few_hundred_players_rank_by_what_they_earn() -> None:
    for tournament in (8, 11, 12):
        board = Players(1).leaderboard(tournament)
        assert len({player.name for player in board}) == len({player.id for player in board}) == 300
        assert all(player.stake_nmr >= 0 for player in board)
        returns = [player.return_52_weeks for player in ranked(board, tournament, 1404)]
        assert returns == sorted(returns, reverse=True)
    best = board[0]
    better = sum(player.reputations["corr"] > best.reputations["corr"] for player in board)
    assert ranks_by(board, "corr")[best.id] == 1 + better


def test_players_are_the_same_for_a_seed_and_others_for_another() -> None:
    assert Players(1).leaderboard(8) == Players(1).leaderboard(8)
    assert not {player.name for player in Players(1).leaderboard(8)} & {
        player.name for player in Players(2).leaderboard(8)
    }


def test_reputations_of_players_lie_where_their_scores_do(market: OneSignalMarket) -> None:
    board = Players(1).leaderboard(8)
    correlations = [player.reputations["corr60"] for player in board]
    assert 0.005 < np.median(correlations) < 0.025
    assert 0.02 < max(correlations) < 0.06
    assert abs(np.median([player.reputations["mmc60"] for player in board])) < 0.004
