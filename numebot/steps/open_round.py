"""A round that is open, and how long there is left of it, on the server's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from numebot.core.errors import RoundClosed
from numebot.core.order import latest_start
from numebot.core.ports import Clock
from numebot.core.rounds import ServerClock, next_attempt, spoken, time_left
from numebot.core.types import Round


@dataclass(frozen=True)
class OpenRound:
    """The round of this pass. `margin` is how long before the deadline the last upload may begin."""

    round: Round
    server_clock: ServerClock
    clock: Clock
    margin: timedelta

    def now(self) -> datetime:
        """Return the server's time."""
        return self.server_clock.at(self.clock.monotonic())

    def left(self) -> timedelta:
        """Return how long an upload may still begin."""
        return time_left(self.round, self.now(), margin=self.margin)

    def next_attempt(self, attempts: int, *, run: timedelta = timedelta()) -> datetime | None:
        """Return when to try again after `attempts` failures, so that a last attempt of length `run` still fits.

        Where none of that length fits any more, it is tried all the same. None when not even an upload fits.
        """
        now, last_start = self.now(), latest_start(self.round.deadline, run, margin=self.margin)
        return next_attempt(now, attempts, last_start if last_start > now else self.round.deadline - self.margin)

    def soon(self) -> datetime | None:
        """Return when to look again at something that is not there yet; None when that is too late for an upload."""
        return next_attempt(self.now(), 1, self.round.deadline - self.margin)

    def require_time(self) -> None:
        """Raise RoundClosed when an upload begun now could arrive late."""
        if self.left() <= timedelta(0):
            raise RoundClosed(
                f"round {self.round.number}: the deadline {self.round.deadline:%Y-%m-%d %H:%M} UTC is over or less "
                f"than {spoken(self.margin)} away. Nothing was sent."
            )
