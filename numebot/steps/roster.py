"""What a round is played with, written down: who is asked to play, who is not, and rounds that are left out.

Without it nobody could say later why a model has no submission in a round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from numebot.core.ledger import LEFT_OUT, PASS
from numebot.core.types import Event, Round


class RosterStore(Protocol):
    """The part of the store that this needs."""

    def record(self, event: Event) -> None:
        """Add a line to the timeline."""

    def record_once(self, event: Event) -> bool:
        """Add a line unless it is there."""


@dataclass(frozen=True)
class Roster:
    """The rows of model_configs.csv of one tournament, by name, when a pass began."""

    enabled: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()


def note_pass(
    store: RosterStore, round_: Round, models: Sequence[str], roster: Roster, *, by: str, left_s: float, now: datetime
) -> None:
    """Write down that a pass begins: its models in the order of their turns. Raises: LocalTrouble."""
    words = f"a pass begins ({by}), {len(models)} to do"
    details = {
        "by": by,
        "models": list(models),
        "enabled": list(roster.enabled),
        "disabled": list(roster.disabled),
        "left_s": round(left_s),
    }
    store.record(Event(now, PASS, words, round_.tournament, round_.number, details=details))


def note_left_out(store: RosterStore, round_: Round, reason: str, *, now: datetime) -> bool:
    """Write down once that an open round is left out, and why; return whether it was new. Raises: LocalTrouble."""
    words = f"round {round_.number} is left out: {reason}"
    event = Event(now, LEFT_OUT, words, round_.tournament, round_.number, details={"reason": reason})
    return store.record_once(event)
