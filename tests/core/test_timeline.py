from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from numebot.core.timeline import Moment, timeline
from numebot.core.types import Event, Round

OPENS_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ROUND = Round(8, 1405, OPENS_AT, OPENS_AT + timedelta(hours=1))


def at(seconds: float) -> datetime:
    return OPENS_AT + timedelta(seconds=seconds)


def event(seconds: float, kind: str, message: str, **details: Any) -> Event:
    return Event(at(seconds), kind, message, 8, 1405, None if kind in ("pass", "wake-up") else "alpha", details)


def between(*events: Event) -> list[Moment]:
    """The moments without those of the round itself."""
    return [one for one in timeline(ROUND, "alpha", events, seen_at=None) if one.kind != "round"]


def test_the_round_frames_what_happened() -> None:
    found = timeline(ROUND, "alpha", [event(5, "state", "confirmed (x.csv)", state="confirmed")], seen_at=at(2))
    assert [one.words for one in found] == [
        "round 1405 opened",
        "numebot heard of the round for the first time",
        "confirmed (x.csv)",
        "deadline",
    ]
    assert found[2].as_json(ROUND) == {
        "at": "2026-11-24T12:00:05+00:00",
        "since_opening_s": 5.0,
        "until_deadline_s": 3595.0,
        "kind": "state",
        "words": "confirmed (x.csv)",
        "decided": None,
        "took_s": None,
        "state": "confirmed",
    }


def test_failed_attempts_inside_a_step_have_lines_of_their_own() -> None:
    tries = [
        {"at": at(3).isoformat(), "words": "HTTP 503", "decided": "tried again in 5 s", "lasted_s": 1.5},
        {"at": at(9).isoformat(), "words": "no answer", "times": 3},
    ]
    first, second, done = between(event(12, "state", "uploaded", state="uploaded", lasted_s=2.0, tries=tries))
    assert first == Moment(at(3), "try", "HTTP 503", "tried again in 5 s", 1.5, "failed")
    assert (second.at, second.words) == (at(9), "no answer (3 times)")
    assert (done.words, done.lasted_s, done.state) == ("uploaded", 2.0, "uploaded")


def test_what_was_decided_is_told_with_its_reason() -> None:
    again = at(200).isoformat()
    failed, last, refused, stood_in = between(
        event(80, "state", "failed: x", state="failed", next_attempt_at=again, attempts=2),
        event(90, "state", "failed: y", state="failed"),
        event(91, "state", "rejected: z", state="rejected"),
        event(92, "state", "predicted", state="predicted", rung="previous", took_s=3),
    )
    assert failed.decided == "looked at again in 2 min, at 12:03:20 (after 2 failed attempts)"
    assert last.decided == "no further attempt fits before the deadline"
    assert "final" in refused.decided
    assert '"previous" took the place' in stood_in.decided
    assert stood_in.lasted_s == 3


def test_passes_name_the_place_in_the_order_and_those_of_others_are_left_out() -> None:
    found = between(
        event(1, "wake-up", "wake-up (hourly look)", missing=["beta"]),
        event(2, "pass", "a pass begins (by hand), 2 to do", models=["beta", "alpha"]),
        event(3, "pass", "a pass begins (by hand), 1 to do", models=["beta"]),
    )
    assert [one.words for one in found] == ["a pass begins (by hand), 2 to do; alpha is number 2 of them"]


def test_beginnings_that_lead_to_nothing_new_stand_once() -> None:
    events = [event(0.5, "state", "waits for the data", state="failed")]
    for minute in range(1, 30):
        events += [event(60 * minute, "wake-up", "wake-up (x)"), event(60 * minute + 1, "pass", "a pass begins")]
    events.append(event(1800, "state", "predicted", state="predicted"))
    found = between(*events)
    assert [one.words for one in found] == ["waits for the data", "wake-up (x)", "a pass begins", "predicted"]
    assert found[1].decided == "the same 28 times more, until 12:29:00"


def test_details_that_are_odd_break_nothing() -> None:
    odd = event(1, "state", "x", state=7, tries="no", took_s="long", next_attempt_at="soon", models=3)
    older = event(2, "state", "y", tries=[{"words": "z", "at": None}, 5])
    assert [one.words for one in between(odd, older)] == ["x", "z", "y"]
