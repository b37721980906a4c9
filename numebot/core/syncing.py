"""What a sync has to ask for: which rounds, which days, which lines of a leaderboard. Every decision takes the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from numebot.core.results import LeaderboardRow, Score, ScoreMark
from numebot.core.types import ListedSubmission

FIRST_ROUNDS = 90
"""Rounds to read on the first day: some 64 are in flight, the others have just resolved."""
MOST_ROUNDS = 200
"""Rounds that a sync goes back at most: one that never resolves must not make all of them long."""
SPARE_ROUNDS = 2
"""Read more than needed, since a round may open during the sync."""
COMPLETE_EVERY = timedelta(days=7)
"""How often earlier days are read again: Numerai re-scores."""
COMPLETE_SPARE_ROUNDS = 10
"""Rounds that may have become final since they were read completely."""

SeriesKey = tuple[int, str, str]
"""Round number, metric, version: the daily values of one model that belong together."""


@dataclass(frozen=True)
class ScorePlan:
    """What to ask of one model's scores. `last_rounds` None means all there are."""

    last_rounds: int | None
    all_days: bool


def rounds_back(newest: int | None, oldest: int | None) -> int:
    """Return how many of the last rounds to ask for, so that `oldest` is among them when `newest` is the current."""
    if newest is None or oldest is None:
        return FIRST_ROUNDS
    return max(1, min(MOST_ROUNDS, newest - oldest + 1 + SPARE_ROUNDS))


def score_plan(mark: ScoreMark | None, newest_round: int | None, now: datetime, *, full: bool) -> ScorePlan:
    """Return what to ask for a model that was read as far as `mark` says (None: never)."""
    if full:
        return ScorePlan(None, all_days=True)
    if mark is None:
        return ScorePlan(FIRST_ROUNDS, all_days=True)
    # A mark from the future tells of a wrong clock, then or now; reading all days is right with either.
    age = now - mark.complete_at
    is_old = not timedelta(0) <= age < COMPLETE_EVERY
    rounds = rounds_back(newest_round, mark.open_from)
    return ScorePlan(rounds + COMPLETE_SPARE_ROUNDS if is_old else rounds, all_days=is_old)


def leaves_a_gap(known: Mapping[SeriesKey, int], newest: Iterable[Score]) -> bool:
    """Say whether days are missing between what is known (newest day by series) and the newest scores."""
    return any(
        score.day > known.get((score.round_number, score.metric, score.version), 0) + 1 for score in newest
    )


def kept_rows(
    board: Sequence[LeaderboardRow], own_ids: Iterable[str], own_names: Iterable[str], *, top: int, neighbours: int
) -> list[LeaderboardRow]:
    """Return the lines of a snapshot, by rank: the own models, `neighbours` on both sides of each, and the `top`."""
    ids, names = set(own_ids), set(own_names)
    ranked = sorted(board, key=lambda row: row.rank)
    marked = [replace(row, is_own=_is_own(row, ids, names)) for row in ranked]
    kept = set(range(min(top, len(marked))))
    for place, row in enumerate(marked):
        if row.is_own:
            kept |= set(range(max(0, place - neighbours), min(len(marked), place + neighbours + 1)))
    return [marked[place] for place in sorted(kept)]


def _is_own(row: LeaderboardRow, ids: set[str], names: set[str]) -> bool:
    """Whether a line is ours. Names are unique within a tournament, and a board is of one tournament."""
    return row.model_id in ids or row.model in names


_WEIGHT = {"on-time": 0, "late": 1, "queued": 2, "pending": 3}


def one_per_round(listed: Iterable[ListedSubmission]) -> list[ListedSubmission]:
    """Return the line that counts of each round: on-time before late before queued; unknown words before none."""
    best: dict[int, ListedSubmission] = {}
    for row in listed:
        known = best.get(row.round_number)
        if known is None or _weight(row) < _weight(known):
            best[row.round_number] = row
    return list(best.values())


def _weight(row: ListedSubmission) -> int:
    return _WEIGHT.get(row.status, 5 if row.status == "none" else 4)
