from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.core.openings import (
    DAYS,
    LOOK_EARLY,
    LOOK_LONG,
    Opening,
    is_entered,
    may_open,
    next_opening,
    parse_opening,
)
from numebot.core.types import Round

SATURDAY_18 = parse_opening("Sat 18:00")
WEEK = parse_opening("Tue-Sat 13:00")

moments = st.timedeltas(timedelta(), timedelta(days=700)).map(lambda span: datetime(2026, 1, 1, tzinfo=UTC) + span)
openings = st.builds(
    Opening,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 23),
    st.integers(0, 59),
)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in the week that begins on Monday, 2 November 2026 (day 2)."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def round_at(opens_at: datetime, closes_at: datetime | None = None) -> Round:
    return Round(8, 1400, opens_at, opens_at + timedelta(hours=1), closes_at)


@pytest.mark.parametrize(
    ("text", "days", "time"),
    [
        ("Sat 18:00", {5}, (18, 0)),
        ("Tue-Sat 12:00", {1, 2, 3, 4, 5}, (12, 0)),
        ("Sat-Mon 7:05", {5, 6, 0}, (7, 5)),
        ("Sun-Mon 00:00", {6, 0}, (0, 0)),
        ("Mon-Sun 23:59", set(range(7)), (23, 59)),
        ("Tue-Mon 12:00", set(range(7)), (12, 0)),
        ("wed-WED 12:00", {2}, (12, 0)),
        ("  fri   09:30 ", {4}, (9, 30)),
    ],
)
def test_days_and_times_are_read(text: str, days: set[int], time: tuple[int, int]) -> None:
    opening = parse_opening(text)
    assert (opening.weekdays, (opening.hour, opening.minute)) == (days, time)


@pytest.mark.parametrize(
    "text",
    ["", "Sat", "18:00", "Sat 24:00", "Sat 18:60", "Sat 18", "Sat18:00", "Tue-Sat-Sun 12:00", "Tue- 12:00",
     "Sat 18:00 UTC", "Samstag 18:00", "Sat 18:00\nSun 18:00", "Sat ١٨:00"],
)  # fmt: skip
def test_a_text_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r'is not a day and a time in UTC such as "Sat 18:00" or "Tue-Sat 12:00"'):
        parse_opening(text)


@pytest.mark.parametrize("text", ["Sam 18:00", "Tue-Som 12:00"])
def test_a_day_that_is_none_is_named_with_the_days_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=r'"(Sam|Som)" is not one of Mon, Tue, Wed, Thu, Fri, Sat, Sun'):
        parse_opening(text)


@given(st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_a_range_begins_and_ends_with_its_days(first: str, last: str) -> None:
    weekdays = parse_opening(f"{first}-{last} 12:00").weekdays
    assert {DAYS.index(first), DAYS.index(last)} <= weekdays
    assert len(weekdays) == (DAYS.index(last) - DAYS.index(first)) % 7 + 1


@given(st.lists(openings, min_size=1), moments)
def test_the_next_opening_lies_ahead_within_a_week_and_none_is_skipped(found: list[Opening], now: datetime) -> None:
    coming = next_opening(found, now)
    assert coming is not None
    assert now < coming <= now + timedelta(days=7)
    assert any((coming.hour, coming.minute) == (one.hour, one.minute) for one in found)
    assert any(coming.weekday() in one.weekdays for one in found)
    for one in found:
        on_its_day = now.replace(hour=one.hour, minute=one.minute, second=0, microsecond=0)
        for day in range(8):
            moment = on_its_day + timedelta(days=day)
            assert moment <= now or moment.weekday() not in one.weekdays or coming <= moment


def test_without_openings_none_is_expected() -> None:
    assert next_opening([], at(3, 12)) is None
    assert not may_open([], None, at(3, 12))


@given(st.lists(openings, min_size=1), moments)
def test_a_round_may_open_at_its_time_and_a_good_while_after_it(found: list[Opening], now: datetime) -> None:
    coming = next_opening(found, now)
    assert coming is not None
    for moment in (coming - LOOK_EARLY, coming, coming + LOOK_LONG):
        assert may_open(found, None, moment)


@given(openings, moments)
def test_far_from_every_opening_none_is_looked_for(opening: Opening, now: datetime) -> None:
    before = [now - timedelta(days=day) for day in range(9)]
    last = max(moment for day in before if (moment := next_opening([opening], day)) is not None and moment <= now)
    coming = next_opening([opening], now)
    assert coming is not None
    is_near = now <= last + LOOK_LONG or now >= coming - LOOK_EARLY
    assert may_open([opening], None, now) is is_near


def test_a_day_whose_round_has_opened_is_looked_at_no_more() -> None:
    opened = round_at(at(4, 13, 2))
    assert may_open([WEEK], round_at(at(3, 13)), at(4, 13, 5))
    assert not may_open([WEEK], opened, at(4, 13, 5))
    assert not may_open([WEEK, parse_opening("Tue-Sat 12:00")], opened, at(4, 13, 5))
    assert may_open([WEEK], opened, at(5, 13))


def test_the_servers_own_word_on_the_next_opening_counts_without_any_plan() -> None:
    opened = round_at(at(3, 13), closes_at=at(4, 13))
    assert may_open([], opened, at(4, 12, 58))
    assert may_open([], opened, at(4, 19))
    assert not may_open([], opened, at(4, 12, 57))
    assert not may_open([], opened, at(4, 19, 1))


@pytest.mark.parametrize(
    ("opens_at", "is_played"),
    [(at(6, 13), False), (at(7, 0), True), (at(7, 18), True), (at(8, 0, 20), True), (at(9, 13), False)],
)
def test_weekend_means_saturdays_round_however_late_it_opens(opens_at: datetime, is_played: bool) -> None:
    assert is_entered(round_at(opens_at), "weekend") is is_played
    assert is_entered(round_at(opens_at), "all")
