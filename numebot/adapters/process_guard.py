"""The guard of a long-lived process: it ends a process that hangs, so that whoever watches over it starts it anew."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numebot.core.ports import Clock

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LAST_WORDS_S = 3
"""How long the last words of a process may take: where nobody reads its output they would never end."""


class Guard:
    """Ends the process when a wake-up hangs, or the process itself at its end. Own thread, on the monotonic clock.

    `limit_s` is how long a wake-up may give no sign of life, `stop_limit_s` how long the way out may take; `end` ends
    the process and all its children.
    """

    def __init__(
        self, clock: Clock, *, limit_s: float, stop_limit_s: float = 12.0, end: Callable[[int], object] = os._exit
    ) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._stop_limit_s = stop_limit_s
        self._end = end
        self._busy_since: float | None = None
        self._stopping_since: float | None = None
        self._is_over = threading.Event()
        self.checks: list[Callable[[], str | None]] = []
        """Further things that must not die silently: each returns what is wrong, or None."""

    def sign_of_life(self) -> None:
        """Tell that the wake-up goes on."""
        self._busy_since = self._clock.monotonic()

    def told_to_stop(self) -> None:
        """Tell that the process is to end. Only the first time counts."""
        if self._stopping_since is None:
            self._stopping_since = self._clock.monotonic()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch for the length of the block."""
        self.sign_of_life()
        try:
            yield
        finally:
            self._busy_since = None

    def look(self) -> str | None:
        """Return what is wrong right now; None when all is well."""
        now_s, stopping, busy = self._clock.monotonic(), self._stopping_since, self._busy_since
        if stopping is not None and now_s - stopping > self._stop_limit_s:
            return f"told to stop, and not at the end after {self._stop_limit_s:.0f} s"
        if busy is not None and now_s - busy > self._limit_s:
            return f"the wake-up gives no sign of life for {self._limit_s:.0f} s"
        return next((problem for check in self.checks if (problem := check())), None)

    def run(self, every_s: float = LOOK_EVERY_S) -> None:
        """Look again and again until `stop`; the first problem ends the process, with exit code 1.

        Where it was told to stop the code is 0: that is what happens.
        """
        while not self._is_over.wait(every_s):
            problem = self.look()
            if problem is not None:
                with _at_most(LAST_WORDS_S):
                    logger.critical("%s; the process ends here. Nothing recorded is lost.", problem)
                    faulthandler.dump_traceback(file=sys.__stderr__ or sys.stderr)
                self._end(1 if self._stopping_since is None else 0)
                return

    def stop(self) -> None:
        """End the watch."""
        self._is_over.set()


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    """Have the kernel end the process when the block takes longer: a write that blocks may hold every thread."""
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
