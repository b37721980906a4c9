from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from numebot.core.known_models import KnownModel
from numebot.core.results import Leaderboard, LeaderboardRow
from numebot.core.standings import RankPoint, neighbours, own_standings

DAY = date(2026, 11, 24)
TAKEN_AT = datetime(2026, 11, 24, 16, tzinfo=UTC)
ALPHA, BETA, GAMMA = (KnownModel(8, name[0], name) for name in ("alpha", "beta", "gamma"))


def board(**ranks: int) -> Leaderboard:
    others = {f"player{rank}": rank for rank in range(1, 60) if rank not in ranks.values()}
    rows = [
        LeaderboardRow(rank, name, name[0] if name in ranks else None, is_own=name in ranks)
        for name, rank in {**ranks, **others}.items()
    ]
    return Leaderboard(8, TAKEN_AT, 900, tuple(sorted(rows, key=lambda row: row.rank)))


def point(days_ago: int, rank: int, model: KnownModel = ALPHA) -> RankPoint:
    return RankPoint(DAY - timedelta(days=days_ago), model.id, rank)


def test_ranks_won_are_counted_from_the_snapshot_before_and_from_a_month_before() -> None:
    history = [point(0, 20), point(3, 25), point(29, 5), point(31, 12), point(40, 1), point(-2, 1)]
    (found,) = own_standings(board(alpha=20), [ALPHA], history)
    assert (found.change, found.since) == (5, DAY - timedelta(days=3))
    assert (found.month_change, found.month_since) == (-8, DAY - timedelta(days=31))
    assert [one.rank for one in found.ranks] == [1, 12, 5, 25, 20]


def test_a_month_without_snapshots_is_not_bridged_by_a_much_older_one() -> None:
    (found,) = own_standings(board(alpha=20), [ALPHA], [point(2, 21), point(45, 1)])
    assert (found.month_change, found.month_since) == (None, None)
    assert found.change == 1


def test_the_first_snapshot_has_no_change() -> None:
    (found,) = own_standings(board(alpha=20), [ALPHA], [point(0, 20)])
    assert (found.change, found.since, found.month_change) == (None, None, None)


def test_a_model_on_no_board_comes_last_and_without_numbers() -> None:
    found = own_standings(board(alpha=20, beta=3), [ALPHA, GAMMA, BETA], [point(1, 7, GAMMA)])
    assert [one.model.name for one in found] == ["beta", "alpha", "gamma"]
    assert (found[2].row, found[2].change, found[2].since) == (None, None, DAY - timedelta(days=1))


def test_neighbours_are_two_ranks_on_both_sides_and_none_twice() -> None:
    ranks = [row.rank for row in neighbours(board(alpha=20, beta=22))]
    assert ranks == [18, 19, 20, 21, 22, 23, 24]
    assert neighbours(board()) == []
