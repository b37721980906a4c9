"""When a fault strikes, and which one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from numebot.practice.faults.kinds import GET, GET_RANGE, PUT, Fault, Kind
from numebot.practice.faults.switchboard import Faults, Struck

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Hand:
    time = START

    def __call__(self) -> datetime:
        return self.time


def kinds(faults: Faults, *operations: str, requests: int = 1) -> list[Kind | None]:
    return [faults.strike(operations).kind for _ in range(requests)]


def test_nothing_strikes_when_nothing_is_on() -> None:
    assert Faults(now=Hand()).strike(["rounds"]) == Struck()


def test_a_fault_strikes_only_its_operation() -> None:
    faults = Faults([Fault(Kind.RESET, "createSubmission")], now=Hand())
    assert kinds(faults, "rounds") == [None]
    assert kinds(faults, "account", "createSubmission") == [Kind.RESET]


def test_a_fault_without_an_operation_strikes_everything() -> None:
    faults = Faults([Fault(Kind.RESET)], now=Hand())
    assert kinds(faults, "rounds") + kinds(faults, PUT) + kinds(faults, GET) + kinds(faults) == [Kind.RESET] * 4


def test_a_fault_strikes_as_often_as_it_may_after_those_it_lets_pass() -> None:
    faults = Faults([Fault(Kind.RESET, "rounds", times=2, skip=1)], now=Hand())
    assert kinds(faults, "rounds", requests=5) == [None, Kind.RESET, Kind.RESET, None, None]


def test_the_next_fault_follows_when_the_first_is_used_up() -> None:
    faults = Faults([Fault(Kind.RESET, "rounds", times=1), Fault(Kind.HANG, "rounds", times=1)], now=Hand())
    assert kinds(faults, "rounds", requests=3) == [Kind.RESET, Kind.HANG, None]


def test_chance_is_the_same_for_equal_seeds() -> None:
    def row(seed: int) -> list[Kind | None]:
        return kinds(Faults([Fault(Kind.RESET, probability=0.3)], now=Hand(), seed=seed), "rounds", requests=400)

    assert row(1) == row(1) != row(2)
    assert 80 < row(1).count(Kind.RESET) < 160


def test_a_window_counts_from_when_the_fault_was_switched_on() -> None:
    hand = Hand()
    faults = Faults([Fault(Kind.RESET, from_s=60, until_s=120)], now=hand)
    seen = []
    for second in (0, 59, 60, 119, 120):
        hand.time = START + timedelta(seconds=second)
        seen += kinds(faults, "rounds")
    assert seen == [None, None, Kind.RESET, Kind.RESET, None]


def test_slowness_and_skew_go_together_with_another_fault() -> None:
    faults = Faults(
        [Fault(Kind.SLOW, seconds=2), Fault(Kind.RESET), Fault(Kind.HANG), Fault(Kind.CLOCK_SKEW, seconds=-30)],
        now=Hand(),
    )
    struck = faults.strike(["rounds"])
    assert (struck.kind, struck.late_by_s, struck.skew_s) == (Kind.RESET, 2, -30)


@pytest.mark.parametrize(
    ("kind", "operations", "strikes"),
    [
        (Kind.PUT_DROPPED, (PUT,), True),
        (Kind.PUT_DROPPED, (GET,), False),
        (Kind.WRONG_ROUND, (GET, GET_RANGE), True),
        (Kind.IGNORE_RANGE, (GET,), False),
        (Kind.IGNORE_RANGE, (GET, GET_RANGE), True),
        (Kind.DATA_NULL, (PUT,), False),
        (Kind.DATA_NULL, ("rounds",), True),
        (Kind.TRUNCATED, (GET,), True),
        (Kind.TRUNCATED, ("rounds",), True),
    ],
)
def test_a_fault_passes_over_requests_that_it_cannot_happen_to(
    kind: Kind, operations: tuple[str, ...], strikes: bool
) -> None:
    faults = Faults([Fault(kind, times=1)], now=Hand())
    assert kinds(faults, *operations) == [kind if strikes else None]
    assert faults.switched()[0].seen == int(strikes)


def test_the_switchboard_tells_how_often_it_was_asked_and_struck() -> None:
    faults = Faults([Fault(Kind.RESET, "rounds", times=1)], now=Hand())
    kinds(faults, "rounds", requests=3)
    switched = faults.switched()[0]
    assert (switched.seen, switched.struck) == (3, 1)


def test_replacing_and_clearing_take_everything_off() -> None:
    faults = Faults([Fault(Kind.RESET)], now=Hand())
    faults.replace([Fault(Kind.HANG)])
    assert kinds(faults, "rounds") == [Kind.HANG]
    faults.clear()
    assert (kinds(faults, "rounds"), faults.switched()) == ([None], ())
