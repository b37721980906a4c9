from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from numebot.core.errors import CheckFailed, NotReady, PluginError, Rejected, RoundClosed, Unavailable
from numebot.core.order import UPLOAD_TAKES
from numebot.core.rounds import ServerClock
from numebot.core.types import Round, State, Submission
from numebot.steps.journal import Journal
from numebot.steps.open_round import OpenRound
from tests.fakes import FakeClock, MemoryStore

PENDING = Submission(8, 1405, "alpha")
MARGIN = timedelta(minutes=2)


class Desk:
    """A journal with everything it touches: a round of an hour that has just opened."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.journal = Journal(self.store, self.clock, clean=lambda text: text.replace("SECRET", "***"))
        now = self.clock.now()
        self.deadline = now + timedelta(hours=1)
        self.open_round = OpenRound(Round(8, 1405, now, self.deadline), ServerClock(now, 0.0), self.clock, MARGIN)

    def fail(self, error: Exception, row: Submission = PENDING, *, run_minutes: float = 0) -> Submission:
        return self.journal.fail(row, error, self.open_round, run=timedelta(minutes=run_minutes))

    def spare(self, row: Submission) -> timedelta:
        """How long before the deadline the next attempt of a row begins."""
        assert row.next_attempt_at is not None
        return self.deadline - row.next_attempt_at


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_data_that_are_not_ready_use_up_no_attempt_and_are_looked_for_in_a_minute(desk: Desk) -> None:
    row = desk.fail(NotReady("still the data of round 1404"))
    assert (row.state, row.step, row.attempts, row.plugin_failures) == (State.FAILED, State.PENDING, 0, 0)
    assert row.next_attempt_at == desk.clock.now() + timedelta(minutes=1)
    assert [event.message for event in desk.store.events] == ["waits for the data: still the data of round 1404"]


def test_waiting_for_data_is_told_once_and_goes_on_quietly(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    row = desk.fail(NotReady("still the data of SECRET"))
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        for _ in range(30):
            desk.clock.wait(60)
            row = desk.fail(NotReady("still the data of SECRET"), row)
            assert row.next_attempt_at == desk.clock.now() + timedelta(minutes=1)
            assert row.updated_at == desk.clock.now()
    assert (row.attempts, row.error, len(desk.store.events), caplog.text) == (0, "still the data of ***", 1, "")
    desk.fail(NotReady("HTTP 404"), row)
    assert [event.message for event in desk.store.events][1:] == ["waits for the data: HTTP 404"]


def test_waiting_forgets_a_plugin_that_ran_before(desk: Desk) -> None:
    assert desk.fail(NotReady("late"), Submission(8, 1405, "alpha", begun_at=desk.clock.now())).begun_at is None


@pytest.mark.parametrize(
    ("error", "failures"), [(PluginError("x"), 1), (CheckFailed("x"), 1), (Unavailable("x"), 0), (RoundClosed("x"), 0)]
)
def test_what_is_the_models_own_fault_is_counted_apart(desk: Desk, error: Exception, failures: int) -> None:
    row = desk.fail(error)
    assert (row.state, row.attempts, row.plugin_failures) == (State.FAILED, 1, failures)


def test_a_refusal_and_a_deadline_that_is_over_are_endings(desk: Desk) -> None:
    assert desk.fail(Rejected("no")).state is State.REJECTED
    desk.store.rows.clear()
    desk.clock.wait(58 * 60)
    assert desk.fail(RoundClosed("over")).state is State.MISSED


def test_waits_grow_while_there_is_time(desk: Desk) -> None:
    row, waits = PENDING, []
    for _ in range(5):
        row = desk.fail(PluginError("x"), row)
        assert row.next_attempt_at is not None
        waits.append((row.next_attempt_at - desk.clock.now()).total_seconds() / 60)
    assert waits == [1, 2, 4, 8, 8]


def test_the_last_attempt_begins_so_early_that_its_run_still_fits(desk: Desk) -> None:
    desk.clock.wait(40 * 60)
    row = desk.fail(PluginError("x"), Submission(8, 1405, "alpha", attempts=5), run_minutes=10)
    assert desk.spare(row) == timedelta(minutes=10) + UPLOAD_TAKES + MARGIN + timedelta(seconds=1)


def test_an_attempt_that_may_not_fit_any_more_is_made_all_the_same(desk: Desk) -> None:
    desk.clock.wait(50 * 60)
    row = desk.fail(PluginError("x"), Submission(8, 1405, "alpha", attempts=1), run_minutes=10)
    assert row.next_attempt_at == desk.clock.now() + timedelta(minutes=2)
    late = desk.fail(PluginError("x"), Submission(8, 1405, "beta", attempts=5), run_minutes=10)
    assert desk.spare(late) == MARGIN + timedelta(seconds=1)


def test_when_not_even_an_upload_fits_none_is_planned(desk: Desk) -> None:
    desk.clock.wait(58 * 60)
    assert desk.fail(Unavailable("x")).next_attempt_at is None
