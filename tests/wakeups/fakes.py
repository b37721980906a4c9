"""Small working doubles for wake-ups: a server, a store, children and a sleepy machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from numebot.core.chores import Chore
from numebot.core.errors import LocalTrouble
from numebot.core.openings import Opening, parse_opening
from numebot.core.rounds import round_state
from numebot.core.submissions import ENDINGS
from numebot.core.types import Event, ModelConfig, Round, RoundAnswer, RoundState, State, Submission
from numebot.wakeups import Lookout, WakeUps, WakeUpTools
from numebot.wakeups.wakeups import Rhythm
from numebot.wakeups.work import WorkEnd
from tests.fakes import FakeClock

CLASSIC = 8
TUESDAY = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
OPENINGS = tuple(parse_opening(text) for text in ("Tue-Sat 12:00", "Tue-Sat 13:00", "Sat 18:00"))


def round_(
    number: int = 1404, opens_at: datetime = TUESDAY, *, minutes: float = 60, tournament: int = CLASSIC
) -> Round:
    deadline = opens_at + timedelta(minutes=minutes)
    return Round(tournament, number, opens_at, deadline, closes_at=opens_at + timedelta(days=1))


def at(hour: int, minute: int = 0, second: int = 0, *, day: int = 24) -> datetime:
    """A moment of November 2026; the 24th is a Tuesday."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


class Server:
    """Knows rounds and answers by the clock; while `is_up` is False it answers nothing."""

    def __init__(self, clock: FakeClock, *rounds: Round) -> None:
        self.clock = clock
        self.rounds = list(rounds)
        self.is_up = True
        self.ahead = timedelta()
        self.asked = 0

    def current_round(self, tournament: int) -> RoundAnswer:
        self.asked += 1
        if not self.is_up:
            return RoundAnswer(RoundState.UNKNOWN, None, reason="connection refused")
        now = self.clock.now() + self.ahead
        opened = [one for one in self.rounds if one.opens_at <= now and one.tournament == tournament]
        newest = max(opened, key=lambda one: one.number, default=None)
        return RoundAnswer(round_state(newest, now), newest, now)


class Nets:
    """The rows of uploads after a deadline."""

    def __init__(self) -> None:
        self.rows: list[Submission] = []

    def of_round(self, tournament: int, round_number: int) -> list[Submission]:
        return [row for row in self.rows if (row.tournament, row.round_number) == (tournament, round_number)]


class Store:
    """Rounds, rows, timeline and notes in memory. `troubles` are raised by the next calls that read rows."""

    def __init__(self) -> None:
        self.nets = Nets()
        self.rounds: dict[tuple[int, int], Round] = {}
        self.seen: dict[tuple[int, int], datetime] = {}
        self.rows: dict[tuple[int, int, str], Submission] = {}
        self.timeline: list[Event] = []
        self.notes: dict[str, Mapping[str, Any]] = {}
        self.writes = 0
        self.troubles: list[LocalTrouble] = []

    def newest_round(self, tournament: int) -> Round | None:
        mine = [one for one in self.rounds.values() if one.tournament == tournament]
        return max(mine, key=lambda one: one.number, default=None)

    def first_seen(self, tournament: int, number: int) -> datetime | None:
        return self.seen.get((tournament, number))

    def begin_submission(self, submission: Submission, *, now: datetime) -> Submission:
        key = (submission.tournament, submission.round_number, submission.model)
        return self.rows.setdefault(key, submission)

    def change(self, before: Submission, after: Submission, event: Event | None) -> Submission:
        self.put(after)
        if event is not None:
            self.record(event)
        return after

    def remember_round(self, round_: Round, *, now: datetime) -> None:
        self.writes += 1
        self.seen.setdefault((round_.tournament, round_.number), now)
        self.rounds[round_.tournament, round_.number] = round_

    def submissions(self, tournament: int, round_number: int) -> list[Submission]:
        if self.troubles:
            raise self.troubles.pop(0)
        return [row for key, row in self.rows.items() if key[:2] == (tournament, round_number)]

    def unfinished(self, tournament: int) -> list[Submission]:
        return [row for key, row in self.rows.items() if key[0] == tournament and row.state not in ENDINGS]

    def put(self, row: Submission) -> None:
        self.rows[row.tournament, row.round_number, row.model] = row

    def record(self, event: Event) -> None:
        self.timeline.append(event)

    def record_once(self, event: Event) -> bool:
        if any((one.kind, one.message) == (event.kind, event.message) for one in self.timeline):
            return False
        self.record(event)
        return True

    def note(self, key: str, value: Mapping[str, object]) -> None:
        self.notes[key] = dict(value)

    def noted(self, key: str) -> Mapping[str, Any] | None:
        return self.notes.get(key)

    def words(self, kind: str) -> list[str]:
        return [event.message for event in self.timeline if event.kind == kind]


class Awake:
    """Writes down when the machine is kept from sleeping."""

    def __init__(self) -> None:
        self.is_held = False
        self.changes: list[bool] = []

    def hold(self) -> None:
        self._set(True)

    def release(self) -> None:
        self._set(False)

    def _set(self, is_held: bool) -> None:
        if self.is_held is not is_held:
            self.is_held = is_held
            self.changes.append(is_held)


class Workers:
    """Stands for `Work`: each command takes its time, `tick`ing, and does what the test says it does.

    `takes_s` is for how long the next pass runs; one that needs more than its budget is killed. `effect` is what a pass
    that comes to its end does. `ends` say how each command ends, by its first word.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.takes_s: dict[str, float] = {}
        self.ends: dict[str, WorkEnd | LocalTrouble] = {}
        self.effect: Callable[[], None] = lambda: None
        self.begun: list[tuple[str, ...]] = []
        self.at: list[datetime] = []
        self.budgets_s: list[float] = []

    def run(
        self,
        arguments: Sequence[str],
        budget_s: float,
        *,
        tick: Callable[[], None],
        gives_way: Callable[[], bool] = lambda: False,
    ) -> WorkEnd:
        what = arguments[0]
        end = self.ends.get(what, WorkEnd.DONE)
        self.begun.append(tuple(arguments))
        self.at.append(self.clock.now())
        self.budgets_s.append(budget_s)
        if isinstance(end, LocalTrouble):
            raise end
        left_s, used_s = self.takes_s.get(what, 1.0), 0.0
        while left_s > 0:
            step_s = min(10.0, left_s)
            self.clock.wait(step_s)
            used_s, left_s = used_s + step_s, left_s - step_s
            if used_s >= budget_s:
                return WorkEnd.OVERDUE
            if gives_way():
                return WorkEnd.STOPPED
            tick()
        if what == "run" and end is WorkEnd.DONE:
            self.effect()
        return end

    def names(self) -> list[str]:
        return [" ".join(arguments[:2] if arguments[0] == "db" else arguments[:1]) for arguments in self.begun]


class Home:
    """A daemon's work with everything around it faked, and a clock that moves when somebody waits."""

    def __init__(
        self,
        start: datetime,
        *rounds: Round,
        models: Sequence[str] = ("alpha", "beta"),
        chores: Sequence[Chore] = (),
        openings: Sequence[Opening] = OPENINGS,
        play: str = "all",
        has_net: bool = False,
    ) -> None:
        self.clock = FakeClock(start)
        self.server = Server(self.clock, *rounds)
        self.store = Store()
        self.work = Workers(self.clock)
        self.awake = Awake()
        self.configs: list[ModelConfig] = [ModelConfig(name, "models.x") for name in models]
        self.table_trouble: Exception | None = None
        self.is_wanted = False
        self.is_stopping = False
        self.signs = 0
        self.waits: list[float] = []
        self.lookout = Lookout(self.server, self.store, self.clock, play=play, has_net=has_net)
        self.work.effect = self.confirm_all
        tools = WakeUpTools(
            lookout=self.lookout,
            store=self.store,
            work=self.work,  # type: ignore[arg-type]
            clock=self.clock,
            awake=self.awake,
            configs=self._configs,
            tournaments=(CLASSIC,),
            rhythm=Rhythm(openings=tuple(openings)),
            chores=chores,
            sign_of_life=self._sign,
            is_wanted=lambda: self.is_wanted or self.is_stopping,
            is_stopping=lambda: self.is_stopping,
        )
        self.wake_ups = WakeUps(tools, pid=1, started_at=start)

    def _configs(self) -> list[ModelConfig]:
        if self.table_trouble is not None:
            raise self.table_trouble
        return self.configs

    def _sign(self) -> None:
        self.signs += 1

    def confirm_all(self) -> None:
        """What a good pass leaves behind."""
        self.settle(State.CONFIRMED)

    def settle(self, state: State, *names: str, **changes: Any) -> None:
        """Put rows of the newest open round into a state, those of all models by default."""
        newest = max(
            (one for one in self.server.rounds if one.opens_at <= self.clock.now()), key=lambda one: one.number
        )
        for config in self.configs:
            if not names or config.name in names:
                row = Submission(newest.tournament, newest.number, config.name, state=state)
                self.store.put(replace(row, **changes))

    def wake_up(self, reason: str = "test") -> float:
        wait_s = self.wake_ups.wake_up(reason)
        self.waits.append(wait_s)
        return wait_s

    def live_until(self, moment: datetime, *, most: int = 5000) -> None:
        """Wake up and wait, over and over."""
        for _ in range(most):
            if self.clock.now() >= moment:
                return
            self.clock.wait(self.wake_up())
        raise AssertionError(f"{most} wake-ups, and it is only {self.clock.now()}")
