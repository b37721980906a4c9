"""When rounds are expected to open. A plan to look often, never a reason to believe that a round is open or is not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from numebot.core.types import Round

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SATURDAY = DAYS.index("Sat")
LOOK_EARLY = timedelta(minutes=2)
"""How long before an expected opening looking often begins: clocks differ."""
LOOK_LONG = timedelta(hours=6)
"""How long after an expected opening a round may still open: 4 h 39 min is the latest on record."""

_FORM = re.compile(r"(?P<first>[A-Za-z]{3})(?:-(?P<last>[A-Za-z]{3}))? +(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")


@dataclass(frozen=True)
class Opening:
    """A time of the day (UTC) on some days of the week (0 is Monday)."""

    weekdays: frozenset[int]
    hour: int
    minute: int


def parse_opening(text: str) -> Opening:
    """Read "Sat 18:00" or "Tue-Sat 12:00"; a range may run over Sunday. Raises: ValueError saying what is allowed."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a day and a time in UTC such as "Sat 18:00" or "Tue-Sat 12:00"')
    first = _weekday(match["first"])
    last = _weekday(match["last"]) if match["last"] else first
    count = (last - first) % 7 + 1
    return Opening(frozenset((first + step) % 7 for step in range(count)), int(match["hour"]), int(match["minute"]))


def _weekday(word: str) -> int:
    try:
        return DAYS.index(word.capitalize())
    except ValueError:
        raise ValueError(f'"{word}" is not one of {", ".join(DAYS)}') from None


def next_opening(openings: Iterable[Opening], after: datetime) -> datetime | None:
    """Return the first expected opening after a moment; None when none is planned."""
    return min((_next(opening, after) for opening in openings), default=None)


def _next(opening: Opening, after: datetime) -> datetime:
    today = after.replace(hour=opening.hour, minute=opening.minute, second=0, microsecond=0)
    moments = (today + timedelta(days=day) for day in range(8))
    return next(moment for moment in moments if moment > after and moment.weekday() in opening.weekdays)


def may_open(openings: Iterable[Opening], newest: Round | None, now: datetime) -> bool:
    """Whether a round may open about now: an expected opening is near, and its day has seen none yet.

    `newest` is the last opened round as far as known; its `closes_at` is the nominal opening of the next one.
    """
    if newest is not None and newest.closes_at is not None and _is_near(newest.closes_at, now):
        return True
    seen_on = newest.opens_at.date() if newest is not None else None
    moments = [_next(opening, now + LOOK_EARLY - timedelta(days=1)) for opening in openings]
    return any(_is_near(moment, now) and moment.date() != seen_on for moment in moments)


def _is_near(moment: datetime, now: datetime) -> bool:
    return moment - LOOK_EARLY <= now <= moment + LOOK_LONG


def is_entered(round_: Round, play: str) -> bool:
    """Whether the owner wants to play a round: "all", or "weekend" for Saturday's, also when it opens on Sunday."""
    return play == "all" or round_.opens_at.weekday() >= SATURDAY


def left_out_reason(play: str) -> str:
    """Return why a round is not entered with this setting of `play`."""
    return f'[schedule] play is "{play}"'
