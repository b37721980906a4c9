from __future__ import annotations

from dataclasses import replace

import pytest

from numebot.core.types import State, Submission
from numebot.steps.journal import Journal
from numebot.steps.tries import MOST, Tries
from tests.fakes import FakeClock, MemoryStore

ALPHA = Submission(8, 1405, "alpha")
BETA = Submission(8, 1405, "beta")


@pytest.fixture
def tries() -> Tries:
    return Tries(FakeClock(), clean=lambda text: text.replace("SECRET", "***"))


def test_attempts_are_kept_by_row_and_taken_once(tries: Tries) -> None:
    tries.add(ALPHA, "HTTP 503 SECRET\x1b[31m", decided="tried again in 5 s", lasted_s=1.234)
    tries.add(BETA, "no answer")
    assert tries.taken(ALPHA) == [
        {
            "at": "2026-11-24T12:00:00+00:00",
            "words": "HTTP 503 ***",
            "decided": "tried again in 5 s",
            "lasted_s": 1.23,
        }
    ]
    assert tries.taken(ALPHA) == []
    assert [one["words"] for one in tries.taken(BETA)] == ["no answer"]


def test_the_same_words_again_are_counted_and_their_number_has_an_end(tries: Tries) -> None:
    for _ in range(3):
        tries.add(ALPHA, "busy")
    assert [(one["words"], one["times"]) for one in tries.taken(ALPHA)] == [("busy", 3)]
    for number in range(3 * MOST):
        tries.add(ALPHA, f"error {number}")
    assert len(tries.taken(ALPHA)) == MOST


def test_what_is_overheard_belongs_to_the_row_at_work(tries: Tries) -> None:
    tries.overheard("nobody is at work")
    with tries.of(ALPHA):
        tries.overheard("HTTP 500 Asked again in 0.7 s.")
    tries.overheard("nobody again")
    assert [one["words"] for one in tries.taken(ALPHA)] == ["HTTP 500 Asked again in 0.7 s."]


def test_the_next_change_takes_them_along_in_the_same_write() -> None:
    store = MemoryStore()
    journal = Journal(store, FakeClock())
    journal.tries.add(ALPHA, "busy")
    after = replace(ALPHA, state=State.FAILED, attempts=1, next_attempt_at=FakeClock().now())
    journal.change(ALPHA, after, "failed: x", lasted_s=2.0)
    (event,) = store.events
    assert [one["words"] for one in event.details["tries"]] == ["busy"]
    assert {name: event.details[name] for name in ("state", "attempts", "next_attempt_at", "lasted_s")} == {
        "state": "failed",
        "attempts": 1,
        "next_attempt_at": "2026-11-24T12:00:00+00:00",
        "lasted_s": 2.0,
    }
    journal.change(after, replace(after, state=State.PENDING), "again")
    assert "tries" not in store.events[1].details
