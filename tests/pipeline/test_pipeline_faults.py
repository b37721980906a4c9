"""Faults of the server on the way of a round: the right state, never a false "confirmed", never two submissions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from numebot.core.errors import NumebotError
from numebot.core.types import RoundState, State
from numebot.practice.faults import Fault, Kind

Make = Callable[..., Any]

pytestmark = pytest.mark.sampled(0.25)

PASSING = [
    Fault(Kind.RESET),
    Fault(Kind.STATUS, status=500),
    Fault(Kind.STATUS, status=503, body="<html>busy</html>"),
    Fault(Kind.RETRY_AFTER, seconds=0),
    Fault(Kind.HTML_200),
    Fault(Kind.EMPTY_200),
    Fault(Kind.BAD_JSON),
    Fault(Kind.DATA_NULL),
    Fault(Kind.ERRORS_EMPTY),
    Fault(Kind.TRUNCATED),
    Fault(Kind.HANG),
]
"""Struck once; the second try is healthy."""

AFTER_COMMIT = [
    Fault(Kind.STATUS_AFTER_COMMIT, status=502),
    Fault(Kind.STATUS_AFTER_COMMIT, status=504),
    Fault(Kind.RESET_AFTER_COMMIT),
    Fault(Kind.HANG_AFTER_COMMIT),
    Fault(Kind.TRUNCATED),
    Fault(Kind.DRIP, bytes_per_s=1),
]

OPERATIONS = ["rounds", "account", "listDatasets", "dataset", "get", "submissionUploadAuth", "put", "createSubmission"]


def once(fault: Fault, operation: str, times: int = 1) -> Fault:
    return Fault(**{**vars(fault), "operation": operation, "times": times})


def name(value: object) -> str:
    return f"{value.kind}{f'-{value.status}' if value.status else ''}" if isinstance(value, Fault) else str(value)


@pytest.mark.parametrize("fault", PASSING, ids=name)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_that_passes_costs_at_most_another_run(numebot: Make, fault: Fault, operation: str) -> None:
    bot = numebot()
    bot.server.faults.switch_on(once(fault, operation))
    result = run_until_done(bot, runs=3)
    assert [row.state for row in result.submissions] == [State.CONFIRMED, State.CONFIRMED]
    for row in result.submissions:
        assert [entry.filename for entry in bot.accepted(row.model)] == [row.filename]


@pytest.mark.parametrize("fault", AFTER_COMMIT, ids=name)
def test_a_committed_submission_with_a_lost_answer_is_not_sent_again(numebot: Make, fault: Fault) -> None:
    bot = numebot()
    bot.server.faults.switch_on(once(fault, "createSubmission", times=2))
    result = run_until_done(bot, runs=2)
    for row in result.submissions:
        assert row.state is State.CONFIRMED
        assert len(bot.server.world.submissions_of(row.model)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Kind.STATUS, "put", status=403, body="<Error><Code>AccessDenied</Code></Error>"),
        Fault(Kind.STATUS, "put", status=500),
        Fault(Kind.RESET, "put"),
    ],
    ids=name,
)
def test_an_upload_that_never_succeeds_is_never_turned_into_a_submission(numebot: Make, fault: Fault) -> None:
    bot = numebot()
    bot.server.faults.switch_on(fault)
    result = bot.run()
    assert {row.state for row in result.submissions} == {State.FAILED}
    assert all(row.next_attempt_at is not None for row in result.submissions)
    assert bot.server.world.submissions_of("alpha") == []
    assert not result.is_done


@pytest.mark.parametrize("kind", [Kind.PUT_DROPPED, Kind.PUT_HALF])
def test_bytes_that_the_storage_loses_are_uploaded_again(numebot: Make, kind: Kind) -> None:
    bot = numebot()
    bot.server.faults.switch_on(Fault(kind, "put", times=1))
    result = run_until_done(bot, runs=4)
    assert [row.state for row in result.submissions] == [State.CONFIRMED, State.CONFIRMED]
    assert [len(bot.accepted(model)) for model in ("alpha", "beta")] == [1, 1]


@pytest.mark.parametrize("kind", [Kind.WRONG_ROUND, Kind.SPLICED, Kind.TRUNCATED, Kind.EARLY_CLOSE, Kind.HTML_200])
def test_live_data_that_is_not_this_rounds_reaches_no_model(numebot: Make, kind: Kind) -> None:
    bot = numebot()
    bot.run()
    bot.server.world.advance_to_next_opening()
    bot.server.faults.switch_on(Fault(kind, "get"))
    result = bot.run()
    assert {row.state for row in result.submissions} == {State.FAILED}
    assert all(row.step is State.PENDING and row.error for row in result.submissions)
    bot.server.faults.clear()
    assert bot.run().is_done


def test_a_server_that_cannot_be_asked_is_unknown_and_not_closed(numebot: Make) -> None:
    bot = numebot()
    bot.server.faults.switch_on(Fault(Kind.STATUS, "rounds", status=500))
    result = bot.run()
    assert result.answer.state is RoundState.UNKNOWN
    assert not result.is_done


def test_a_refusal_is_shown_word_for_word_and_not_repeated(numebot: Make) -> None:
    bot = numebot()
    words = "invalid_submission_ids: Not enough stocks submitted. Are you using the latest live ids?"
    bot.server.faults.switch_on(Fault(Kind.SEVERAL_ERRORS, "createSubmission", messages=(words,)))
    result = bot.run()
    assert {row.state for row in result.submissions} == {State.REJECTED}
    assert all(words in row.error for row in result.submissions)
    bot.server.faults.clear()
    assert {row.state for row in bot.run().submissions} == {State.REJECTED}
    assert bot.run(force=True).is_done


def test_a_submission_that_numerai_never_lists_is_never_called_confirmed(numebot: Make) -> None:
    bot = numebot(validation_delay_s=3600)
    result = bot.run("alpha")
    (row,) = result.submissions
    assert row.state is State.SUBMITTED
    assert "not confirmed after" in row.error
    assert not result.is_done
    assert bot.run("alpha").submissions[0].state is State.SUBMITTED
    assert len(bot.server.world.submissions_of("alpha")) == 1


def test_a_slot_that_the_key_may_not_touch_stops_no_other(numebot: Make) -> None:
    bot = numebot()
    words = "You do not have permission to upload to this model"
    bot.server.faults.switch_on(Fault(Kind.SEVERAL_ERRORS, "submissionUploadAuth", messages=(words,), times=1))
    alpha, beta = bot.run().submissions
    assert alpha.state is State.FAILED
    assert words in alpha.error
    assert beta.state is State.CONFIRMED


NOT_OPEN = Fault(Kind.SEVERAL_ERRORS, "createSubmission", messages=("Current round not open for submissions",))


def test_a_round_called_closed_before_its_deadline_is_tried_again(numebot: Make) -> None:
    bot = numebot()
    bot.server.faults.switch_on(once(NOT_OPEN, "createSubmission"))
    (row,) = bot.run("alpha").submissions
    assert (row.state, row.step) == (State.FAILED, State.UPLOADED)
    assert row.next_attempt_at is not None
    assert bot.run("alpha").is_done
    assert len(bot.server.world.submissions_of("alpha")) == 1


def test_a_round_that_stays_closed_is_missed_when_its_deadline_is_over(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.server.faults.switch_on(NOT_OPEN)
    bot.run("alpha")
    bot.server.clock.advance(timedelta(minutes=31))
    bot.run("alpha")
    assert [row.state for row in bot.rows()] == [State.MISSED]


@pytest.mark.parametrize("operation", ["dataset", "listDatasets", "submissionUploadAuth"])
@pytest.mark.parametrize(
    "words", ["Dataset v5.3/live.parquet not found", "Current round not open for submissions", "not authorized"]
)
def test_a_refusal_before_anything_is_submitted_is_no_verdict(numebot: Make, operation: str, words: str) -> None:
    bot = numebot()
    bot.server.faults.switch_on(Fault(Kind.SEVERAL_ERRORS, operation, messages=(words,), times=1))
    states = {row.state for row in bot.run().submissions}
    assert states <= {State.FAILED, State.CONFIRMED}
    assert bot.run().is_done


def test_a_failed_upload_does_not_count_as_a_refusal(numebot: Make) -> None:
    bot = numebot()
    bot.server.faults.switch_on(Fault(Kind.STATUS, "put", status=500, times=3))
    assert [row.state for row in bot.run("alpha").submissions] == [State.FAILED]
    bot.server.faults.switch_on(Fault(Kind.PUT_HALF, "put", times=1))
    assert bot.run("alpha").is_done


def test_a_submission_that_is_pending_at_the_deadline_is_not_called_missed(numebot: Make) -> None:
    bot = numebot(window_minutes=30, validation_delay_s=1900)
    (row,) = bot.run("alpha").submissions
    assert row.state is State.SUBMITTED
    bot.server.clock.advance(timedelta(minutes=30, seconds=30))
    bot.run("alpha")
    assert [row.state for row in bot.rows()] == [State.SUBMITTED]
    bot.server.clock.advance(timedelta(minutes=5))
    bot.run("alpha")
    assert [row.state for row in bot.rows()] == [State.CONFIRMED]


def test_a_replacement_that_fails_does_not_hide_what_numerai_still_counts(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    (first,) = bot.run("alpha").submissions
    bot.server.faults.switch_on(Fault(Kind.STATUS, "put", status=500))
    (failed,) = bot.run("alpha", force=True).submissions
    assert failed.state is State.FAILED
    (again,) = bot.run("alpha").submissions
    assert (again.state, again.filename) == (State.CONFIRMED, first.filename)


def test_a_removed_optional_field_does_not_stop_the_round(numebot: Make) -> None:
    bot = numebot()
    bot.server.faults.switch_on(
        Fault(Kind.UNKNOWN_FIELD, "account", field="computePickleUpload"),
        Fault(Kind.STATUS, "apiTokenInfo", status=500),
    )
    assert bot.run().is_done


def run_until_done(bot: Any, *, runs: int) -> Any:
    """Run as the timer would, again and again; what stops a whole pass is tried again by the next one."""
    for attempt in range(1, runs + 1):
        try:
            result = bot.run()
        except NumebotError:
            if attempt == runs:
                raise
            continue
        if result.is_done or attempt == runs:
            return result
    raise AssertionError("no run")
