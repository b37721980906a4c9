"""A round in one line: how late it opened, what state it is in, how many of ours are on-time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from numebot.core.ledger import COUNTED, Entry, KnownRound, Ledger, Standing
from numebot.core.results import RoundFacts
from numebot.core.rounds import round_state
from numebot.core.types import RoundState


@dataclass(frozen=True)
class RoundLine:
    """One round. `opened_late` is None where nobody knows when it should have opened.

    `on_time` of the `wanted` models are on-time; skipped ones are not wanted.
    """

    known: KnownRound
    state: str
    opened_late: timedelta | None
    on_time: int
    wanted: int


def round_lines(ledger: Ledger, now: datetime) -> list[RoundLine]:
    """Return the lines of a ledger's rounds, oldest first."""
    lines: list[RoundLine] = []
    previous: KnownRound | None = None
    for known in ledger.rounds:
        entries = ledger.of_round(known.number)
        on_time = sum(entry.standing is Standing.ON_TIME for entry in entries)
        late = opened_late(known, previous)
        lines.append(RoundLine(known, state_of(known.facts, now), late, on_time, sum(map(_is_wanted, entries))))
        previous = known
    return lines


def _is_wanted(entry: Entry) -> bool:
    return entry.standing in COUNTED or entry.standing is Standing.OPEN


def opened_late(known: KnownRound, previous: KnownRound | None) -> timedelta | None:
    """Return how long after its nominal opening a round opened: the round before it has announced that time."""
    if previous is None or previous.number != known.number - 1 or previous.facts.round.closes_at is None:
        return None
    return known.facts.round.opens_at - previous.facts.round.closes_at


def state_of(facts: RoundFacts, now: datetime) -> str:
    """Return "open", "closed" (no score yet), "scoring", "resolving" (its time has come) or "resolved"."""
    if facts.is_resolved:
        return "resolved"
    if round_state(facts.round, now) is RoundState.OPEN:
        return "open"
    if facts.resolves_at is not None and now >= facts.resolves_at:
        return "resolving"
    return "scoring" if facts.scores_at is not None and now >= facts.scores_at else "closed"
