"""After the deadline: what became of rows that never came to an end, by Numerai's word where it has one."""

from __future__ import annotations

from collections.abc import Sequence

from numebot.core.rounds import round_state
from numebot.core.submissions import NEVER_CAME_BACK, Verdict, ended, verdict
from numebot.core.types import AccountModel, RoundState, State, Submission
from numebot.steps.confirming import Confirmer, slots_by_id
from numebot.steps.journal import Journal
from numebot.steps.open_round import OpenRound

FEWEST_ROUNDS = 5
MOST_ROUNDS = 80
"""How many rounds back the read-back looks; about as many are in flight at a time."""


def rounds_to_read(unfinished: Sequence[Submission], newest_round: int) -> int:
    """Return how many rounds back Numerai has to be asked, so that every unfinished row is among them."""
    oldest = min((row.round_number for row in unfinished), default=newest_round)
    return max(FEWEST_ROUNDS, min(MOST_ROUNDS, newest_round - oldest + 2))


def settle(
    confirmer: Confirmer,
    journal: Journal,
    unfinished: Sequence[Submission],
    *,
    slots: Sequence[AccountModel],
    current: OpenRound,
) -> None:
    """Give unfinished rows of rounds that are over their ending: confirmed, late or missed.

    A row that Numerai is still deciding about, or that it knows but does not list yet, stays as it is.
    """
    is_over = round_state(current.round, current.now()) is RoundState.CLOSED
    by_id = slots_by_id(slots)
    for row in unfinished:
        if row.round_number == current.round.number and not is_over:
            continue
        slot = by_id.get(row.model_id or "")
        answer = Verdict.ABSENT
        if slot is not None and row.filename:
            answer, _ = verdict(row, slot.submissions, ())
        if answer is Verdict.WAITING or confirmer.take(row, answer, current.now()) is not None:
            continue
        reason = NEVER_CAME_BACK if row.begun_at else row.error
        reason = reason or f"the deadline passed while it was {row.state.value}"
        journal.change(row, ended(row, State.MISSED, reason), f"missed: {reason}")
