from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.core.submissions import (
    Verdict,
    are_bytes_lost,
    as_json,
    attempts_made,
    ended,
    failed,
    has_reached,
    inputs_key,
    is_our_upload,
    moved_on,
    started_over,
    upload_name,
    verdict,
)
from numebot.core.types import STEPS, ListedSubmission, State, Submission, SubmissionRecord

NOW = datetime(2026, 11, 24, 12, 10, tzinfo=UTC)
OURS = "rpica_submission_1405-AbCdEf123456.csv"
ROW = Submission(8, 1405, "rpica", State.SUBMITTED, State.SUBMITTED, filename=OURS, submission_id="sub-1")


def listed(status: str, filename: str | None = OURS, round_number: int = 1405) -> ListedSubmission:
    return ListedSubmission(round_number, status, "sub-1", filename)


def record(**changes: object) -> SubmissionRecord:
    return replace(SubmissionRecord("sub-1", OURS), **changes)


def test_only_our_filename_on_time_in_this_round_is_on_time() -> None:
    assert verdict(ROW, [listed("on-time")], [])[0] is Verdict.ON_TIME
    assert verdict(ROW, [listed("on-time", "other-AbCdEf123456.csv")], [])[0] is not Verdict.ON_TIME
    assert verdict(ROW, [listed("on-time", round_number=1404)], [])[0] is Verdict.ABSENT
    assert verdict(ROW, [listed("queued", round_number=1406), listed("late")], [])[0] is Verdict.LATE


@given(st.text())
def test_no_other_status_word_ever_counts_as_on_time(status: str) -> None:
    answer, _ = verdict(ROW, [listed(status)], [])
    assert (answer is Verdict.ON_TIME) == (status == "on-time")


def test_pending_and_unknown_words_mean_waiting() -> None:
    assert verdict(ROW, [listed("pending")], []) == (Verdict.WAITING, "pending")
    assert verdict(ROW, [listed("brand-new-word")], []) == (Verdict.WAITING, "brand-new-word")
    assert verdict(ROW, [], [record()])[0] is Verdict.WAITING


def test_a_refusal_keeps_the_servers_words() -> None:
    words = "invalid_submission_values: submission must not contain NaNs"
    assert verdict(ROW, [], [record(error_info=words)]) == (Verdict.REFUSED, words)
    assert verdict(ROW, [listed("none", None)], [record(status="invalid")]) == (Verdict.REFUSED, "invalid")


def test_another_valid_upload_in_our_place_is_not_ours() -> None:
    answer, words = verdict(ROW, [listed("on-time", "older-AbCdEf123456.csv")], [record()])
    assert answer is Verdict.PASSED_OVER
    assert "older-AbCdEf123456.csv" in words


@pytest.mark.parametrize("records", [[], [record()]])
def test_an_on_time_submission_without_its_filename_is_neither_ours_nor_another_ones(
    records: list[SubmissionRecord],
) -> None:
    answer, words = verdict(ROW, [listed("on-time", None)], records)
    assert (answer, words) == (Verdict.WAITING, "Numerai lists an on-time submission without its filename")


def test_a_refusal_counts_also_beside_a_submission_without_its_filename() -> None:
    assert verdict(ROW, [listed("on-time", None)], [record(error_info="bad ids")]) == (Verdict.REFUSED, "bad ids")


def test_an_upload_that_the_server_never_saw_is_absent_even_beside_a_foreign_one() -> None:
    unsent = replace(ROW, submission_id=None, state=State.UPLOADED, step=State.UPLOADED)
    assert verdict(unsent, [listed("on-time", "foreign-AbCdEf123456.csv")], [])[0] is Verdict.ABSENT


def test_uploads_of_ours_are_recognised_by_name() -> None:
    assert upload_name("rpica", 1405) == "rpica_submission_1405.csv"
    assert is_our_upload(OURS, "rpica", 1405)
    assert not is_our_upload(OURS, "rpica", 1404)
    assert not is_our_upload(OURS, "pica", 1405)
    assert not is_our_upload("predictions-TqMFjDcNB8CX.csv", "rpica", 1405)
    assert not is_our_upload(None, "rpica", 1405)


def test_a_failure_keeps_the_durable_step_and_counts() -> None:
    row = failed(ROW, "the network is down", next_attempt_at=NOW)
    assert (row.state, row.step, row.attempts) == (State.FAILED, State.SUBMITTED, 1)
    assert moved_on(row, State.CONFIRMED, confirmed_at=NOW).error is None


def test_starting_over_forgets_the_upload_but_not_the_attempts() -> None:
    row = started_over(replace(ROW, attempts=3, model_id="m"))
    assert row == Submission(8, 1405, "rpica", model_id="m", attempts=3)


def test_states_that_are_no_steps_and_steps_that_are_no_endings_are_refused() -> None:
    with pytest.raises(ValueError, match="failed is not a step"):
        moved_on(ROW, State.FAILED)
    with pytest.raises(ValueError, match="uploaded is not an ending"):
        ended(ROW, State.UPLOADED)


@given(st.sampled_from(STEPS), st.sampled_from(STEPS))
def test_steps_are_ordered(done: State, asked: State) -> None:
    row = moved_on(ROW, done)
    assert has_reached(row, asked) == (STEPS.index(asked) <= STEPS.index(done))


def test_the_inputs_key_changes_with_every_part() -> None:
    base = inputs_key(round=1405, data="a", code="b", parameters={"depth": 5})
    assert base == inputs_key(data="a", round=1405, parameters={"depth": 5}, code="b")
    assert base != inputs_key(round=1405, data="a", code="b", parameters={"depth": 6})


def test_attempts_count_the_failures_and_the_one_that_led_here() -> None:
    assert attempts_made(Submission(8, 1405, "rpica")) == 0
    assert attempts_made(ROW) == 1
    once_failed = failed(ROW, "x", next_attempt_at=None)
    assert attempts_made(once_failed) == 1
    assert attempts_made(moved_on(once_failed, State.CONFIRMED)) == 2


def test_the_json_form_has_the_documented_fields() -> None:
    names = ["name", "state", "filename", "submission_id", "sha256", "attempts", "fallback", "error"]
    assert list(as_json(ROW)) == names


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("File not found: x.csv was authorized but never uploaded", True),
        ("No such object", True),
        ("The upload does not exist", True),
        ("invalid_submission_ids: Not enough stocks submitted. Is a file missing?", False),
        ("Current round not open for submissions", False),
        ("Model not found", False),
    ],
)
def test_a_lost_file_is_told_from_a_bad_one(words: str, answer: bool) -> None:
    assert are_bytes_lost(words) is answer
