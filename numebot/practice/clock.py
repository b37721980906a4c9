"""The practice tournament's own time: it may run fast and jump ahead, and it never goes back."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from numebot.core.errors import ConfigError
from numebot.core.ports import Clock


class PracticeClock:
    """A virtual clock on top of a real one.

    `speed` is virtual seconds per real second. Virtual time grows with the monotonic seconds of the real clock, so a
    wall clock that is set back does not reopen a closed round.
    """

    def __init__(self, clock: Clock, *, speed: float = 1.0, start: datetime | None = None) -> None:
        """Begin at `start` (aware UTC), by default at the real time."""
        if speed <= 0:
            raise ConfigError(f"practice clock: the speed is {speed:g}; it must be above 0 (1 is real time).")
        self._clock = clock
        self._speed = speed
        self._base = start if start is not None else clock.now()
        self._since = clock.monotonic()
        self._lock = threading.Lock()

    @property
    def speed(self) -> float:
        """Virtual seconds per real second."""
        return self._speed

    def now(self) -> datetime:
        """Return the virtual time, aware UTC."""
        with self._lock:
            return self._now()

    def advance(self, by: timedelta) -> None:
        """Jump ahead. Raises: ValueError for a step back."""
        if by < timedelta():
            raise ValueError(f"the practice clock only moves ahead, and {by} is a step back")
        with self._lock:
            self._base += by

    def advance_to(self, moment: datetime) -> None:
        """Jump ahead to `moment`; nothing happens when it lies in the past."""
        with self._lock:
            self._base += max(timedelta(), moment - self._now())

    def _now(self) -> datetime:
        elapsed_s = max(0.0, self._clock.monotonic() - self._since)
        return self._base + timedelta(seconds=elapsed_s * self._speed)
