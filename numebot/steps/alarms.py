"""Alarms before the deadline: every model that is not confirmed is named, at 30, 15 and 5 minutes, each once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from numebot.core.due import Missing, alarm_minutes, alarm_words
from numebot.core.types import Event, Round

logger = logging.getLogger(__name__)

ALARM = "alarm"
"""The kind of these events in the timeline."""


class EventStore(Protocol):
    """The part of the store that alarms need."""

    def record_once(self, event: Event) -> bool:
        """Add a line unless one of the same kind and words is there; return whether it was new."""


def raise_alarms(store: EventStore, round_: Round, missing: Sequence[Missing], *, now: datetime) -> int:
    """Raise what is due at `now` (the server's time) and return how many alarms were new. Raises: LocalTrouble."""
    minutes = alarm_minutes(round_.deadline - now)
    if minutes is None:
        return 0
    return sum(_raise(store, round_, one, minutes, now) for one in missing)


def _raise(store: EventStore, round_: Round, missing: Missing, minutes: int, now: datetime) -> bool:
    words = alarm_words(round_, missing, minutes)
    details = {"minutes": minutes, "state": missing.state.value, "error": missing.error}
    event = Event(now, ALARM, words, round_.tournament, round_.number, missing.model, details)
    if not store.record_once(event):
        return False
    reason = f": {missing.error}" if missing.error else ""
    logger.error("%s (it is %s%s)", words, missing.state.value, reason)
    return True
