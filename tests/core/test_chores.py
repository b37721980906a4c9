from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from numebot.core.chores import RETRY_AFTER, Chore, LastRun, due_chores

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
BACKUP = Chore("backup", ("db", "backup"), at=time(3, 30))
RESULTS = Chore("results", ("sync",), every=timedelta(hours=6))


def is_due(chore: Chore, last: LastRun | None, now: datetime = NOW) -> bool:
    return due_chores([chore], {} if last is None else {chore.name: last}, now) == [chore]


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def test_what_was_never_done_is_due_in_the_given_order() -> None:
    assert due_chores([BACKUP, RESULTS], {}, NOW) == [BACKUP, RESULTS]


def test_what_is_done_every_so_often_rests_so_long() -> None:
    assert not is_due(RESULTS, LastRun(ago(hours=5, minutes=59), True))
    assert is_due(RESULTS, LastRun(ago(hours=6), True))


def test_what_is_done_once_a_day_is_due_from_its_time_on() -> None:
    yesterday = datetime(2026, 11, 23, 3, 31, tzinfo=UTC)
    before, after = (datetime(2026, 11, 24, 3, minute, tzinfo=UTC) for minute in (29, 30))
    assert not is_due(BACKUP, LastRun(yesterday, True), before)
    assert is_due(BACKUP, LastRun(yesterday, True), after)
    assert not is_due(BACKUP, LastRun(after, True), NOW)


def test_a_machine_that_was_off_at_its_time_does_it_later() -> None:
    assert is_due(BACKUP, LastRun(datetime(2026, 11, 20, 3, 30, tzinfo=UTC), True))


def test_what_failed_rests_half_an_hour_and_is_tried_again() -> None:
    assert not is_due(BACKUP, LastRun(ago(minutes=29), False))
    assert is_due(BACKUP, LastRun(ago(minutes=30), False))
    often = Chore("often", ("x",), every=timedelta(minutes=5))
    assert is_due(often, LastRun(ago(minutes=5), False)), "never rarer than when it succeeds"


def test_a_last_run_in_the_future_is_not_believed() -> None:
    for chore in (BACKUP, RESULTS):
        assert is_due(chore, LastRun(NOW + timedelta(seconds=1), True))


@given(st.times(), st.integers(0, 10_000), st.booleans())
def test_done_now_means_not_due_now_and_due_within_its_time(at: time, minutes: int, is_done: bool) -> None:
    chore = Chore("daily", ("x",), at=at.replace(second=0, microsecond=0))
    last = LastRun(ago(minutes=minutes), is_done)
    assert not is_due(chore, LastRun(NOW, is_done))
    if minutes >= 24 * 60:
        assert is_due(chore, last)
    if not is_done:
        assert is_due(chore, last) is (timedelta(minutes=minutes) >= RETRY_AFTER)


def test_a_chore_that_said_when_it_is_worth_it_again_is_due_then_and_once() -> None:
    hour = timedelta(hours=1)
    last = LastRun(NOW, is_done=True, next_at=NOW + hour)
    assert due_chores([RESULTS], {"results": last}, NOW + hour / 2) == []
    assert due_chores([RESULTS], {"results": last}, NOW + hour) == [RESULTS]
    assert due_chores([RESULTS], {"results": replace(last, at=NOW + hour)}, NOW + 2 * hour) == []
    assert due_chores([RESULTS], {"results": replace(last, next_at=NOW + 90 * hour)}, NOW + 6 * hour) == [RESULTS]
