"""What a sync has to ask for: which rounds, which days, which lines of a leaderboard. Every decision takes the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

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


def models_to_read_whole(marks: Mapping[str, ScoreMark | None], now: datetime) -> frozenset[str]:
    """Return the models (by id) whose earlier days are to be read again now.

    They take turns: the days of all rounds of many models are millions of rows, and one day's share of them is enough.
    """
    # A mark from the future tells of a wrong clock, then or now; reading all days is right with either.
    ages = {id: now - mark.complete_at for id, mark in marks.items() if mark is not None}
    never = {id for id, mark in marks.items() if mark is None}
    overdue = {id for id, age in ages.items() if not timedelta(0) <= age < 2 * COMPLETE_EVERY}
    waiting = [id for id, age in ages.items() if id not in overdue and age >= COMPLETE_EVERY]
    share = -(-len(marks) // COMPLETE_EVERY.days)
    turn = sorted(waiting, key=lambda id: (-ages[id], id))[:share]
    return frozenset((*never, *overdue, *turn))


def score_plan(mark: ScoreMark | None, newest_round: int | None, *, full: bool, whole: bool) -> ScorePlan:
    """Return what to ask for a model that was read as far as `mark` says (None: never); `whole` is with all days."""
    if full:
        return ScorePlan(None, all_days=True)
    if mark is None:
        return ScorePlan(FIRST_ROUNDS, all_days=True)
    rounds = rounds_back(newest_round, mark.open_from)
    return ScorePlan(rounds + COMPLETE_SPARE_ROUNDS if whole else rounds, all_days=whole)


def rounds_with_gaps(known: Mapping[SeriesKey, int], newest: Iterable[Score]) -> frozenset[int]:
    """Return the rounds with days missing between what is known (newest day by series) and the newest scores."""
    return frozenset(
        score.round_number
        for score in newest
        if score.day > known.get((score.round_number, score.metric, score.version), 0) + 1
    )


def pages(rounds: Iterable[int], size: int) -> list[tuple[int, int]]:
    """Return first and last round of runs that hold at most `size` of these rounds each, newest first."""
    ordered = sorted(set(rounds), reverse=True)
    runs = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return [(run[-1], run[0]) for run in runs]


def has_missing_day(snapshots: Iterable[date], since: date | None, today: date) -> bool:
    """Say whether a day before `today` has no snapshot, from the day `since` on (None: nothing was ever read)."""
    if since is None:
        return True
    taken = set(snapshots)
    return any(since + timedelta(days=count) not in taken for count in range((today - since).days))


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
