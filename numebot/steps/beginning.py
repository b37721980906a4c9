"""The first look at a model's row: whose slot it is, and what Numerai holds of ours already."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from numebot.adapters.store import Store
from numebot.core.submissions import failed, is_our_upload, moved_on, never_came_back, started_over
from numebot.core.types import AccountModel, ListedSubmission, State, Submission
from numebot.steps.journal import Journal
from numebot.steps.open_round import OpenRound

logger = logging.getLogger(__name__)


def begin(
    store: Store,
    journal: Journal,
    open_round: OpenRound,
    *,
    model: str,
    slot: AccountModel | None,
    run: timedelta = timedelta(),
) -> Submission:
    """Return the row of `model` in this round as it stands after comparing it with the account.

    `slot` is None when the account has no such model; the row then says so when it is played. `run` is how long an
    attempt will take. Raises: LocalTrouble.
    """
    round_ = open_round.round
    fresh = Submission(round_.tournament, round_.number, model, model_id=slot.id if slot else None)
    row = store.begin_submission(fresh, now=journal.now())
    if slot is not None:
        row = _in_this_slot(journal, row, slot)
        row = _compared(journal, row, slot, open_round)
    if row.begun_at is not None:
        lost = never_came_back(row, next_attempt_at=open_round.next_attempt(row.attempts + 1, run=run))
        row = journal.change(row, lost, lost.error or "")
    if row.state is State.MISSED and open_round.left().total_seconds() > 0:
        again = failed(row, row.error or "missed", next_attempt_at=None)
        row = journal.change(row, again, "the deadline lies ahead again: trying once more")
    return row


def _in_this_slot(journal: Journal, row: Submission, slot: AccountModel) -> Submission:
    if row.model_id == slot.id:
        return row
    if row.model_id is None:
        return journal.change(row, replace(row, model_id=slot.id), f"found in the account as {slot.id}")
    # Names can be swapped, slots made anew, keys changed: what was sent went into another slot.
    anew = replace(started_over(row), model_id=slot.id, attempts=0, refusals=0, plugin_failures=0)
    return journal.change(row, anew, f"the name belongs to another slot now ({slot.id}): starting over")


def _compared(journal: Journal, row: Submission, slot: AccountModel, open_round: OpenRound) -> Submission:
    """Take over what Numerai lists as ours, so that it is never sent again; say when it lists something else."""
    for entry in slot.submissions:
        if entry.round_number == row.round_number and entry.status == "on-time":
            is_ours = entry.filename == row.filename or is_our_upload(entry.filename, row.model, row.round_number)
            if is_ours and entry.filename:
                return _adopted(journal, row, entry, open_round)
            if row.state is State.CONFIRMED:
                return _replaced(journal, row, entry)
    return row


def _adopted(journal: Journal, row: Submission, entry: ListedSubmission, open_round: OpenRound) -> Submission:
    if row.state is State.CONFIRMED and row.filename == entry.filename and row.error is None:
        return row
    found = replace(row, filename=entry.filename, submission_id=entry.id)
    confirmed = moved_on(found, State.CONFIRMED, confirmed_at=row.confirmed_at or open_round.now())
    return journal.change(row, confirmed, f"confirmed ({entry.filename}, found at Numerai)")


def _replaced(journal: Journal, row: Submission, entry: ListedSubmission) -> Submission:
    other = entry.filename or "another file"
    words = f"Numerai counts {other} in place of it, uploaded elsewhere; --force sends ours anew"
    logger.warning("round %s: %s %s", row.round_number, row.model, words)
    return row if row.error == words else journal.change(row, replace(row, error=words), words)
