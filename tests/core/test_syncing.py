from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from numebot.core.results import ScoreMark
from numebot.core.syncing import has_missing_day, models_to_read_whole, pages

NOW = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@given(st.sets(st.integers(1, 500)), st.integers(1, 20))
def test_pages_hold_every_round_once_and_are_not_too_long(rounds: set[int], size: int) -> None:
    runs = pages(rounds, size)
    held = [sum(first <= number <= last for first, last in runs) for number in rounds]
    assert held == [1] * len(rounds)
    assert all(sum(first <= number <= last for number in rounds) <= size for first, last in runs)


def test_models_are_read_whole_in_turns_and_each_within_a_fortnight() -> None:
    marks: dict[str, ScoreMark | None] = {f"model{number}": ScoreMark(NOW, NOW, None) for number in range(50)}
    largest = 0
    for day in range(1, 60):
        now = NOW + day * DAY
        whole = models_to_read_whole(marks, now)
        largest = max(largest, len(whole))
        marks |= {id: ScoreMark(now, now, None) for id in whole}
        assert all(now - mark.complete_at < 14 * DAY for mark in marks.values() if mark)
    assert 1 <= largest <= 8


def test_a_model_that_was_never_read_and_one_of_a_wrong_clock_do_not_wait() -> None:
    ahead = ScoreMark(NOW, NOW + 30 * DAY, None)
    assert models_to_read_whole({"new": None, "ahead": ahead, "read": ScoreMark(NOW, NOW, 1)}, NOW) == {"new", "ahead"}
    assert models_to_read_whole({}, NOW) == frozenset()


def test_a_day_without_a_snapshot_is_missed_from_the_last_reading_on() -> None:
    first = date(2026, 11, 20)
    days = [first + count * DAY for count in range(5)]
    assert has_missing_day(days, None, first)
    assert not has_missing_day(days, first, days[-1])
    assert not has_missing_day(days, first, days[-1] + DAY)
    assert has_missing_day(days, first, days[-1] + 2 * DAY)
    assert has_missing_day([days[0], days[2]], first, days[3])
    assert not has_missing_day(days, first + 9 * DAY, first)
