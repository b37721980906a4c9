"""Working: the pass and the chores run as children of the daemon, each within its budget."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from numebot.core.ports import Clock

logger = logging.getLogger(__name__)

TICK_S = 10.0
"""How often the daemon looks up from a child: alarms are due also while it works."""


class WorkEnd(StrEnum):
    """How a child came to its end."""

    DONE = "done"
    """It ended by itself with exit code 0."""
    FAILED = "failed"
    """It ended by itself with another one."""
    OVERDUE = "overdue"
    """Its budget was used up, and it was killed."""
    STOPPED = "stopped"
    """It was stopped because the daemon ends, or something better is to be done."""


class ChildPort(Protocol):
    """A running child."""

    def wait(self, seconds: float, *, until: Callable[[], bool]) -> int | None:
        """Return the exit code, or None when `seconds` are over or `until` says so first."""

    def stop(self, grace_s: float) -> int:
        """Ask it to end, then kill it with its family."""

    def kill(self) -> int:
        """Kill it with its family."""


class Work:
    """Runs numebot's own commands as children."""

    def __init__(
        self,
        start: Callable[[Sequence[str]], ChildPort],
        clock: Clock,
        *,
        stop_s: float,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._start = start
        self._clock = clock
        self._stop_s = stop_s
        self._is_stopping = is_stopping

    def run(
        self,
        arguments: Sequence[str],
        budget_s: float,
        *,
        tick: Callable[[], None],
        gives_way: Callable[[], bool] = lambda: False,
    ) -> WorkEnd:
        """Run one command to its end, calling `tick` every few seconds; stop it when `gives_way` says so.

        Raises: LocalTrouble when it cannot be started; whatever `tick` raises, after the child was ended.
        """
        if self._is_stopping():
            return WorkEnd.STOPPED
        what = " ".join(arguments)
        began = self._clock.monotonic()
        child = self._start(arguments)
        try:
            while True:
                left_s = began + budget_s - self._clock.monotonic()
                until = self._any(gives_way)
                code = child.wait(min(TICK_S, max(0.0, left_s)), until=until)
                if code is not None:
                    return WorkEnd.DONE if code == 0 else WorkEnd.FAILED
                if until():
                    child.stop(self._stop_s)
                    return WorkEnd.STOPPED
                if self._clock.monotonic() - began >= budget_s:
                    logger.error("numebot %s: killed after %.0f s, its budget; what it did is kept", what, budget_s)
                    child.kill()
                    return WorkEnd.OVERDUE
                tick()
        except BaseException:
            child.kill()
            raise

    def _any(self, gives_way: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: self._is_stopping() or gives_way()
