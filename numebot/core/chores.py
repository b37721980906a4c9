"""What the daemon does beside the rounds: results, backup, tidying up. Rounds always go first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

RETRY_AFTER = timedelta(minutes=30)
"""How long a chore that failed rests."""
KEEP_CLEAR = timedelta(minutes=10)
"""No chore begins so shortly before a round is expected."""


@dataclass(frozen=True)
class Chore:
    """A command that is run every so often, or once a day from a time on (UTC).

    `budget_s` is how long it may take; it is stopped then, and whenever a round wants the machine.
    """

    name: str
    command: tuple[str, ...]
    every: timedelta = timedelta(days=1)
    at: time | None = None
    budget_s: float = 600.0


@dataclass(frozen=True)
class LastRun:
    """When a chore was last begun, and whether it ended well; `next_at` when it said that it would be worth it again.

    What a chore says makes it due earlier than its rhythm does, never later.
    """

    at: datetime
    is_done: bool
    next_at: datetime | None = None


def next_key(name: str) -> str:
    """Return under which key a chore notes when it would be worth it again, as {"at": an ISO time}."""
    return f"next:{name}"


def due_chores(chores: Sequence[Chore], last: Mapping[str, LastRun], now: datetime) -> list[Chore]:
    """Return the chores whose time has come, in order.

    A last run in the future is not believed: the clock was wrong then, or is now.
    """
    return [chore for chore in chores if _is_due(chore, last.get(chore.name), now)]


def _is_due(chore: Chore, last: LastRun | None, now: datetime) -> bool:
    if last is None or last.at > now:
        return True
    if not last.is_done:
        return now >= last.at + min(RETRY_AFTER, chore.every)
    if last.next_at is not None and last.at < last.next_at <= now:
        return True
    if chore.at is None:
        return now >= last.at + chore.every
    return last.at < _newest_moment(chore.at, now)


def _newest_moment(at: time, now: datetime) -> datetime:
    today = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)
