from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.core.due import (
    HURRIED_POLL_S,
    Missing,
    alarm_minutes,
    alarm_words,
    is_due,
    missing_in,
    seconds_until_next_look,
)
from numebot.core.types import ModelConfig, Round, State, Submission

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
ALPHA = ModelConfig("alpha", "plugins/mean.py")
BETA = ModelConfig("beta", "plugins/mean.py")


def row(model: str, state: State, next_attempt_at: datetime | None = None) -> Submission:
    return Submission(8, 1404, model, state, next_attempt_at=next_attempt_at, error="why")


def test_models_without_a_row_and_without_an_end_are_missing_in_the_order_of_the_table() -> None:
    later = NOW + timedelta(minutes=1)
    found = missing_in([BETA, ALPHA], [row("alpha", State.FAILED, later), row("gone", State.FAILED)])
    assert found == [Missing("beta", State.PENDING), Missing("alpha", State.FAILED, later, "why")]


@pytest.mark.parametrize("state", list(State))
def test_only_what_numerai_holds_is_not_missing(state: State) -> None:
    is_missing = state not in (State.CONFIRMED, State.LATE, State.QUEUED)
    assert bool(missing_in([ALPHA], [row("alpha", state)])) is is_missing


def test_a_rejected_model_is_missing_and_never_due() -> None:
    (rejected,) = missing_in([ALPHA], [row("alpha", State.REJECTED)])
    assert not rejected.is_due(NOW)


@pytest.mark.parametrize(("next_attempt_at", "due"), [(None, True), (NOW, True), (NOW + timedelta(seconds=1), False)])
def test_what_is_to_be_tried_later_is_not_due(next_attempt_at: datetime | None, due: bool) -> None:
    assert Missing("alpha", State.FAILED, next_attempt_at).is_due(NOW) is due
    assert is_due(row("alpha", State.FAILED, next_attempt_at), NOW) is due
    assert is_due(None, NOW)


@pytest.mark.parametrize(
    ("left_s", "minutes"),
    [(3600, None), (1801, None), (1800, 30), (901, 30), (900, 15), (301, 15), (300, 5), (1, 5), (0, None), (-1, None)],
)
def test_an_alarm_is_due_at_thirty_fifteen_and_five_minutes(left_s: int, minutes: int | None) -> None:
    assert alarm_minutes(timedelta(seconds=left_s)) == minutes


def test_an_alarm_says_which_round_which_model_and_how_long() -> None:
    words = alarm_words(Round(8, 1404, NOW, NOW), Missing("alpha", State.FAILED), 15)
    assert words == "round 1404: alpha is not confirmed 15 min before the deadline"


def look(left: timedelta, *waits: float | None, poll_s: float = 60.0) -> float:
    missing = [Missing("m", State.FAILED, None if wait is None else NOW + timedelta(seconds=wait)) for wait in waits]
    return seconds_until_next_look(NOW, deadline=NOW + left, missing=missing, poll_s=poll_s)


def test_looking_goes_on_until_the_next_attempt_and_no_longer_than_the_poll() -> None:
    hour = timedelta(hours=1)
    assert look(hour) == 60
    assert look(hour, None, 600) == 60
    assert look(hour, 42, 50) == 42
    assert look(hour, 0.01) == 1, "never a busy loop"
    assert look(hour, -5) == 60, "what is due was tried just now"


def test_near_the_deadline_looking_is_hurried() -> None:
    assert look(timedelta(minutes=20)) == HURRIED_POLL_S
    assert look(timedelta(minutes=20), poll_s=5) == 5
    assert look(timedelta(minutes=20, seconds=1)) == 60


@given(st.floats(-100, 10_000), st.lists(st.none() | st.floats(-1e4, 1e4)), st.floats(5, 600))
def test_no_look_is_further_away_than_the_poll_nor_nearer_than_a_second(
    left_s: float, waits: list[float | None], poll_s: float
) -> None:
    assert 1 <= look(timedelta(seconds=left_s), *waits, poll_s=poll_s) <= poll_s
