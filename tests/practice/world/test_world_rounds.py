"""The practice clock and the calendar of rounds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world_fakes import START, HandClock

from numebot.core.errors import ConfigError
from numebot.practice.clock import PracticeClock
from numebot.practice.numbering import plausible_day, plausible_number, previous_market_day
from numebot.practice.world.rounds import SCORE_DAYS, Calendar, Phase

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def calendar(*, late: timedelta = timedelta()) -> Calendar:
    return Calendar(first_number=1404, first_opens_at=START, window=HOUR, period=DAY, late=late)


def test_the_clock_runs_faster_by_its_speed_and_jumps_ahead() -> None:
    hand = HandClock()
    clock = PracticeClock(hand, speed=60)
    hand.wait(2)
    assert clock.now() == START + timedelta(minutes=2)
    clock.advance(timedelta(hours=5))
    assert clock.now() == START + timedelta(hours=5, minutes=2)


def test_the_clock_never_goes_back() -> None:
    hand = HandClock()
    clock = PracticeClock(hand)
    with pytest.raises(ValueError, match="step back"):
        clock.advance(timedelta(seconds=-1))
    clock.advance_to(START - DAY)
    assert clock.now() == START
    hand.time -= 10 * HOUR
    hand.wait(1)
    assert clock.now() == START + timedelta(seconds=1)


def test_a_clock_that_stands_still_is_refused() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        PracticeClock(HandClock(), speed=0)


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (date(2022, 10, 25), 340),
        (date(2022, 11, 30), 366),
        (date(2026, 8, 8), 1329),
        (date(2026, 8, 28), 1343),
        (date(2026, 11, 21), 1404),
        (date(2026, 11, 22), 1404),
        (date(2026, 11, 23), 1404),
        (date(2026, 11, 24), 1405),
        (date(2026, 11, 26), 1407),
    ],
)
def test_numbers_are_those_of_the_real_calendar(day: date, number: int) -> None:
    assert plausible_number(day) == number
    assert plausible_day(number) <= day < plausible_day(number + 1)


def test_the_datestamp_is_the_market_close_before_the_opening() -> None:
    assert previous_market_day(date(2026, 8, 8)) == date(2026, 8, 7)
    assert previous_market_day(date(2026, 11, 23)) == date(2026, 11, 20)


def test_a_round_goes_through_its_phases_in_order() -> None:
    days = calendar()
    one = days.current(START)
    moments = (START, one.deadline, one.scores_at, one.resolves_at)
    phases = [one.phase(moment) for moment in moments]
    assert phases == [Phase.OPEN, Phase.CLOSED, Phase.RESOLVING, Phase.RESOLVED]
    assert one.phase(one.deadline - timedelta(seconds=1)) is Phase.OPEN


def test_between_windows_the_current_round_is_the_last_opened_one() -> None:
    days = calendar()
    assert days.current(START + 23 * HOUR).number == 1404
    assert days.current(START + DAY).number == 1405


def test_exactly_one_round_lies_ahead_of_the_current_one() -> None:
    listed = calendar().rounds(START + 2 * HOUR)
    assert [one.number for one in listed[:3]] == [1405, 1404, 1403]
    assert [one.phase(START + 2 * HOUR) for one in listed[:2]] == [Phase.UPCOMING, Phase.CLOSED]
    assert listed[-1].phase(START) is Phase.RESOLVED


def test_a_late_opening_slides_the_deadline_but_not_the_next_opening() -> None:
    days = calendar(late=30 * timedelta(minutes=1))
    before = days.round(1404, START + timedelta(minutes=10))
    assert before is not None
    assert (before.opens_at, before.phase(START + timedelta(minutes=10))) == (START, Phase.UPCOMING)
    assert days.current(START + timedelta(minutes=10)).number == 1403
    after = days.current(START + timedelta(minutes=30))
    assert after.number == 1404
    assert after.opens_at == START + timedelta(minutes=30)
    assert after.deadline == START + timedelta(minutes=90)
    assert after.closes_at == START + DAY


def test_scores_come_out_once_a_period_and_end_with_the_resolution() -> None:
    one = calendar().current(START)
    assert one.days_scored(START) == one.days_scored(START + DAY - timedelta(seconds=1)) == 0
    assert one.days_scored(START + DAY) == 1
    assert one.days_scored(one.scores_at) == 4
    assert one.scored_at(4) == one.scores_at
    assert one.scored_at(SCORE_DAYS) == one.resolves_at
    assert one.days_scored(one.resolves_at) == SCORE_DAYS
    assert one.days_scored(one.resolves_at + 9 * DAY) == SCORE_DAYS


@given(minutes=st.integers(0, 400_000), late=st.integers(0, 600))
def test_every_moment_has_one_current_round_that_has_opened(minutes: int, late: int) -> None:
    now = datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC) + timedelta(minutes=minutes)
    days = calendar(late=timedelta(minutes=late))
    current = days.current(now)
    assert current.opens_at <= now < days.next_opening(now)
    upcoming = days.round(current.number + 1, now)
    assert upcoming is not None
    assert upcoming.phase(now) is Phase.UPCOMING
    assert days.round(current.number + 2, now) is None
