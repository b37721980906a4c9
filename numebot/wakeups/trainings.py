"""Training beside the rounds: one child at a time, begun when no round is near and stopped as soon as one is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from numebot.core.errors import LocalTrouble
from numebot.core.ports import Clock
from numebot.wakeups.work import ChildPort

logger = logging.getLogger(__name__)

TRAIN = ("train", "--due")
"""It finds out by itself which models are due, and ends at once where none is."""
EVERY = timedelta(hours=1)


class Trainings:
    """The child that trains. It never keeps a wake-up waiting: each one looks whether it ended."""

    def __init__(
        self, start: Callable[[Sequence[str]], ChildPort], clock: Clock, *, stop_s: float, is_wished: Callable[[], bool]
    ) -> None:
        """`is_wished` says whether any model is ever trained by the daemon."""
        self._start, self._clock, self._stop_s, self._is_wished = start, clock, stop_s, is_wished
        self._child: ChildPort | None = None
        self._next_at: datetime | None = None

    def go_on(self) -> None:
        """Begin, once an hour, unless one is at it; note when it ended. Never raises for a child that cannot start."""
        if self._child is not None and self._has_ended(self._child):
            self._child = None
        now = self._clock.now()
        is_due = self._next_at is None or now >= self._next_at or self._next_at - now > EVERY
        if self._child is not None or not is_due or not self._is_wished():
            return
        self._next_at = now + EVERY
        try:
            self._child = self._start(TRAIN)
        except LocalTrouble as error:
            logger.warning("%s", error)

    def give_way(self) -> None:
        """Stop what trains: a round is near. What was not finished is begun anew once there is time."""
        if self._child is None:
            return
        if not self._has_ended(self._child):
            logger.info("training is stopped: a round is near; it begins anew afterwards")
            self._child.stop(self._stop_s)
            self._next_at = None
        self._child = None

    @staticmethod
    def _has_ended(child: ChildPort) -> bool:
        return child.wait(0.0, until=lambda: True) is not None
