from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from numebot.core.results import Part
from numebot.core.scoring import ASK_AGAIN, ScoringStatus, next_question, reason_to_sync
from numebot.core.standing import PartMark

NOW = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERY = 6 * HOUR


def marks(at: datetime, **errors: str) -> dict[Part, PartMark]:
    return {part: PartMark(part, at, errors.get(part.name)) for part in Part}


def test_a_first_sync_and_a_failed_part_are_reasons() -> None:
    quiet = ScoringStatus(is_scoring_day=False)
    assert "never read" in (reason_to_sync(quiet, {}, NOW) or "")
    assert reason_to_sync(quiet, marks(NOW - HOUR, PAYOUTS="HTTP 500"), NOW) == "failed the last time: payouts"
    assert reason_to_sync(quiet, marks(NOW - HOUR), NOW) is None


def test_a_new_day_is_a_reason_also_with_a_clock_that_went_back() -> None:
    quiet = ScoringStatus(is_scoring_day=False)
    assert reason_to_sync(quiet, marks(NOW - 17 * HOUR), NOW) == "nothing was read today"
    assert reason_to_sync(quiet, marks(NOW + 48 * HOUR), NOW) == "nothing was read today"


def test_a_scoring_and_a_payout_since_the_last_sync_are_reasons() -> None:
    scored = ScoringStatus(True, scored_at=NOW - HOUR)
    paid = ScoringStatus(True, scored_at=NOW - 3 * HOUR, resolved_at=NOW - HOUR)
    assert reason_to_sync(scored, marks(NOW - 2 * HOUR), NOW) == "rounds were scored at 15:00 UTC"
    assert reason_to_sync(paid, marks(NOW - 2 * HOUR), NOW) == "rounds were paid at 15:00 UTC"
    assert reason_to_sync(scored, marks(NOW - HOUR / 2), NOW) is None


def test_a_server_that_does_not_say_is_asked_for_everything() -> None:
    for status in (None, ScoringStatus()):
        assert reason_to_sync(status, marks(NOW), NOW) is not None
        assert next_question(status, NOW, every=EVERY) == NOW + EVERY


def test_it_looks_again_when_the_scoring_is_expected_and_soon_while_it_is_late() -> None:
    status = ScoringStatus(True, score_expected_at=NOW + HOUR)
    assert next_question(status, NOW, every=EVERY) == NOW + HOUR
    assert next_question(status, NOW + 2 * HOUR, every=EVERY) == NOW + 2 * HOUR + ASK_AGAIN
    assert next_question(status, NOW + 9 * HOUR, every=EVERY) == NOW + 9 * HOUR + EVERY


def test_after_the_scoring_it_waits_for_the_payouts_and_then_for_the_next_day() -> None:
    scored = ScoringStatus(True, NOW, None, NOW, NOW + HOUR, NOW + 4 * HOUR)
    assert next_question(scored, NOW, every=EVERY) == NOW + HOUR
    paid = ScoringStatus(True, NOW, NOW + HOUR, NOW, NOW + HOUR, NOW + 4 * HOUR)
    assert next_question(paid, NOW + HOUR, every=EVERY) == NOW + 4 * HOUR


times = st.none() | st.integers(-2000, 2000).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(st.booleans(), times, times, times, times, times)
def test_the_next_look_lies_ahead_and_not_too_far(
    day: bool, scored: datetime, paid: datetime, first: datetime, second: datetime, third: datetime
) -> None:
    at = next_question(ScoringStatus(day, scored, paid, first, second, third), NOW, every=EVERY)
    assert NOW < at <= NOW + EVERY
