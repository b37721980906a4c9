from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from numebot.core.due import Missing
from numebot.core.types import Round, State
from numebot.steps.alarms import ALARM, raise_alarms
from tests.fakes import MemoryStore

DEADLINE = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ROUND = Round(8, 1404, DEADLINE - timedelta(hours=1), DEADLINE)
ALPHA = Missing("alpha", State.FAILED, None, "the disk is full")
BETA = Missing("beta", State.REJECTED)


def at(store: MemoryStore, minutes_left: float, *missing: Missing) -> int:
    return raise_alarms(store, ROUND, missing, now=DEADLINE - timedelta(minutes=minutes_left))


def test_each_model_is_named_at_each_time_once() -> None:
    store = MemoryStore()
    new = [at(store, minutes, ALPHA, BETA) for minutes in (31, 30, 29, 15, 14, 6, 5, 1, 0)]
    assert new == [0, 2, 0, 2, 0, 0, 2, 0, 0]
    assert [event.message for event in store.events if event.model == "alpha"] == [
        f"round 1404: alpha is not confirmed {minutes} min before the deadline" for minutes in (30, 15, 5)
    ]


def test_a_machine_that_wakes_up_late_raises_the_newest_alarm_alone() -> None:
    store = MemoryStore()
    assert at(store, 4, ALPHA) == 1
    assert [event.details["minutes"] for event in store.events] == [5]


def test_an_alarm_tells_where_the_model_stands_and_why(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    at(store, 30, ALPHA, BETA)
    first, second = store.events
    assert (first.kind, first.tournament, first.round_number, first.model) == (ALARM, 8, 1404, "alpha")
    assert first.details == {"minutes": 30, "state": "failed", "error": "the disk is full"}
    assert second.details == {"minutes": 30, "state": "rejected", "error": None}
    assert "(it is failed: the disk is full)" in caplog.text
    assert "(it is rejected)" in caplog.text


def test_nothing_missing_is_no_alarm() -> None:
    store = MemoryStore()
    assert at(store, 10) == 0
    assert store.events == []
