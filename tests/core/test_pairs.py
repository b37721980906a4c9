from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from numebot.core.pairs import RoundValue, pairs_of

OPENS_AT = datetime(2026, 8, 28, 12, tzinfo=UTC)


def value(number: int, score: float, **changes: object) -> RoundValue:
    opens_at = OPENS_AT + timedelta(days=number)
    return replace(RoundValue(number, "v1", score, True, opens_at, opens_at + timedelta(days=88)), **changes)


def test_only_common_final_rounds_of_the_same_version_count() -> None:
    first = [value(1, 0.1), value(2, 0.2), value(3, 0.3), value(4, 0.4, is_final=False), value(5, 0.5)]
    second = [value(5, 0.1), value(4, 0.1), value(3, 0.1, version="v2"), value(2, 0.3)]
    pairs = pairs_of(first, second, with_running=False)
    assert [pair.round_number for pair in pairs.rows] == [2, 5]
    assert [round(pair.difference, 9) for pair in pairs.rows] == [-0.1, 0.4]
    assert pairs.rows[0].window[1] - pairs.rows[0].window[0] == 88
    running = pairs_of(first, second, with_running=True)
    assert [(pair.round_number, pair.is_final) for pair in running.rows] == [(2, True), (4, False), (5, True)]


def test_the_newest_rounds_are_the_last_ones() -> None:
    rows = [value(number, 0.1) for number in range(9)]
    assert [pair.round_number for pair in pairs_of(rows, rows, with_running=False, last=3).rows] == [6, 7, 8]
    assert len(pairs_of(rows, rows, with_running=False, last=30).rows) == 9


def test_rounds_without_times_are_left_out_and_counted() -> None:
    rows = [value(1, 0.1), value(2, 0.1, opens_at=None), value(3, 0.1, scored_at=None), value(4, 0.1)]
    others = [*rows[:3], value(4, 0.1, opens_at=None, scored_at=None)]
    pairs = pairs_of(rows, others, with_running=False)
    assert [pair.round_number for pair in pairs.rows] == [1, 4]
    assert pairs.undated == 2
    assert pairs_of([], rows, with_running=True).rows == ()
