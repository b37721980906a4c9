from __future__ import annotations

from collections.abc import Callable

import pytest

from numebot.core.errors import LocalTrouble
from numebot.wakeups.work import TICK_S, Work, WorkEnd
from tests.fakes import FakeClock


class ScriptedChild:
    """Ends by itself after `lasts_s` with `code`; writes down what was done to it."""

    def __init__(self, clock: FakeClock, *, lasts_s: float, code: int = 0) -> None:
        self.clock = clock
        self.ends_at_s = clock.monotonic() + lasts_s
        self.code = code
        self.done: list[str] = []

    def wait(self, seconds: float, *, until: Callable[[], bool]) -> int | None:
        end_s = self.clock.monotonic() + seconds
        while self.clock.monotonic() < self.ends_at_s:
            if until() or self.clock.monotonic() >= end_s:
                return None
            self.clock.wait(min(0.1, end_s - self.clock.monotonic()))
        return self.code

    def stop(self, grace_s: float) -> int:
        self.done.append(f"stop {grace_s:g}")
        return -15

    def kill(self) -> int:
        self.done.append("kill")
        return -9


class Shop:
    """Work with one scripted child."""

    def __init__(self, *, lasts_s: float, code: int = 0) -> None:
        self.clock = FakeClock()
        self.child: ScriptedChild | None = None
        self.commands: list[tuple[str, ...]] = []
        self.is_stopping_from_s = float("inf")
        self.ticks_s: list[float] = []
        self._lasts_s, self._code = lasts_s, code
        self.work = Work(
            self._start,
            self.clock,
            stop_s=8,
            is_stopping=lambda: self.clock.monotonic() >= self.is_stopping_from_s,
        )

    def _start(self, arguments: object) -> ScriptedChild:
        self.commands.append(tuple(arguments))  # type: ignore[arg-type]
        self.child = ScriptedChild(self.clock, lasts_s=self._lasts_s, code=self._code)
        return self.child

    def tick(self) -> None:
        self.ticks_s.append(self.clock.monotonic())


@pytest.mark.parametrize(("code", "end"), [(0, WorkEnd.DONE), (1, WorkEnd.FAILED), (-9, WorkEnd.FAILED)])
def test_how_a_command_ended_is_known_by_its_exit_code(code: int, end: WorkEnd) -> None:
    shop = Shop(lasts_s=3, code=code)
    assert shop.work.run(("run",), 60, tick=shop.tick) is end
    assert shop.child is not None
    assert (shop.commands, shop.child.done) == ([("run",)], [])


def test_meanwhile_it_ticks() -> None:
    shop = Shop(lasts_s=35)
    shop.work.run(("run",), 60, tick=shop.tick)
    assert shop.ticks_s == pytest.approx([TICK_S, 2 * TICK_S, 3 * TICK_S])


def test_what_takes_longer_than_its_budget_is_killed() -> None:
    shop = Shop(lasts_s=1e9)
    assert shop.work.run(("run",), 25, tick=shop.tick) is WorkEnd.OVERDUE
    assert shop.clock.monotonic() == pytest.approx(25)
    assert shop.child is not None
    assert shop.child.done == ["kill"]


def test_a_stop_is_polite_first() -> None:
    shop = Shop(lasts_s=1e9)
    shop.is_stopping_from_s = 12
    assert shop.work.run(("run",), 2700, tick=shop.tick) is WorkEnd.STOPPED
    assert shop.clock.monotonic() == pytest.approx(12, abs=0.2)
    assert shop.child is not None
    assert shop.child.done == ["stop 8"]


def test_something_better_to_do_stops_what_gives_way() -> None:
    shop = Shop(lasts_s=1e9)
    end = shop.work.run(("sync",), 600, tick=shop.tick, gives_way=lambda: shop.clock.monotonic() > 3)
    assert end is WorkEnd.STOPPED
    assert shop.child is not None
    assert shop.child.done == ["stop 8"]


def test_nothing_is_begun_when_the_daemon_ends() -> None:
    shop = Shop(lasts_s=1)
    shop.is_stopping_from_s = 0
    assert shop.work.run(("run",), 60, tick=shop.tick) is WorkEnd.STOPPED
    assert shop.commands == []


def test_an_error_in_a_tick_leaves_no_child_behind() -> None:
    shop = Shop(lasts_s=1e9)

    def tick() -> None:
        raise LocalTrouble("database locked")

    with pytest.raises(LocalTrouble):
        shop.work.run(("run",), 60, tick=tick)
    assert shop.child is not None
    assert shop.child.done == ["kill"]
