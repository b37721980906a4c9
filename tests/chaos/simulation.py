"""Weeks of virtual time in seconds: the real daemon and pipeline on a machine and a server that are made to fail.

True time is a number of seconds that moves only when somebody waits or is waited for. The machine's wall clock may be
off, its monotonic clock stands still while it sleeps, and its process can be killed at any moment. Only the plugin, the
wire and the calendar are made up; what decides, retries and remembers is the program's own code and database.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from numebot.adapters.numerai.rounds import judge
from numebot.adapters.process_guard import Guard
from numebot.adapters.store import Store
from numebot.core.account import HARMLESS_SCOPES
from numebot.core.chores import Chore
from numebot.core.errors import Ambiguous, NumebotError, PluginError, Unavailable
from numebot.core.openings import next_opening, parse_opening
from numebot.core.submissions import moved_on
from numebot.core.types import (
    AccountModel,
    KeyInfo,
    ListedSubmission,
    ModelConfig,
    RoundAnswer,
    RoundState,
    State,
    Submission,
    SubmissionRecord,
    UploadAuthorisation,
)
from numebot.daemon import Daemon
from numebot.pipeline import Tools, Wishes, play_round
from numebot.steps.confirming import Confirmer, Watch
from numebot.steps.journal import Journal
from numebot.steps.ladder import Source
from numebot.steps.submitting import Patience, Submitter
from numebot.wakeups import Lookout, WakeUps, WakeUpTools, Work
from numebot.wakeups.wakeups import Rhythm

BASE = datetime(2022, 1, 1, tzinfo=UTC)
MARGIN_S = 120.0
OPENINGS = tuple(parse_opening(text) for text in ("Tue-Sat 12:00", "Tue-Sat 13:00", "Sat 18:00"))
MODELS = ("alpha", "beta")
NEED_S = 13 * 60.0
"""A machine that works for so long inside a window, with network and server, owes a submission: eight minutes are the
longest wait between attempts, a pass takes two, and an answer that never comes costs another one or two."""
DULL_AFTER_S = 3600.0
DULL_BEFORE_S = 1800.0
CHORE = Chore("results", ("sync",), every=timedelta(hours=6), budget_s=120.0)


def seconds_of(moment: datetime) -> float:
    return (moment - BASE).total_seconds()


@dataclass(frozen=True)
class SimRound:
    """A round in true seconds."""

    number: int
    opens_s: float
    deadline_s: float
    closes_s: float

    def row(self) -> dict[str, object]:
        names = {"openTime": self.opens_s, "closeStakingTime": self.deadline_s, "closeTime": self.closes_s}
        times = {name: (BASE + timedelta(seconds=at)).isoformat() for name, at in names.items()}
        return {"number": self.number, "dataDatestamp": None, **times}


@dataclass(frozen=True)
class Span:
    """A stretch of true time in which something is wrong."""

    start_s: float
    end_s: float

    def holds(self, at_s: float) -> bool:
        return self.start_s <= at_s < self.end_s


@dataclass(frozen=True)
class Trouble:
    """Everything that goes wrong: times in true seconds.

    `off` ends the process and begins a new one at its end; `asleep` stops every clock but the wall's; `dead` lets no
    call through, `deaf` no upload; `mute` loses every second answer of createSubmission; `steps` are (when, new offset
    of the wall clock); `hangs` are round numbers whose first plugin run never ends.
    """

    off: Sequence[Span] = ()
    asleep: Sequence[Span] = ()
    dead: Sequence[Span] = ()
    deaf: Sequence[Span] = ()
    mute: Sequence[Span] = ()
    steps: Sequence[tuple[float, float]] = ()
    hangs: frozenset[int] = frozenset()


class Killed(BaseException):
    """The process ends here, in the middle of whatever it does."""


class Hung(BaseException):
    """The pass waits for ever."""


class Over(BaseException):
    """The simulated time is used up."""


class SimClock:
    """True time, and the two clocks that a process sees."""

    def __init__(self, start_s: float, end_s: float, trouble: Trouble) -> None:
        self.true_s = start_s
        self._end_s = end_s
        self._trouble = trouble
        self._slept_s = 0.0

    def now(self) -> datetime:
        offsets = [offset for at_s, offset in sorted(self._trouble.steps) if at_s <= self.true_s]
        return BASE + timedelta(seconds=self.true_s + (offsets[-1] if offsets else 0.0))

    def monotonic(self) -> float:
        return self.true_s - self._slept_s

    def wait(self, seconds: float) -> None:
        """Let monotonic seconds pass; the machine may sleep, or lose its power, in between."""
        left_s = max(0.0, seconds)
        while True:
            coming = self._next_event()
            step_s = left_s if coming is None else min(left_s, max(0.0, coming.start_s - self.true_s))
            self.true_s += step_s
            left_s -= step_s
            if self.true_s >= self._end_s:
                raise Over
            if coming is None or self.true_s < coming.start_s:
                return
            if coming in self._trouble.off:
                raise Killed
            self._slept_s += coming.end_s - self.true_s
            self.true_s = coming.end_s

    def _next_event(self) -> Span | None:
        events = [span for span in (*self._trouble.off, *self._trouble.asleep) if span.end_s > self.true_s]
        return min(events, key=lambda span: span.start_s, default=None)

    def skip_to(self, true_s: float) -> None:
        """Jump over a stretch in which nothing can happen."""
        self.true_s = max(self.true_s, true_s)


class SimServer:
    """Numerai in true time: rounds, uploads, the read-back. What it accepted outlives every process."""

    def __init__(self, clock: SimClock, rounds: Sequence[SimRound], trouble: Trouble) -> None:
        self.clock = clock
        self.rounds = rounds
        self._trouble = trouble
        self.files: set[str] = set()
        self.created: list[tuple[int, str, str, float, bool]] = []
        """Round, model, filename, when, and whether it was on time."""
        self._creations = 0

    def _call(self, takes_s: float = 1.0) -> None:
        self.clock.wait(takes_s)
        if any(span.holds(self.clock.true_s) for span in self._trouble.dead):
            self.clock.wait(45.0)
            raise Unavailable("no answer from the server")

    def current(self) -> SimRound | None:
        opened = [one for one in self.rounds if one.opens_s <= self.clock.true_s]
        return opened[-1] if opened else None

    def current_round(self, tournament: int) -> RoundAnswer:
        try:
            self._call()
        except Unavailable as error:
            return RoundAnswer(RoundState.UNKNOWN, None, reason=str(error))
        current = self.current()
        header = BASE + timedelta(seconds=int(self.clock.true_s))
        listed = [current.row()] if current else []
        return judge(listed, tournament, header=header, own=self.clock.now(), status_of=self._status)

    def _status(self, number: int) -> str | None:
        current = self.current()
        is_open = current is not None and current.number == number and self.clock.true_s < current.deadline_s
        return "open" if is_open else "closed"

    def key_info(self) -> KeyInfo:
        self._call()
        return KeyInfo("owner", "key", frozenset(HARMLESS_SCOPES))

    def stakes(self) -> dict[str, float]:
        return {"id-beta": 10.0}

    def account_models(self, *, last_rounds: int = 5) -> list[AccountModel]:
        self._call()
        return [AccountModel(f"id-{model}", model, 8, submissions=tuple(self._listed(model))) for model in MODELS]

    def _listed(self, model: str) -> Iterator[ListedSubmission]:
        newest: dict[int, ListedSubmission] = {}
        for number, name, filename, at_s, is_on_time in self.created:
            if name == model:
                status = "pending" if self.clock.true_s < at_s + 4 else "on-time" if is_on_time else "late"
                newest[number] = ListedSubmission(number, status, f"sub-{filename}", filename)
        yield from sorted(newest.values(), key=lambda entry: -entry.round_number)

    def submission_records(self, model_id: str) -> list[SubmissionRecord]:
        self._call()
        ours = [row for row in self.created if f"id-{row[1]}" == model_id]
        return [SubmissionRecord(f"sub-{filename}", filename, number) for number, _, filename, _, _ in ours]

    def authorise_upload(self, tournament: int, model_id: str, filename: str) -> UploadAuthorisation:
        self._call()
        name = filename.replace(".csv", f"-Sim{len(self.files):09d}.csv")
        return UploadAuthorisation(name, "https://storage.invalid/x")

    def put_file(self, authorisation: UploadAuthorisation, path: Path) -> None:
        self._call(3.0)
        if any(span.holds(self.clock.true_s) for span in self._trouble.deaf):
            raise Unavailable("the storage answers 503")
        self.files.add(authorisation.filename)

    def create_submission(
        self, tournament: int, model_id: str, filename: str, *, data_datestamp: int | None = None
    ) -> str:
        self._call()
        assert filename in self.files, "created before its bytes were there"
        current = self.current()
        assert current is not None
        is_on_time = self.clock.true_s < current.deadline_s
        self.created.append((current.number, model_id.removeprefix("id-"), filename, self.clock.true_s, is_on_time))
        self._creations += 1
        if self._creations % 2 and any(span.holds(self.clock.true_s) for span in self._trouble.mute):
            raise Ambiguous("502 after the commit")
        return f"sub-{filename}"

    def is_played(self, one: SimRound) -> bool:
        """Whether nothing is left to do in a round."""
        return all(self.on_time(one.number, model) for model in MODELS)

    def on_time(self, number: int, model: str) -> list[str]:
        """What counts on this server."""
        return [row[2] for row in self.created if row[0] == number and row[1] == model and row[4]]


class SimReasons:
    """The daemon's queue on virtual time, with the expected openings as a scheduler would put them in."""

    def __init__(self, clock: SimClock, server: SimServer, trouble: Trouble) -> None:
        self._clock = clock
        self._server = server
        self._trouble = trouble
        self._waiting: list[str] = []
        self._seen = clock.now()
        self._next = next_opening(OPENINGS, self._seen)

    def put(self, item: str) -> None:
        self._waiting.append(item)

    def empty(self) -> bool:
        self._take_over()
        return not self._waiting

    def get(self, *, timeout: float) -> str:
        with suppress(queue.Empty):
            return self.get_nowait()
        self._skip_dull_time()
        self._clock.wait(timeout)
        return self.get_nowait()

    def get_nowait(self) -> str:
        self._take_over()
        if not self._waiting:
            raise queue.Empty
        return self._waiting.pop(0)

    def _take_over(self) -> None:
        now = self._clock.now()
        if self._next is not None and self._seen <= now < self._next:
            self._seen = now
            return
        if self._next is not None and now >= self._next:
            self._waiting.append("a round is expected")
        self._next, self._seen = next_opening(OPENINGS, now), now

    def _skip_dull_time(self) -> None:
        """Jump ahead where no round and no trouble is near: every look there would see the same."""
        at_s = self._clock.true_s
        current = self._server.current()
        starts = [one.opens_s for one in self._server.rounds if one.opens_s > at_s]
        trouble = self._trouble
        spans = (*trouble.off, *trouble.asleep, *trouble.dead, *trouble.deaf)
        starts += [span.start_s for span in spans if span.start_s > at_s]
        starts += [when_s for when_s, _ in self._trouble.steps if when_s > at_s]
        is_quiet = not any(span.holds(at_s) for span in spans)
        target_s = min(starts, default=at_s) - DULL_BEFORE_S
        if current is None or at_s > current.deadline_s + DULL_AFTER_S:
            is_dull = True
        else:
            is_dull = at_s > current.opens_s + DULL_AFTER_S and self._server.is_played(current)
            target_s = min(target_s, current.deadline_s - DULL_BEFORE_S)
        if is_quiet and is_dull and target_s > at_s:
            self._clock.skip_to(target_s)


class SimPredictor:
    """Predicts in twenty seconds, unless it is to hang."""

    def __init__(self, machine: SimMachine) -> None:
        self._machine = machine

    def fetch_early(self, config: ModelConfig, files: object) -> None:
        pass

    def source(self, row: Submission, config: ModelConfig, files: object, *, rung: str | None) -> Source:
        nothing: Any = None
        return Source(nothing, "", "", predict=nothing, scale=nothing)

    def bring_to_checked(
        self, row: Submission, config: ModelConfig, files: object, journal: Journal, **about: object
    ) -> Submission:
        machine = self._machine
        row = journal.change_quietly(row, Submission(**{**vars(row), "begun_at": machine.clock.now()}))
        if row.round_number in machine.trouble.hangs - machine.has_hung:
            machine.has_hung.add(row.round_number)
            raise Hung
        machine.clock.wait(20.0)
        if row.model_id is None:
            raise PluginError("no slot")
        done = moved_on(row, State.CHECKED, sha256="0" * 64, begun_at=None)
        return journal.change(row, done, "predicted and checked", took_s=20.0)

    def file_of(self, row: Submission) -> Path:
        return self._machine.folder / "upload.csv"


class SimRunner:
    """Has nothing to run: the predictor does it all."""

    def warm_up(self) -> None:
        pass

    def describe_many(self, configs: Iterable[ModelConfig]) -> dict[tuple[str, str], NumebotError]:
        return {}


class SimChild:
    """A child of the daemon: it plays in the daemon's own time, and one that hangs just lets time pass."""

    def __init__(self, machine: SimMachine, arguments: Sequence[str]) -> None:
        self._machine = machine
        self._play = machine.play if arguments[0] == "run" else machine.hang
        self._is_hanging = False

    def wait(self, seconds: float, *, until: Callable[[], bool]) -> int | None:
        if not self._is_hanging:
            try:
                self._machine.clock.wait(2.0)
                return self._play()
            except Hung:
                self._is_hanging = True
        if until():
            return None
        self._machine.clock.wait(max(seconds, 0.1))
        return None

    def stop(self, grace_s: float) -> int:
        return self.kill()

    def kill(self) -> int:
        return -9


@dataclass
class SimMachine:
    """A home server with the daemon on it, from one power-on to the next, for as long as the time lasts."""

    folder: Path
    rounds: Sequence[SimRound]
    trouble: Trouble
    start_s: float
    end_s: float
    has_hung: set[int] = field(default_factory=set)
    lives: int = 0
    guard_limit_s: float = 600.0

    def __post_init__(self) -> None:
        self.clock = SimClock(self.start_s, self.end_s, self.trouble)
        self.server = SimServer(self.clock, self.rounds, self.trouble)
        self.configs = [ModelConfig(model, "plugins/x.py") for model in MODELS]
        (self.folder / "upload.csv").write_bytes(b"id,prediction\n")

    def live(self) -> None:
        """Run until the time is over."""
        with suppress(Over):
            while True:
                try:
                    self._one_life()
                    self.clock.wait(5.0)  # systemd starts it anew
                except Killed:
                    off = [span for span in self.trouble.off if span.start_s <= self.clock.true_s]
                    self.clock.skip_to(max(span.end_s for span in off))

    def _one_life(self) -> None:
        self.lives += 1
        self.clock.wait(1.0)
        self.store = Store(f"sqlite:///{self.folder / 'numebot.db'}")
        try:
            daemon = Daemon(
                self.clock,
                Silent(),
                Guard(self.clock, limit_s=self.guard_limit_s),
                reasons=SimReasons(self.clock, self.server, self.trouble),
            )
            daemon.loop(self._wake_ups(daemon))
        finally:
            self.store.close()

    def _wake_ups(self, daemon: Daemon) -> WakeUps:
        tools = WakeUpTools(
            lookout=Lookout(self.server, self.store, self.clock),
            store=self.store,
            work=Work(lambda arguments: SimChild(self, arguments), self.clock, stop_s=8.0),
            clock=self.clock,
            awake=Silent(),
            configs=lambda: self.configs,
            tournaments=[8],
            rhythm=Rhythm(openings=OPENINGS),
            chores=[CHORE],
            is_wanted=daemon.is_wanted,
        )
        return WakeUps(tools, pid=1, started_at=self.clock.now())

    def play(self) -> int:
        """What `numebot run --scheduled` does."""
        journal = Journal(self.store, self.clock)
        nothing: Any = None
        tools = Tools(
            server=self.server,
            store=self.store,
            datasets=nothing,
            journal=journal,
            predictor=SimPredictor(self),  # type: ignore[arg-type] # as much of a predictor as a pass needs
            submitter=Submitter(self.server, journal, self.clock, Patience()),
            confirmer=Confirmer(self.server, journal, self.clock, Watch()),
            runner=SimRunner(),  # type: ignore[arg-type] # it is told of plugins and asked for nothing
            clock=self.clock,
            deadline_margin=timedelta(seconds=MARGIN_S),
        )
        try:
            return 0 if play_round(tools, 8, self.configs, Wishes(only_due=True)).is_done else 1
        except Unavailable:
            return 1

    def hang(self) -> int:
        """What a chore does here: it never ends by itself."""
        raise Hung

    def was_possible(self, one: SimRound) -> bool:
        """Whether a machine without a fault of its own would have had to submit in this round."""
        last_s = one.deadline_s - MARGIN_S
        trouble = self.trouble
        spans = (*trouble.off, *trouble.asleep, *trouble.dead, *trouble.deaf)
        bad = sorted(spans, key=lambda span: span.start_s)
        at_s, stretches = max(one.opens_s, self.start_s), []
        for span in bad:
            if span.end_s <= at_s:
                continue
            if span.start_s > at_s:
                stretches.append((at_s, min(span.start_s, last_s)))
            at_s = max(at_s, span.end_s)
        stretches.append((at_s, last_s))
        if one.number in self.trouble.hangs:
            # A hung pass may take half of what is left, so the machine has to work right up to the deadline.
            return any(end_s >= last_s and end_s - start_s >= 2 * NEED_S + 480 for start_s, end_s in stretches)
        return any(end_s - start_s >= NEED_S for start_s, end_s in stretches)


class Silent:
    """A notifier and a lock against sleep that do nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: None
