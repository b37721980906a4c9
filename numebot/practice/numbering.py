"""Numbers of rounds and the days they open on: five rounds a week since the first daily one, Tuesday to Saturday."""

from __future__ import annotations

from datetime import date, timedelta

ROUNDS_A_WEEK = 5

_FIRST_DAILY_ROUND, _FIRST_DAILY_DAY = 340, date(2022, 10, 25)


def plausible_number(day: date) -> int:
    """Return the number that a round of `day` has by this count; on Sundays and Mondays it is Saturday's round."""
    weeks, days = divmod((day - _FIRST_DAILY_DAY).days, 7)
    return _FIRST_DAILY_ROUND + ROUNDS_A_WEEK * weeks + min(days, ROUNDS_A_WEEK - 1)


def plausible_day(number: int) -> date:
    """Return the day that a round opens on by this count."""
    weeks, place = divmod(number - _FIRST_DAILY_ROUND, ROUNDS_A_WEEK)
    return _FIRST_DAILY_DAY + timedelta(weeks=weeks, days=place)


def previous_market_day(day: date) -> date:
    """Return the last weekday before `day`: the market close whose data its round uses."""
    previous = day - timedelta(days=1)
    while previous.weekday() >= 5:
        previous -= timedelta(days=1)
    return previous
