from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.core.rounds import ServerClock, next_attempt, round_state, spoken, time_left
from numebot.core.types import Round, RoundState

OPENS = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ROUND = Round(8, 1405, OPENS, OPENS + timedelta(hours=1))
SHARED_DATA = Path(os.environ.get("NUMEBOT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


def test_a_round_is_open_from_its_opening_until_just_before_its_deadline() -> None:
    second = timedelta(seconds=1)
    assert round_state(ROUND, OPENS - second) is RoundState.CLOSED
    assert round_state(ROUND, OPENS) is RoundState.OPEN
    assert round_state(ROUND, ROUND.deadline - second) is RoundState.OPEN
    assert round_state(ROUND, ROUND.deadline) is RoundState.CLOSED
    assert round_state(None, OPENS) is RoundState.CLOSED


def test_the_margin_shortens_the_time_that_is_left() -> None:
    left = time_left(ROUND, OPENS + timedelta(minutes=50), margin=timedelta(minutes=2))
    assert left == timedelta(minutes=8)


def test_server_time_goes_on_with_the_monotonic_clock() -> None:
    clock = ServerClock(anchor=OPENS, anchor_s=100.0)
    assert clock.at(160.0) == OPENS + timedelta(minutes=1)


@given(
    attempts=st.integers(1, 50),
    minutes_left=st.floats(0.1, 2000, allow_nan=False),
)
def test_a_last_attempt_always_fits_before_the_last_start(attempts: int, minutes_left: float) -> None:
    last_start = OPENS + timedelta(minutes=minutes_left)
    planned = next_attempt(OPENS, attempts, last_start)
    assert planned is not None
    assert OPENS <= planned < last_start
    assert planned - OPENS <= timedelta(minutes=8)


def test_no_attempt_is_planned_after_the_last_start() -> None:
    assert next_attempt(OPENS, 1, OPENS) is None
    assert next_attempt(OPENS, 1, OPENS - timedelta(hours=1)) is None


def test_waits_grow_and_stay() -> None:
    far = OPENS + timedelta(days=2)
    waits = [(next_attempt(OPENS, attempts, far) or OPENS) - OPENS for attempts in (1, 2, 3, 4, 5)]
    assert [wait.total_seconds() / 60 for wait in waits] == [1, 2, 4, 8, 8]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(42, "42 s"), (47 * 60, "47 min"), (3900, "1 h 05 min"), (51 * 3600, "2 d 3 h"), (-300, "-5 min")],
)
def test_durations_are_spoken_as_a_person_would(seconds: int, words: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == words


def test_late_openings_of_the_real_calendar_slide_the_deadline_and_stay_open() -> None:
    file = SHARED_DATA / "api-jos1977" / "rounds.parquet"
    if not file.exists():
        pytest.skip(f"{file} is not there; set NUMEBOT_SHARED_DATA to a folder with the real round history")
    history = pd.read_parquet(file)
    columns = ["openTime", "closeStakingTime"]
    times = history[columns].apply(lambda column: pd.to_datetime(column, format="%m/%d/%Y %H:%M:%S", utc=True))
    rounds = [
        Round(8, int(number), opens.to_pydatetime(), deadline.to_pydatetime())
        for number, opens, deadline in zip(history["number"], times["openTime"], times["closeStakingTime"], strict=True)
    ]
    assert len(rounds) == 215
    late = [round_ for round_ in rounds if round_.opens_at.second and round_.number > 340]
    assert len(late) > 10
    for round_ in rounds:
        assert round_state(round_, round_.opens_at) is RoundState.OPEN
        assert round_state(round_, round_.deadline) is RoundState.CLOSED
        assert time_left(round_, round_.opens_at, margin=timedelta(minutes=2)) >= timedelta(minutes=57)
