"""After the deadline: what became of rows that never came to an end, by Numerai's word where it has one."""

from __future__ import annotations

from collections.abc import Sequence

from numebot.adapters.store import Store
from numebot.core.rounds import round_state
from numebot.core.submissions import Verdict, ended, verdict
from numebot.core.types import AccountModel, RoundState, State, Submission
from numebot.steps.confirming import Confirmer, slots_by_id
from numebot.steps.journal import Journal
from numebot.steps.open_round import OpenRound


def settle_earlier(
    confirmer: Confirmer, journal: Journal, store: Store, *, slots: Sequence[AccountModel], current: OpenRound
) -> None:
    """Give every unfinished row of a round that is over its ending: confirmed, late or missed."""
    is_over = round_state(current.round, current.now()) is RoundState.CLOSED
    first_unfinished = current.round.number + (1 if is_over else 0)
    by_id = slots_by_id(slots)
    for row in store.unfinished_before(current.round.tournament, first_unfinished):
        slot = by_id.get(row.model_id or "")
        answer = Verdict.ABSENT
        if slot is not None and row.filename:
            answer, _ = verdict(row, slot.submissions, ())
        if confirmer.take(row, answer, current.now()) is None:
            _miss(journal, row)


def _miss(journal: Journal, row: Submission) -> None:
    reason = row.error or f"the deadline passed while it was {row.state.value}"
    journal.change(row, ended(row, State.MISSED, reason), f"missed: {reason}")
