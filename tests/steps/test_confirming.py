from __future__ import annotations

from datetime import timedelta

import pytest

from numebot.core.errors import Rejected, Unavailable
from numebot.core.rounds import ServerClock
from numebot.core.types import AccountModel, ListedSubmission, Round, State, Submission, SubmissionRecord
from numebot.steps.confirming import Confirmer, Watch
from numebot.steps.journal import Journal
from numebot.steps.open_round import OpenRound
from tests.fakes import FakeClock, MemoryStore, ScriptedServer


class Table:
    """A confirmer with everything it touches."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.server = ScriptedServer()
        self.store = MemoryStore()
        now = self.clock.now()
        round_ = Round(8, 1405, now, now + timedelta(hours=1))
        self.open_round = OpenRound(round_, ServerClock(now, 0.0), self.clock, timedelta(minutes=2))
        journal = Journal(self.store, self.clock)
        watch = Watch(timeout_s=30, poll_s=3, records_every_s=15)
        self.confirmer = Confirmer(self.server, journal, self.clock, watch)

    def confirm(self, *rows: Submission) -> dict[str, Submission]:
        return {row.model: row for row in self.confirmer.confirm(rows, self.open_round)}


@pytest.fixture
def table() -> Table:
    return Table()


def submitted(model: str, **changes: object) -> Submission:
    values = {"filename": f"{model}.csv", "submission_id": f"id-{model}", "model_id": f"slot-{model}", **changes}
    return Submission(8, 1405, model, State.SUBMITTED, State.SUBMITTED, **values)


def slot(model: str, status: str, filename: str | None = None) -> AccountModel:
    shown = None if status == "none" else filename or f"{model}.csv"
    listed = ListedSubmission(1405, status, shown and f"id-{model}", shown)
    return AccountModel(f"slot-{model}", model, 8, submissions=(listed,))


def test_all_models_are_confirmed_by_one_question(table: Table) -> None:
    table.server.slots = [slot("alpha", "on-time"), slot("beta", "on-time")]
    rows = table.confirm(submitted("alpha"), submitted("beta"))
    assert {row.state for row in rows.values()} == {State.CONFIRMED}
    assert table.server.asked == 1
    assert table.clock.waited_s == 0


def test_pending_is_waited_for_and_stays_submitted_when_patience_ends(table: Table) -> None:
    table.server.slots = [slot("alpha", "pending"), slot("beta", "on-time")]
    rows = table.confirm(submitted("alpha"), submitted("beta"))
    assert rows["beta"].state is State.CONFIRMED
    assert rows["alpha"].state is State.SUBMITTED
    assert rows["alpha"].error == "not confirmed after 30 s: pending"
    assert rows["alpha"].next_attempt_at is not None


def test_each_model_is_told_its_own_reason(table: Table) -> None:
    table.server.slots = [slot("alpha", "pending"), slot("beta", "brand-new-word")]
    rows = table.confirm(submitted("alpha"), submitted("beta"))
    assert (rows["alpha"].error or "").endswith("pending")
    assert (rows["beta"].error or "").endswith("brand-new-word")


def test_what_numerai_knows_nothing_of_is_sent_again(table: Table) -> None:
    table.server.slots = [slot("alpha", "none")]
    row = table.confirm(submitted("alpha"))["alpha"]
    assert (row.state, row.step, row.filename, row.attempts) == (State.FAILED, State.CHECKED, None, 1)


def test_what_is_known_but_passed_over_is_not_sent_twice(table: Table) -> None:
    table.server.slots = [slot("alpha", "on-time", "older.csv")]
    table.server.records = {"slot-alpha": [SubmissionRecord("id-alpha", "alpha.csv")]}
    row = table.confirm(submitted("alpha"))["alpha"]
    assert (row.state, row.filename) == (State.SUBMITTED, "alpha.csv")
    assert "older.csv" in (row.error or "")


def test_one_model_whose_uploads_cannot_be_read_stops_no_other(table: Table) -> None:
    table.server.slots = [slot("beta", "on-time")]
    table.server.records = {"slot-alpha": Rejected("submissions: Model not found")}
    rows = table.confirm(submitted("alpha"), submitted("beta"))
    assert rows["beta"].state is State.CONFIRMED
    assert rows["alpha"].state is State.SUBMITTED
    assert "Model not found" in (rows["alpha"].error or "")


def test_a_read_back_that_fails_at_first_is_asked_again(table: Table) -> None:
    table.server.slots = [slot("alpha", "on-time")]
    table.server.account_failures = [Unavailable("account: HTTP 503"), Rejected("account: something new")]
    assert table.confirm(submitted("alpha"))["alpha"].state is State.CONFIRMED
    assert table.clock.waited_s == 6


def test_the_first_refusal_is_sent_once_more_and_the_second_is_final(table: Table) -> None:
    words = "invalid_submission_values: submission must not contain NaNs"
    table.server.slots = [slot("alpha", "none")]
    table.server.records = {"slot-alpha": [SubmissionRecord("id-alpha", "alpha.csv", error_info=words)]}
    first = table.confirm(submitted("alpha"))["alpha"]
    assert (first.state, first.step, first.refusals) == (State.FAILED, State.CHECKED, 1)
    table.store.rows.clear()
    second = table.confirm(submitted("alpha", refusals=1))["alpha"]
    assert second.state is State.REJECTED
    assert words in (second.error or "")


def test_late_is_an_ending_of_its_own(table: Table) -> None:
    table.server.slots = [slot("alpha", "late")]
    assert table.confirm(submitted("alpha"))["alpha"].state is State.LATE
