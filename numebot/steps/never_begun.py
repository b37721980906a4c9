"""Models that no pass could even begin before the deadline: their rounds are missed, and the timeline has to say so."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from numebot.core.submissions import ended
from numebot.core.types import Event, ModelConfig, Round, State, Submission

logger = logging.getLogger(__name__)

WORDS = "no attempt could be begun before the deadline"


class MissedStore(Protocol):
    """The part of the store that this needs."""

    def first_seen(self, tournament: int, number: int) -> datetime | None:
        """Return when a round was seen for the first time."""

    def submissions(self, tournament: int, round_number: int) -> Sequence[Submission]:
        """Return the rows of one round."""

    def begin_submission(self, submission: Submission, *, now: datetime) -> Submission:
        """Insert a row unless there is one, and return what stands there."""

    def change(self, before: Submission, after: Submission, event: Event | None) -> Submission:
        """Move a row by compare-and-set."""


def note_never_begun(store: MissedStore, over: Round, configs: Sequence[ModelConfig], *, now: datetime) -> int:
    """Give every model without a row in a round that is over one that says "missed"; return how many those were.

    Only for a round that was seen before its deadline: what was over when numebot came was never its round.
    Raises: LocalTrouble.
    """
    seen_at = store.first_seen(over.tournament, over.number)
    if seen_at is None or seen_at >= over.deadline:
        return 0
    known = {row.model for row in store.submissions(over.tournament, over.number)}
    lost = [config.name for config in configs if config.tournament == over.tournament and config.name not in known]
    for model in lost:
        row = store.begin_submission(Submission(over.tournament, over.number, model), now=now)
        event = Event(now, "state", f"missed: {WORDS}", over.tournament, over.number, model, {"state": "missed"})
        store.change(row, ended(row, State.MISSED, WORDS), event)
        logger.error("round %s: %s missed: %s", over.number, model, WORDS)
    return len(lost)
