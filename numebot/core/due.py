"""What is missing in a round, what of it may be tried now, and which alarms it is time for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from numebot.core.submissions import ENDINGS
from numebot.core.types import ModelConfig, Round, State, Submission

ALARM_MINUTES = (30, 15, 5)
"""How many minutes before the deadline an unconfirmed model raises an alarm."""
NO_TIME_LOST = timedelta(minutes=20)
"""So close to the deadline looking goes on every quarter of a minute."""
HURRIED_POLL_S = 15.0


@dataclass(frozen=True)
class Missing:
    """A model that is not confirmed in an open round, and when its next attempt is due (None: now).

    A rejected one is missing too, and worth an alarm, but no attempt is ever due.
    """

    model: str
    state: State
    next_attempt_at: datetime | None = None
    error: str | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether it may be tried."""
        return self.state is not State.REJECTED and (self.next_attempt_at is None or self.next_attempt_at <= now)


def missing_in(configs: Sequence[ModelConfig], rows: Sequence[Submission]) -> list[Missing]:
    """Return the models that the owner wants in the round and that are not in it, in the order of `configs`.

    A missed row counts as missing: while the round is open its deadline has moved.
    """
    by_model = {row.model: row for row in rows}
    found = []
    for config in configs:
        row = by_model.get(config.name)
        if row is None:
            found.append(Missing(config.name, State.PENDING))
        elif row.state in (State.MISSED, State.REJECTED) or row.state not in ENDINGS:
            found.append(Missing(config.name, row.state, row.next_attempt_at, row.error))
    return found


def is_due(row: Submission | None, now: datetime) -> bool:
    """Whether a pass that plays only what is due takes this row on."""
    return row is None or row.next_attempt_at is None or row.next_attempt_at <= now


def alarm_minutes(left: timedelta) -> int | None:
    """Return the alarm that it is time for with `left` until the deadline: 30, 15 or 5 minutes; None if none."""
    reached = [minutes for minutes in ALARM_MINUTES if timedelta() < left <= timedelta(minutes=minutes)]
    return min(reached, default=None)


def seconds_until_next_look(
    now: datetime, *, deadline: datetime, missing: Sequence[Missing], poll_s: float
) -> float:
    """Return how long an open round may go unwatched: until the next due attempt, never longer than `poll_s`."""
    wait_s = min(poll_s, HURRIED_POLL_S) if deadline - now <= NO_TIME_LOST else poll_s
    for one in missing:
        if one.next_attempt_at is not None and one.next_attempt_at > now:
            wait_s = min(wait_s, max(1.0, (one.next_attempt_at - now).total_seconds()))
    return wait_s


def alarm_words(round_: Round, missing: Missing, minutes: int) -> str:
    """Return the stable text of an alarm: the same alarm is raised once."""
    return f"round {round_.number}: {missing.model} is not confirmed {minutes} min before the deadline"
