"""What is open, how much time is left, when to try again. Every decision takes the time as an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from numebot.core.types import Round, RoundState

SKEW_WORTH_A_WORD = timedelta(seconds=30)
"""From here on the difference between our clock and the server's is told to the owner."""


@dataclass(frozen=True)
class ServerClock:
    """The server's time, carried on by our monotonic clock: a wrong or stepping wall clock cannot misdate a round.

    `anchor` is the server's time at the monotonic second `anchor_s`.
    """

    anchor: datetime
    anchor_s: float

    def at(self, monotonic_s: float) -> datetime:
        """Return the server's time at a monotonic second."""
        return self.anchor + timedelta(seconds=monotonic_s - self.anchor_s)


def round_state(round_: Round | None, now: datetime) -> RoundState:
    """Return whether `round_` takes on-time submissions at `now` (the server's time)."""
    if round_ is not None and round_.opens_at <= now < round_.deadline:
        return RoundState.OPEN
    return RoundState.CLOSED


def time_left(round_: Round, now: datetime, *, margin: timedelta) -> timedelta:
    """Return how long we may still begin an upload; zero or less means that it would risk being late."""
    return round_.deadline - margin - now


def next_attempt(now: datetime, attempts: int, last_start: datetime) -> datetime | None:
    """Return when to try again after `attempts` failures, so that a last attempt still fits before `last_start`.

    Waits grow 1, 2, 4, 8 minutes and stay there; a wait that would end behind `last_start` ends right before it.
    None when no attempt fits any more.
    """
    if now >= last_start:
        return None
    wait = timedelta(minutes=min(8, 2 ** max(0, attempts - 1)))
    return min(now + wait, max(now, last_start - timedelta(seconds=1)))


def spoken(duration: timedelta) -> str:
    """Return a duration as a person says it: "47 min", "1 h 05 min", "2 d 3 h"."""
    minutes = int(duration.total_seconds() // 60)
    if minutes < 0:
        return f"-{spoken(-duration)}"
    if minutes < 1:
        return f"{int(duration.total_seconds())} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // (24 * 60)} d {minutes // 60 % 24} h"
