from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from numebot.core.errors import LocalTrouble
from numebot.wakeups.trainings import Trainings
from tests.wakeups.fakes import Home, at, round_


class Learner:
    """A child that trains until it is told that it is done."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.was_stopped = False

    def wait(self, seconds: float, *, until: Callable[[], bool]) -> int | None:
        return self.code

    def stop(self, grace_s: float) -> int:
        self.was_stopped, self.code = True, -15
        return -15

    def kill(self) -> int:
        return self.stop(0)


class School:
    """A daemon's home that trains, and what it started."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.children: list[Learner] = []
        self.commands: list[Sequence[str]] = []
        self.is_wished = True
        self.trouble: LocalTrouble | None = None
        trainings = Trainings(self._start, home.clock, stop_s=1, is_wished=lambda: self.is_wished)
        home.wake_ups._tools = replace(home.wake_ups._tools, trainings=trainings)

    def _start(self, arguments: Sequence[str]) -> Learner:
        self.commands.append(arguments)
        if self.trouble is not None:
            raise self.trouble
        self.children.append(Learner())
        return self.children[-1]


def test_models_are_trained_between_the_rounds_and_the_rounds_are_still_looked_for() -> None:
    school = School(Home(at(1)))
    for _ in range(3):
        assert school.home.wake_up() > 0
    assert school.commands == [("train", "--due")]
    school.children[0].code = 0
    school.home.wake_up()
    assert len(school.commands) == 1, "an hour has not passed"
    school.home.clock.wait(3600)
    school.home.wake_up()
    assert len(school.commands) == 2


def test_a_training_is_stopped_before_a_round_opens_and_begins_anew_after_it() -> None:
    school = School(Home(at(9), round_()))
    school.home.live_until(at(11, 40))
    running = school.children[-1]
    assert not running.was_stopped
    school.home.live_until(at(11, 56))
    assert running.was_stopped
    before = len(school.commands)
    school.home.live_until(at(13, 5))
    assert school.home.work.names() != []
    assert len(school.commands) == before, "none while a round was near"
    school.home.live_until(at(17))
    assert len(school.commands) > before


def test_nothing_is_started_where_no_model_is_ever_due_or_no_child_can_start() -> None:
    school = School(Home(at(1)))
    school.is_wished = False
    school.home.wake_up()
    assert school.commands == []
    school.is_wished, school.trouble = True, LocalTrouble("no processes left")
    school.home.wake_up()
    assert school.children == []


def test_a_daemon_that_ends_stops_its_training() -> None:
    school = School(Home(at(1)))
    school.home.wake_up()
    school.home.is_stopping = True
    school.home.wake_up()
    assert school.children[0].was_stopped
