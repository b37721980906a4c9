"""What the readers of payouts, pairs and boards find in a real database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from numebot.adapters.store import Store
from numebot.core.earnings import RoundTerms
from numebot.core.known_models import KnownModel
from numebot.core.results import Leaderboard, LeaderboardRow, Payout, PayoutSetting, RoundFacts, Score
from numebot.core.standing import ModelRound
from numebot.core.standings import RankPoint
from numebot.core.types import AccountModel, Round

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
ALPHA, BETA = KnownModel(8, "a", "alpha"), KnownModel(8, "b", "beta")
SCORE = Score(8, 1400, "a", "corr60", 3, 0.01, 0.75, "v1", NOW, False, "sub-1")
PAYOUT = Payout(8, 1400, "a", "alpha", Decimal("0.3"), False, Decimal(4), "USD")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/numebot.db")
    store.results.remember_listed(8, [AccountModel("a", "alpha", 8), AccountModel("b", "beta", 8)], now=NOW)
    store.results.remember_listed(12, [AccountModel("c", "alpha", 12)], now=NOW)
    yield store
    store.close()


def facts(number: int, **changes: object) -> RoundFacts:
    opens_at = NOW + timedelta(days=number - 1405)
    round_ = Round(8, number, opens_at, opens_at + timedelta(hours=1))
    return replace(RoundFacts(round_, resolves_at=opens_at + timedelta(days=88), payout_factor="1.0"), **changes)


def setting(number: int, metric: str = "corr60", **changes: object) -> PayoutSetting:
    return replace(PayoutSetting(8, number, metric, "v1", True, 3.0, clip=1.0), **changes)


def at_risk(number: int, model: str = "a", amount: str = "100") -> ModelRound:
    return ModelRound(8, number, model, Decimal(amount))


def test_a_page_holds_numerais_word_and_all_that_it_takes_to_reckon(store: Store) -> None:
    store.results.remember_rounds([facts(1400)], now=NOW)
    store.results.remember_settings([setting(1400), setting(1400, "fnc", is_payout=False)])
    store.results.remember_scores([SCORE, replace(SCORE, day=4, value=0.02), replace(SCORE, day=5, value=None)])
    store.results.remember_payouts([PAYOUT])
    store.standing.remember_at_risk([at_risk(1400)])
    page = store.money.page(8)
    (row,) = page.rows
    assert (row.model, row.model_id, row.round_number) == ("alpha", "a", 1400)
    assert (row.amount, row.is_settled, row.value, row.currency) == (Decimal("0.3"), False, Decimal(4), "USD")
    assert row.at_risk == 100
    assert row.scores == {("corr60", "v1"): 0.02}, "the newest day that has a value"
    assert row.resolves_on == (NOW + timedelta(days=83)).date()
    assert page.terms == {1400: RoundTerms((setting(1400), setting(1400, "fnc", is_payout=False)), "1.0")}


def test_stakes_without_a_payout_count_and_those_of_nothing_do_not(store: Store) -> None:
    store.standing.remember_at_risk([at_risk(1401), at_risk(1401, "b", "0"), at_risk(1400, "b")])
    rows = store.money.page(8).rows
    assert [(row.round_number, row.model, row.amount) for row in rows] == [(1401, "alpha", None), (1400, "beta", None)]
    assert rows[0].resolves_on is None


def test_the_newest_rounds_are_shown_of_the_models_that_are_asked_for(store: Store) -> None:
    store.results.remember_payouts([replace(PAYOUT, round_number=number) for number in range(1390, 1401)])
    store.results.remember_payouts([replace(PAYOUT, model_id="b", model="beta")])
    store.results.remember_payouts([replace(PAYOUT, tournament=12, model_id="c")])
    page = store.money.page(8, last=2)
    assert [(row.round_number, row.model) for row in page.rows] == [(1400, "alpha"), (1400, "beta"), (1399, "alpha")]
    assert [row.model for row in store.money.page(8, model_ids=["b"]).rows] == ["beta"]
    assert store.money.page(8, model_ids=[]).rows == ()
    assert store.money.page(11).rows == ()
    assert [row.model_id for row in store.money.page(12).rows] == ["c"]


def test_values_come_with_the_days_behind_them(store: Store) -> None:
    store.results.remember_rounds([facts(1400)], now=NOW)
    store.results.remember_settings([setting(1401, scoring_ends_at=NOW)])
    scores = [
        SCORE,
        replace(SCORE, day=9, value=0.03, scored_at=NOW + timedelta(days=6)),
        replace(SCORE, round_number=1401, value=0.04),
        replace(SCORE, round_number=1399, value=0.05, is_resolved=True),
        replace(SCORE, round_number=1398, value=None),
        replace(SCORE, model_id="b", value=0.9),
        replace(SCORE, metric="mmc60", value=0.9),
    ]
    store.results.remember_scores(scores)
    found = store.pairs.values(ALPHA, "corr60")
    assert [(row.round_number, row.value, row.is_final) for row in found] == [
        (1399, 0.05, True),
        (1400, 0.03, False),
        (1401, 0.04, True),
    ]
    assert (found[1].opens_at, found[1].scored_at) == (NOW - timedelta(days=5), NOW + timedelta(days=6))
    assert found[0].opens_at is None
    assert store.pairs.values(ALPHA, "corr61") == []
    assert store.pairs.metrics(ALPHA) == ["corr60", "mmc60"]
    assert store.pairs.metrics(KnownModel(12, "c", "alpha")) == []


def test_the_metric_that_pays_most_in_the_newest_round_comes_first(store: Store) -> None:
    settings = [
        setting(1400, "old", multiplier=9.0),
        setting(1401),
        setting(1401, "mmc60", multiplier=15.0),
        setting(1401, "fnc", is_payout=False, multiplier=99.0),
        setting(1402, "fnc", is_payout=False),
    ]
    store.results.remember_settings(settings)
    assert store.pairs.paying_metrics(8) == ["mmc60", "corr60"]
    assert store.pairs.paying_metrics(11) == []


def board(days_ago: int, alpha: int) -> Leaderboard:
    rows = (LeaderboardRow(1, "best"), LeaderboardRow(alpha, "alpha", "a", is_own=True))
    return Leaderboard(8, NOW - timedelta(days=days_ago), 900, rows)


def test_ranks_of_our_models_are_read_day_by_day(store: Store) -> None:
    for days_ago, rank in ((40, 8), (2, 30), (0, 25)):
        store.results.remember_leaderboard(board(days_ago, rank))
    today = NOW.date()
    since = today - timedelta(days=30)
    assert store.boards.ranks(8, since=since, until=today) == [
        RankPoint(today - timedelta(days=2), "a", 30),
        RankPoint(today, "a", 25),
    ]
    assert store.boards.ranks(12, since=since, until=today) == []
    newest = store.boards.snapshot(8)
    assert newest is not None
    assert newest.day == today
    assert store.boards.snapshot(8, today - timedelta(days=1)) is None
    assert store.boards.nearest_days(8, today - timedelta(days=1)) == [today - timedelta(days=2), today]
    assert store.boards.nearest_days(8, date(2020, 1, 1)) == [today - timedelta(days=40)]
    assert store.boards.nearest_days(12, today) == []


def test_models_that_the_account_no_longer_has_are_on_no_board_but_keep_their_money(store: Store) -> None:
    store.results.remember_listed(8, [AccountModel("b", "beta", 8)], now=NOW)
    assert store.boards.models(8) == [BETA]
    assert [model.name for model in store.money.models(8)] == ["beta", "alpha"]
    assert len(store.money.models()) == 3
