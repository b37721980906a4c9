"""One wake-up: look at every tournament, do what is missing, say when to look again.

Every wake-up does the same whatever its reason: a timer, a signal, a hint, a start. The reason goes into the log alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from numebot.core.chores import KEEP_CLEAR, Chore, LastRun, due_chores, next_key
from numebot.core.due import Missing, seconds_until_next_look
from numebot.core.errors import ConfigError, LocalTrouble, StorageBroken
from numebot.core.ledger import WAKE_UP
from numebot.core.openings import Opening, may_open, next_opening
from numebot.core.ports import Clock
from numebot.core.types import Event, ModelConfig, RoundState
from numebot.steps.alarms import raise_alarms
from numebot.steps.never_begun import MissedStore, note_never_begun
from numebot.wakeups.lookout import ASK_SOON, Look, Lookout
from numebot.wakeups.trainings import Trainings
from numebot.wakeups.work import Work, WorkEnd

logger = logging.getLogger(__name__)

PASS = ("run", "--scheduled", "--wait", "30")
WILL_PREDICT = "--will-predict"
"""Tells a pass at once that plugins will run, which takes seconds to prepare."""
BEACON_KEY = "daemon"
"""Under which the store notes what the daemon did last."""
SHORTEST_PASS_S = 300.0
"""Less than this no pass is given, however near the deadline: it has the last word then."""
SOON_S = 1.0
"""After a chore: the round comes first again, and what else is due after it."""


class WakeUpStore(MissedStore, Protocol):
    """The part of the store that wake-ups write to."""

    def note(self, key: str, value: Mapping[str, object]) -> None:
        """Keep a small value."""

    def noted(self, key: str) -> Mapping[str, Any] | None:
        """Return it."""

    def record(self, event: Event) -> None:
        """Add a line to the timeline."""

    def record_once(self, event: Event) -> bool:
        """Add a line to the timeline unless it is there."""


class Awake(Protocol):
    """Keeps the machine from sleeping."""

    def hold(self) -> None:
        """From now on."""

    def release(self) -> None:
        """No longer."""


@dataclass(frozen=True)
class Rhythm:
    """How often to look, and how long work may take, in seconds."""

    openings: tuple[Opening, ...] = ()
    poll_s: float = 60.0
    idle_s: float = 300.0
    pass_s: float = 2700.0


@dataclass(frozen=True)
class WakeUpTools:
    """What wake-ups work with; built in the app. `configs` reads the table anew each time: edits count at once."""

    lookout: Lookout
    store: WakeUpStore
    work: Work
    clock: Clock
    awake: Awake
    configs: Callable[[], Sequence[ModelConfig]]
    tournaments: Sequence[int]
    rhythm: Rhythm
    chores: Sequence[Chore] = ()
    trainings: Trainings | None = None
    sign_of_life: Callable[[], None] = lambda: None
    """Called at every step: who does not call for long hangs."""
    is_wanted: Callable[[], bool] = lambda: False
    """Whether somebody asked for another wake-up meanwhile: a chore gives way then."""
    is_stopping: Callable[[], bool] = lambda: False
    """Whether the daemon is to end: nothing new is begun then."""


class WakeUps:
    """The daemon's work, one wake-up at a time."""

    def __init__(self, tools: WakeUpTools, *, pid: int, started_at: datetime) -> None:
        self._tools = tools
        self._beacon: dict[str, object] = {"pid": pid, "started_at": started_at.isoformat()}
        self._configs: Sequence[ModelConfig] = ()

    def wake_up(self, reason: str) -> float:
        """Bring everything as far as it goes now and return after how many seconds to look again.

        Raises: LocalTrouble when the database cannot be used; StorageBroken when it can no longer be trusted.
        """
        tools = self._tools
        tools.sign_of_life()
        configs, trouble = self._read_configs()
        looks = self._look(configs)
        if trouble is None and any(look.wants_pass for look in looks):
            logger.info("wake-up (%s): %s", reason, _shown(looks))
            self._note_wake_up(reason, looks)
            self._play(looks, configs)
            looks = self._look(configs)
        if trouble is None:
            self._note_never_begun(looks, configs)
        self._alarm(looks)
        self._stay_awake(looks)
        wait_s = min((self._wait_s(look) for look in looks), default=tools.rhythm.poll_s)
        if trouble is not None:
            wait_s = min(wait_s, tools.rhythm.poll_s)
        if not any(look.is_waiting for look in looks) and self._do_a_chore(looks):
            wait_s = min(wait_s, SOON_S)
        self._train(looks, trouble)
        if not tools.is_stopping():
            self._record(reason, looks, wait_s, trouble)
        return wait_s

    def do(self, *command: str) -> WorkEnd:
        """Run one of numebot's commands as a child, outside of any wake-up. Raises: LocalTrouble."""
        return self._tools.work.run(command, self._tools.rhythm.pass_s, tick=self._tools.sign_of_life)

    def _read_configs(self) -> tuple[Sequence[ModelConfig], str | None]:
        try:
            self._configs = [config for config in self._tools.configs() if config.enabled]
        except ConfigError as error:
            # The owner may be in the middle of an edit: the next wake-up reads it again. Until then it is known what
            # is missing, by the last table that could be read, but no pass is begun: it could not read this one either.
            logger.error("%s", error)
            return self._configs, str(error)
        return self._configs, None

    def _look(self, configs: Sequence[ModelConfig]) -> list[Look]:
        looks = []
        for tournament in self._tools.tournaments:
            if self._tools.is_stopping():
                break
            self._tools.sign_of_life()
            looks.append(self._tools.lookout.look(tournament, configs))
        return looks

    def _play(self, looks: Sequence[Look], configs: Sequence[ModelConfig]) -> None:
        self._stay_awake(looks)
        self._give_way()
        self._alarm(looks)
        began = self._tools.clock.monotonic()

        def tick() -> None:
            self._tools.sign_of_life()
            passed = timedelta(seconds=self._tools.clock.monotonic() - began)
            try:
                self._alarm(looks, passed=passed, configs=configs)
            except LocalTrouble as error:
                logger.warning("%s", error)  # no reason to end the pass, which has patience of its own

        command = (*PASS, WILL_PREDICT) if any(look.wants_predictions for look in looks) else PASS
        end = self._tools.work.run(command, self._budget_s(looks), tick=tick)
        if end is WorkEnd.OVERDUE:
            words = "the pass over the round did not end in its time and was killed; the next one goes on where it was"
            self._tools.store.record(Event(self._tools.clock.now(), "pass-killed", words))

    def _note_wake_up(self, reason: str, looks: Sequence[Look]) -> None:
        """Write down why a pass begins. It begins also when that cannot be written now."""
        for look in looks:
            if look.wants_pass and look.round is not None:
                names = [one.model for one in look.missing]
                words = f"wake-up ({reason}): a pass is started"
                details = {"reason": reason, "missing": names}
                now, place = self._tools.clock.now(), (look.tournament, look.round.number)
                try:
                    self._tools.store.record(Event(now, WAKE_UP, words, *place, details=details))
                except StorageBroken:
                    raise
                except LocalTrouble as error:
                    logger.warning("%s", error)

    def _note_never_begun(self, looks: Sequence[Look], configs: Sequence[ModelConfig]) -> None:
        """Soon after a deadline, write down what nobody could begin. Later the table may have other models."""
        for look in looks:
            is_over = look.state is RoundState.CLOSED and look.round is not None
            if is_over and look.round is not None and timedelta() <= look.now - look.round.deadline <= ASK_SOON:
                ours = self._tools.lookout.entered(look.round, configs)
                note_never_begun(self._tools.store, look.round, ours, now=self._tools.clock.now())

    def _budget_s(self, looks: Sequence[Look]) -> float:
        """Return how long a pass may take: never so long that no second one fits before a deadline."""
        budget_s = self._tools.rhythm.pass_s
        for look in looks:
            if look.missing and look.round is not None:
                left_s = (look.round.deadline - look.now).total_seconds()
                budget_s = min(budget_s, max(SHORTEST_PASS_S, left_s / 2))
        return budget_s

    def _alarm(
        self, looks: Sequence[Look], *, passed: timedelta = timedelta(), configs: Sequence[ModelConfig] | None = None
    ) -> None:
        for look in looks:
            if look.round is None or not look.missing:
                continue
            missing: Sequence[Missing] = look.missing
            if configs is not None:
                missing = self._tools.lookout.missing_now(look.round, configs)
            raise_alarms(self._tools.store, look.round, missing, now=look.now + passed)

    def _stay_awake(self, looks: Sequence[Look]) -> None:
        if any(look.is_waiting for look in looks):
            self._tools.awake.hold()
        else:
            self._tools.awake.release()

    def _do_a_chore(self, looks: Sequence[Look]) -> bool:
        """Do what is due beside the rounds, one thing; return whether there was any. Near an opening nothing is begun.

        One only: a round may open meanwhile, and who looks for it is busy here.
        """
        tools = self._tools
        if tools.is_stopping() or tools.is_wanted() or any(self._may_open(look, ahead=KEEP_CLEAR) for look in looks):
            return False
        last = {chore.name: run for chore in tools.chores if (run := self._last_run(chore)) is not None}
        due = due_chores(tools.chores, last, tools.clock.now())
        if due:
            self._do(due[0], last.get(due[0].name))
        return bool(due)

    def _train(self, looks: Sequence[Look], trouble: str | None) -> None:
        """Let models be trained, unless a round is open or near."""
        tools = self._tools
        is_near = any(
            look.is_waiting or look.state is RoundState.OPEN or self._may_open(look, ahead=KEEP_CLEAR) for look in looks
        )
        if tools.is_stopping() or is_near:
            self._give_way()
        elif tools.trainings is not None and trouble is None:
            tools.trainings.go_on()

    def _give_way(self) -> None:
        if self._tools.trainings is not None:
            self._tools.trainings.give_way()

    def _do(self, chore: Chore, before: LastRun | None) -> None:
        tools = self._tools
        now = tools.clock.now()
        try:
            end = tools.work.run(chore.command, chore.budget_s, tick=tools.sign_of_life, gives_way=tools.is_wanted)
        except LocalTrouble as error:
            logger.error("%s", error)
            end = WorkEnd.FAILED
        if end is WorkEnd.STOPPED:
            return  # it is still due
        tools.store.note(f"chore:{chore.name}", {"at": now.isoformat(), "is_done": end is WorkEnd.DONE})
        if end is not WorkEnd.DONE:
            words = f"{chore.name}: not done ({end}); tried again in half an hour"
            logger.warning("%s", words)
            if before is None or before.is_done:
                tools.store.record(Event(now, "chore-failed", words))

    def _last_run(self, chore: Chore) -> LastRun | None:
        noted = self._tools.store.noted(f"chore:{chore.name}") or {}
        try:
            last = LastRun(datetime.fromisoformat(noted["at"]), bool(noted["is_done"]))
        except (KeyError, TypeError, ValueError):
            return None
        wish = self._tools.store.noted(next_key(chore.name)) or {}
        try:
            return replace(last, next_at=datetime.fromisoformat(wish["at"]))
        except (KeyError, TypeError, ValueError):
            return last

    def _may_open(self, look: Look, *, ahead: timedelta = timedelta()) -> bool:
        openings = self._tools.rhythm.openings
        return any(may_open(openings, look.round, moment) for moment in {look.now, look.now + ahead})

    def _wait_s(self, look: Look) -> float:
        rhythm = self._tools.rhythm
        if look.missing and look.round is not None:
            return seconds_until_next_look(
                look.now, deadline=look.round.deadline, missing=look.missing, poll_s=rhythm.poll_s
            )
        if look.state is RoundState.UNKNOWN or self._may_open(look):
            return rhythm.poll_s
        coming = next_opening(rhythm.openings, look.now)
        wait_s = rhythm.idle_s
        if coming is not None:
            wait_s = min(wait_s, max(1.0, (coming - look.now).total_seconds()))
        return wait_s

    def _record(self, reason: str, looks: Sequence[Look], wait_s: float, trouble: str | None) -> None:
        """Note that this wake-up is finished. Nothing else tells that the daemon is alive and works."""
        now = self._tools.clock.now()
        self._beacon |= {
            "finished_at": now.isoformat(),
            "reason": reason,
            "next_look_at": (now + timedelta(seconds=wait_s)).isoformat(),
            "trouble": trouble,
            "states": {str(look.tournament): look.state.value for look in looks},
        }
        self._tools.store.note(BEACON_KEY, self._beacon)


def _shown(looks: Sequence[Look]) -> str:
    parts = []
    for look in looks:
        number = look.round.number if look.round else "?"
        names = ", ".join(one.model for one in look.missing) or "what earlier rounds left"
        parts.append(f"round {number} {look.state.value}, to do: {names}")
    return "; ".join(parts)
