from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from numebot.adapters.store import Store
from numebot.core.results import Leaderboard, LeaderboardRow, Part
from numebot.core.standing import AccountFigures, ModelDay, ModelRound, NmrPrice, PartMark
from numebot.core.types import AccountModel

NOW = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/numebot.db")
    made.results.remember_listed(8, [AccountModel("a-id", "alpha", 8)], now=NOW)
    made.results.remember_listed(12, [AccountModel("c-id", "alpha", 12)], now=NOW)
    yield made
    made.close()


def test_what_is_at_risk_is_kept_to_the_wei_and_stays_when_it_is_no_longer_told(store: Store) -> None:
    wei = Decimal("0.000000000000000001")
    ours = [ModelRound(8, 1404, "a-id", wei), ModelRound(8, 1405, "a-id", None)]
    rounds = [*ours, ModelRound(12, 1404, "c-id", 2 * wei)]
    assert store.standing.remember_at_risk(rounds) == 2
    assert store.standing.remember_at_risk([replace(rounds[0], at_risk=None)]) == 0
    assert store.standing.at_risk(8, "a-id") == {1404: wei}
    assert store.standing.at_risk(12, "c-id") == {1404: 2 * wei}


def test_the_accounts_figures_stand_under_their_day_with_the_stakes_of_a_tournament(store: Store) -> None:
    figures = AccountFigures("owner", {"availableNmr": Decimal("1.5"), "brandNew": Decimal(0)}, {"a-id": Decimal(64)})
    assert store.standing.remember_account(8, figures, day=TODAY) == 3
    assert store.standing.remember_account(8, figures, day=TODAY) == 0
    store.standing.remember_account(8, replace(figures, amounts={"availableNmr": Decimal(2)}), day=YESTERDAY)
    assert store.standing.account_figures() == replace(figures, stakes={})
    assert store.standing.account_figures(YESTERDAY) == AccountFigures("owner", {"availableNmr": Decimal(2)})
    assert store.standing.account_figures(date(2020, 1, 1)) is None
    assert [one.staked for one in store.standing.model_days(8, "a-id")] == [Decimal(64)] * 2
    assert store.standing.model_days(12, "c-id") == []


def test_a_days_stake_and_its_ranks_come_together_in_any_order(store: Store) -> None:
    told = ModelDay(8, "a-id", TODAY, figures={"corr60Rep": 0.0123456789, "corr60Rank": 7.0, "gone": None})
    assert store.standing.remember_model_days([told]) == 1
    assert store.standing.remember_model_days([told]) == 0
    store.standing.remember_account(8, AccountFigures("owner", {}, {"a-id": Decimal(3)}), day=TODAY)
    store.standing.remember_model_days([ModelDay(8, "a-id", TODAY)])
    (kept,) = store.standing.model_days(8, "a-id")
    assert kept == replace(told, staked=Decimal(3), figures={"corr60Rep": 0.0123457, "corr60Rank": 7.0, "gone": None})


def test_a_later_account_board_of_the_day_takes_the_place_of_the_first(store: Store) -> None:
    rows = tuple(LeaderboardRow(rank, f"a{rank}", None, Decimal(rank), rank == 2, {"mmc": 0.5}) for rank in (1, 2, 3))
    board = Leaderboard(8, NOW, 900, rows)
    assert store.standing.remember_account_board(board) == 3
    later = replace(board, taken_at=NOW + timedelta(hours=1), rows=rows[:2])
    store.standing.remember_account_board(later)
    store.standing.remember_account_board(replace(board, taken_at=NOW - timedelta(days=1)))
    assert store.standing.account_board(8) == later
    assert store.standing.account_board(8, YESTERDAY) == replace(board, taken_at=NOW - timedelta(days=1))
    assert store.standing.newest_account_board_day(8) == TODAY
    assert store.standing.account_board(11) is None


def test_the_newest_price_of_a_day_stands(store: Store) -> None:
    for usd in ("12.5", "12.75"):
        assert store.standing.remember_price(NmrPrice(Decimal(usd), NOW), day=TODAY) == 1
    assert store.standing.remember_price(NmrPrice(Decimal("12.75")), day=TODAY) == 0
    assert store.standing.prices() == {TODAY: NmrPrice(Decimal("12.75"), NOW)}


def test_a_part_that_fails_keeps_when_it_landed_and_one_that_lands_loses_its_error(store: Store) -> None:
    mark = store.standing.mark_part
    mark(8, Part.SCORES, at=NOW, error=None)
    mark(8, Part.SCORES, at=NOW + timedelta(hours=1), error="HTTP 429")
    mark(8, Part.PRICE, at=NOW, error="gone")
    assert store.standing.part_marks(8) == {
        Part.SCORES: PartMark(Part.SCORES, NOW, "HTTP 429"),
        Part.PRICE: PartMark(Part.PRICE, None, "gone"),
    }
    mark(8, Part.PRICE, at=NOW, error=None)
    assert store.standing.part_marks(8)[Part.PRICE] == PartMark(Part.PRICE, NOW)
    assert store.standing.part_marks(12) == {}
