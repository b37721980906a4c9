"""Entrance 2: the daemon. It waits for reasons to wake up, and supervises the wake-ups.

A timer, a signal, a hint from elsewhere, the end of a wait: each is only a reason to compare once more what is with
what should be. Reasons that come together are answered together, and one that never comes costs a delay at most.

It never hangs and never dies silently: a guard ends the process when a wake-up shows no sign of life for too long or
when the scheduler's thread is gone, so that systemd starts it anew; and when it was told to stop and does not.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Protocol, TypeVar

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from numebot.adapters.process_guard import Guard
from numebot.core.errors import ConfigError, LocalTrouble, NumebotError, StorageBroken
from numebot.core.openings import DAYS, Opening
from numebot.core.ports import Clock

logger = logging.getLogger(__name__)
T = TypeVar("T")

START_RETRY_S = 5.0
"""How long to wait at the start for a database that cannot be opened."""
RETRY_S = 30.0
"""How long to wait after a wake-up that failed."""
MOST_FAILURES = 3
"""After so many unexpected failures in a row the process ends: what it has in memory may be the reason."""
SLICE_S = 15.0
"""In slices this long it waits, and compares the clocks in between: a suspend or a set clock ends the wait."""
CLOCK_MOVED = timedelta(seconds=20)
GRACE_S = 3600
"""How late a scheduled reason may come and still count. Several that are late count once."""
STOP = "stop"


class WakeUpsPort(Protocol):
    """What is done at a wake-up."""

    def wake_up(self, reason: str) -> float:
        """Do it and return after how many seconds to do it again."""


class NotifierPort(Protocol):
    """Who is told how the daemon is: systemd, or nobody."""

    def ready(self, status: str) -> None:
        """It is up."""

    def watchdog(self, status: str) -> None:
        """A wake-up is finished."""

    def stopping(self, status: str) -> None:
        """It is about to end."""


class ReasonQueue(Protocol):
    """Where reasons wait, as queue.SimpleQueue does it: a signal handler may put one in at any moment."""

    def put(self, item: str) -> None:
        """Add one."""

    def get(self, *, timeout: float) -> str:
        """Take the first, or wait for it. Raises: queue.Empty when `timeout` seconds are over."""

    def get_nowait(self) -> str:
        """Take the first. Raises: queue.Empty when there is none."""

    def empty(self) -> bool:
        """Whether none is there."""


class Daemon:
    """Waits for reasons and wakes up, until it is told to stop."""

    def __init__(
        self,
        clock: Clock,
        notifier: NotifierPort,
        guard: Guard,
        *,
        openings: Sequence[Opening] = (),
        slice_s: float = SLICE_S,
        reasons: ReasonQueue | None = None,
    ) -> None:
        """`reasons` is the queue that is waited at; a simulation brings one that runs on its own time."""
        self._clock = clock
        self._notifier = notifier
        self._guard = guard
        self._openings = openings
        self._reasons: ReasonQueue = reasons if reasons is not None else queue.SimpleQueue()
        self._slice_s = slice_s
        # No Event: a signal may come while another is being handled, and the lock of an Event would wait for itself.
        self._is_stopping = False

    def ask(self, reason: str) -> None:
        """Ask for a wake-up, from any thread or signal handler: the entry for timers, signals and webhooks."""
        self._reasons.put(reason)

    def stop(self) -> None:
        """End soon: what runs is stopped, nothing new is begun."""
        self._is_stopping = True
        self._guard.told_to_stop()
        self._reasons.put(STOP)

    def is_stopping(self) -> bool:
        """Whether the end was asked for."""
        return self._is_stopping

    def is_wanted(self) -> bool:
        """Whether a reason waits."""
        return not self._reasons.empty()

    def run(self, wake_ups: WakeUpsPort) -> int:
        """Wake up at once and then whenever there is a reason. Returns the exit code: 0 after `stop`, else 1."""
        scheduler = self.scheduler()
        scheduler.start()
        self._guard.checks.append(lambda: _scheduler_problem(scheduler))
        threading.Thread(target=self._guard.run, name="guard", daemon=True).start()
        try:
            with self.signals():
                self._notifier.ready("waiting for the first wake-up")
                return self.loop(wake_ups)
        finally:
            self._notifier.stopping("ending")
            self._guard.stop()
            scheduler.shutdown(wait=False)

    def when_usable(self, make: Callable[[], T], *, limit_s: float) -> T | None:
        """Return what `make` makes, called again and again while this machine is in trouble: a held database, say.

        None: told to stop meanwhile. Raises: LocalTrouble when that lasts longer than `limit_s` seconds; StorageBroken
        at once; whatever else `make` raises.
        """
        end = self._clock.monotonic() + limit_s
        while not self.is_stopping():
            try:
                return make()
            except StorageBroken:
                raise
            except LocalTrouble as error:
                if self._clock.monotonic() >= end:
                    raise
                logger.warning("%s Tried again in %.0f s.", error, START_RETRY_S)
                self._notifier.ready(f"waiting: {error}")  # systemd's patience with a start is shorter than ours
            self._next_reason(START_RETRY_S)
        return None

    def loop(self, wake_ups: WakeUpsPort) -> int:
        """Wake up and wait for reasons, until `stop`; `run` does this with signals, scheduler and guard around it."""
        reason, failures = "start", 0
        while not self.is_stopping():
            try:
                with self._guard.watching():
                    wait_s = wake_ups.wake_up(reason)
            except StorageBroken as error:
                logger.critical("%s", error)
                return 1
            except (LocalTrouble, ConfigError) as error:
                logger.error("%s Tried again in %.0f s.", error, RETRY_S)
                wait_s = RETRY_S
            except NumebotError as error:
                logger.warning("%s Tried again in %.0f s.", error, RETRY_S)
                wait_s = RETRY_S
            except Exception:  # whatever it is, the next wake-up may do better
                failures += 1
                logger.critical("unexpected error in a wake-up (%s of %s)", failures, MOST_FAILURES, exc_info=True)
                if failures >= MOST_FAILURES:
                    return 1
                wait_s = RETRY_S
            else:
                failures = 0
                self._tell_alive(wait_s)
            if not self.is_stopping():
                reason = self._next_reason(wait_s)
        return 0

    def _tell_alive(self, wait_s: float) -> None:
        """Tell systemd that a wake-up is finished; one that a stop cut short is not."""
        if not self.is_stopping():
            next_at = self._clock.now() + timedelta(seconds=wait_s)
            self._notifier.watchdog(f"next look at {next_at:%H:%M:%S} UTC")

    def _next_reason(self, seconds: float) -> str:
        """Wait for a reason, at most `seconds`; the end of the wait is one too. Reasons that are there are joined."""
        end = self._clock.monotonic() + seconds
        apart = self._clocks_apart()
        reasons: list[str] = []
        while not reasons:
            left_s = end - self._clock.monotonic()
            if left_s <= 0:
                return "time to look"
            try:
                reasons.append(self._reasons.get(timeout=min(left_s, self._slice_s)))
            except queue.Empty:
                if abs(self._clocks_apart() - apart) > CLOCK_MOVED:
                    return "the clock was set or the machine slept"
        while True:
            try:
                reasons.append(self._reasons.get_nowait())
            except queue.Empty:
                return ", ".join(dict.fromkeys(reasons))

    def _clocks_apart(self) -> timedelta:
        return self._clock.now() - datetime.fromtimestamp(self._clock.monotonic(), UTC)

    def scheduler(self) -> BackgroundScheduler:
        """Return the jobs, not started: they do nothing but ask, as the database and the server hold the truth."""
        defaults = {"coalesce": True, "misfire_grace_time": GRACE_S, "max_instances": 1}
        scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults, daemon=True)
        for opening in self._openings:
            days = ",".join(DAYS[day].lower() for day in sorted(opening.weekdays))
            trigger = CronTrigger(day_of_week=days, hour=opening.hour, minute=opening.minute, timezone=UTC)
            scheduler.add_job(self.ask, trigger, args=["a round is expected"])
        scheduler.add_job(self.ask, CronTrigger(minute=7, timezone=UTC), args=["hourly look"])
        return scheduler

    @contextmanager
    def signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT stop, SIGUSR1 asks for a wake-up. Handlers do no more than put a word into the queue."""

        def end(number: int, frame: FrameType | None) -> None:
            self.stop()

        def wake(number: int, frame: FrameType | None) -> None:
            self.ask("SIGUSR1")

        handlers = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGUSR1: wake}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _scheduler_problem(scheduler: BackgroundScheduler) -> str | None:
    thread = getattr(scheduler, "_thread", None)
    if scheduler.running and thread is not None and not thread.is_alive():
        return "the scheduler's thread died"
    return None
