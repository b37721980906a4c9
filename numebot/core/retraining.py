"""When a model is trained anew: by a calendar, after some rounds, or for a new data version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from numebot.core.openings import DAYS

ALLOWED = 'never, new-version, "after 20 rounds", or a time in UTC as cron writes it, such as "0 3 * * sun"'
MOST_DAYS_BACK = 366
_SPANS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PART = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/([1-9]\d?))?", re.ASCII)
_AFTER = re.compile(r"after ([1-9]\d{0,4}) rounds?")


@dataclass(frozen=True)
class Cron:
    """Minutes, hours, days of the month, months and days of the week (0 Sunday) at which something is due, in UTC."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_either_day: bool = False
    """Both kinds of days were named: as with cron, one of them suffices."""

    def newest(self, now: datetime) -> datetime | None:
        """Return the newest moment up to `now`, at most a year back."""
        for back in range(MOST_DAYS_BACK + 1):
            day = (now - timedelta(days=back)).replace(hour=0, minute=0, second=0, microsecond=0)
            if not self._has(day):
                continue
            for hour in sorted(self.hours, reverse=True):
                for minute in sorted(self.minutes, reverse=True):
                    moment = day.replace(hour=hour, minute=minute)
                    if moment <= now:
                        return moment
        return None

    def _has(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return of_month or of_week if self.is_either_day else of_month and of_week


@dataclass(frozen=True)
class Retraining:
    """What makes a model due; nothing of it: never."""

    cron: Cron | None = None
    rounds: int = 0
    on_new_version: bool = False

    @property
    def is_never(self) -> bool:
        """Whether it is trained by hand alone."""
        return self == Retraining()


@dataclass(frozen=True)
class Trained:
    """When a model was last trained, or that was tried; the round and the data version at that time, where known."""

    at: datetime
    round_number: int | None = None
    data_version: str = ""


def parse_retraining(text: str) -> Retraining:
    """Read a setting or a cell. Raises: ValueError."""
    words = " ".join(text.lower().split())
    if words in ("", "never"):
        return Retraining()
    if words == "new-version":
        return Retraining(on_new_version=True)
    if after := _AFTER.fullmatch(words):
        return Retraining(rounds=int(after[1]))
    parts = words.split()
    if len(parts) != len(_SPANS):
        raise ValueError(f'"{text}" is no time to train. Allowed: {ALLOWED}.')
    try:
        minutes, hours, days, months, weekdays = (
            _numbers(part, *span) for part, span in zip(parts, _SPANS, strict=True)
        )
    except ValueError as error:
        raise ValueError(f'"{text}": {error}. Allowed: {ALLOWED}.') from error
    is_either_day = not parts[2].startswith("*") and not parts[4].startswith("*")
    cron = Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), is_either_day)
    return Retraining(cron=cron)


def reason_to_train(
    rule: Retraining, last: Trained | None, *, now: datetime, round_number: int | None, data_version: str
) -> str | None:
    """Return why a model is due, in words; None when it is not. What was never trained is due by any rule."""
    if rule.is_never:
        return None
    if last is None:
        return "it was never trained"
    if rule.on_new_version and data_version and last.data_version != data_version:
        return f"there is a new data version, {data_version}"
    if rule.rounds and round_number is not None and last.round_number is not None:
        passed = round_number - last.round_number
        return f"{passed} rounds have passed" if passed >= rule.rounds else None
    moment = rule.cron.newest(now) if rule.cron else None
    return f"its time was {moment:%a %Y-%m-%d %H:%M} UTC" if moment is not None and last.at < moment else None


def _numbers(part: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for piece in part.split(","):
        match = _PART.fullmatch(piece)
        if match is None:
            raise ValueError(f'"{piece}" is not understood')
        whole, first, last, step = match.groups()
        start, stop = (low, high) if whole == "*" else (_number(first), _number(last or first))
        if step and whole != "*" and last is None:
            stop = high
        if not low <= start <= stop <= high:
            raise ValueError(f'"{piece}" is not within {low} to {high}')
        found |= set(range(start, stop + 1, int(step or 1)))
    return frozenset(found)


def _number(word: str) -> int:
    names = [day.lower() for day in DAYS]
    if word in names:
        return (names.index(word) + 1) % 7
    if not word.isdecimal():
        raise ValueError(f'"{word}" is not understood')
    return int(word)
