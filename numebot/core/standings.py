"""Where our models stand on a leaderboard, and how that changed from snapshot to snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from numebot.core.known_models import KnownModel
from numebot.core.results import Leaderboard, LeaderboardRow

MONTH = timedelta(days=30)
MONTH_SLACK = timedelta(days=10)
"""How much older than a month the snapshot may be that stands for it, after days without one."""


@dataclass(frozen=True)
class RankPoint:
    """The rank of one of our models on the snapshot of a UTC day; 1 is the best."""

    day: date
    model_id: str
    rank: int


@dataclass(frozen=True)
class OwnStanding:
    """One of our models on a snapshot.

    `row` is None when the board does not have it. `change` and `month_change` are ranks won (positive) or lost since
    the snapshots of `since` and `month_since`; None where there is nothing to compare with. `ranks` are oldest first.
    """

    model: KnownModel
    row: LeaderboardRow | None
    change: int | None = None
    since: date | None = None
    month_change: int | None = None
    month_since: date | None = None
    ranks: tuple[RankPoint, ...] = ()


def own_standings(
    board: Leaderboard, models: Sequence[KnownModel], history: Iterable[RankPoint]
) -> list[OwnStanding]:
    """Return how our models stand on `board`, best rank first, those that it does not have at the end.

    `history` may hold any days; those after the board's count for nothing.
    """
    lines = {row.model_id: row for row in board.rows if row.model_id is not None}
    ranks: dict[str, list[RankPoint]] = {}
    for point in sorted(history, key=lambda point: point.day):
        if point.day <= board.day:
            ranks.setdefault(point.model_id, []).append(point)
    found = [_standing(model, lines.get(model.id), ranks.get(model.id, []), board.day) for model in models]
    return sorted(found, key=lambda one: (one.row is None, one.row.rank if one.row else 0, one.model.name))


def neighbours(board: Leaderboard, *, reach: int = 2) -> list[LeaderboardRow]:
    """Return our lines and those up to `reach` ranks from one of them, by rank."""
    own = [row.rank for row in board.rows if row.is_own]
    return [row for row in board.rows if any(abs(row.rank - rank) <= reach for rank in own)]


def _standing(
    model: KnownModel, row: LeaderboardRow | None, ranks: Sequence[RankPoint], day: date
) -> OwnStanding:
    earlier = [point for point in ranks if point.day < day]
    last = earlier[-1] if earlier else None
    month = next((point for point in reversed(earlier) if point.day <= day - MONTH), None)
    if month is not None and month.day < day - MONTH - MONTH_SLACK:
        month = None
    return OwnStanding(
        model,
        row,
        change=_won(last, row),
        since=last.day if last else None,
        month_change=_won(month, row),
        month_since=month.day if month else None,
        ranks=tuple(ranks),
    )


def _won(before: RankPoint | None, row: LeaderboardRow | None) -> int | None:
    return before.rank - row.rank if before is not None and row is not None else None
