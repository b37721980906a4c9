"""When a sync is worth its questions: after a scoring, after a payout, on a new day. Every decision takes the time.

Numerai scores once a day at an hour that moves, and says in its pipeline status how far it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from numebot.core.results import Part
from numebot.core.standing import PartMark

RESULTS_CHORE = "results"
"""The name of the daemon's chore that syncs."""
ASK_AGAIN = timedelta(minutes=10)
"""How soon to ask again for a scoring that is late."""
LATE_FOR = timedelta(hours=3)
"""One that is later than this is asked for in the usual rhythm only."""


@dataclass(frozen=True)
class ScoringStatus:
    """How far the scoring of a day is. The `…_expected_at` are by when it is done on nine days of ten."""

    is_scoring_day: bool | None = None
    scored_at: datetime | None = None
    resolved_at: datetime | None = None
    score_expected_at: datetime | None = None
    resolve_expected_at: datetime | None = None
    next_start_at: datetime | None = None


def reason_to_sync(status: ScoringStatus | None, marks: Mapping[Part, PartMark], now: datetime) -> str | None:
    """Return why a sync is due at `now` (the server's time), or None when there can be nothing new.

    `status` is None when the server does not say; then every sync is due.
    """
    landed = {part: mark.landed_at for part, mark in marks.items()}
    failed = [part.value for part in Part if part in marks and marks[part].error is not None]
    never = [part.value for part in Part if landed.get(part) is None]
    if never:
        return f"never read: {', '.join(never)}"
    if failed:
        return f"failed the last time: {', '.join(failed)}"
    oldest = min(at for at in landed.values() if at is not None)
    if oldest.astimezone(UTC).date() != now.astimezone(UTC).date():
        return "nothing was read today"
    if status is None or status.is_scoring_day is None:
        return "it is not known whether something was scored"
    for word, at in (("scored", status.scored_at), ("paid", status.resolved_at)):
        if at is not None and oldest < at <= now:
            return f"rounds were {word} at {at:%H:%M} UTC"
    return None


def next_question(status: ScoringStatus | None, now: datetime, *, every: timedelta) -> datetime:
    """Return when to ask again whether there is something new, at most `every` from now."""
    latest = now + every
    if status is None or not status.is_scoring_day:
        return latest
    for done_at, expected_at in (
        (status.scored_at, status.score_expected_at),
        (status.resolved_at, status.resolve_expected_at),
    ):
        if done_at is None and expected_at is not None and now < expected_at + LATE_FOR:
            return min(latest, max(expected_at, now + ASK_AGAIN))
    if status.next_start_at is not None and status.next_start_at > now:
        return min(latest, status.next_start_at)
    return latest
