"""The step machine's pure part: moving a row on, and reading what Numerai says of it.

pending → predicted → checked → uploaded → submitted → confirmed; each step may end in failed or rejected, and after the
deadline in late, queued or missed. "Confirmed" has one meaning: Numerai lists our filename for this round as on-time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from numebot.core.types import STEPS, ListedSubmission, State, Submission, SubmissionRecord

ENDINGS = frozenset({State.CONFIRMED, State.REJECTED, State.LATE, State.QUEUED, State.MISSED})
"""States that no pass leaves by itself."""


class Verdict(StrEnum):
    """What the server's lists say of one of our files."""

    ON_TIME = "on-time"
    """Listed for this round as on-time."""
    LATE = "late"
    """Listed, but after the deadline."""
    WAITING = "waiting"
    """The server knows the file and has not decided yet."""
    REFUSED = "refused"
    """The server's validation failed and gave a reason."""
    PASSED_OVER = "passed over"
    """The server knows the file, but lists another one as on-time: ours did not become valid, or not yet."""
    ABSENT = "absent"
    """The server does not know the file."""


def moved_on(row: Submission, step: State, **changes: object) -> Submission:
    """Return `row` after `step` was done: state and step follow, the last error is over and no plugin runs."""
    if step not in STEPS:
        raise ValueError(f"{step} is not a step")
    over = replace(row, state=step, step=step, error=None, next_attempt_at=None, begun_at=None)
    return replace(over, **changes)  # type: ignore[arg-type] # names are the caller's


def failed(row: Submission, error: str, *, next_attempt_at: datetime | None) -> Submission:
    """Return `row` after a failure that is worth another attempt; the durable step stays."""
    return replace(
        row,
        state=State.FAILED,
        error=error,
        attempts=row.attempts + 1,
        next_attempt_at=next_attempt_at,
        begun_at=None,
    )


NEVER_CAME_BACK = "the last attempt never came back: its process was killed or crashed while the plugin ran"
"""Said of a plugin that took its process with it: nobody was left to write the failure down."""


def never_came_back(row: Submission, *, next_attempt_at: datetime | None) -> Submission:
    """Return `row` after a plugin took its process with it."""
    again = replace(row, plugin_failures=row.plugin_failures + 1)
    return failed(again, NEVER_CAME_BACK, next_attempt_at=next_attempt_at)


def ended(row: Submission, state: State, error: str | None = None) -> Submission:
    """Return `row` in one of the endings."""
    if state not in ENDINGS:
        raise ValueError(f"{state} is not an ending")
    return replace(row, state=state, error=error, next_attempt_at=None, begun_at=None)


def started_over(row: Submission) -> Submission:
    """Return `row` as it was before its first step; only the counters and the slot's id stay."""
    return Submission(
        row.tournament,
        row.round_number,
        row.model,
        model_id=row.model_id,
        attempts=row.attempts,
        refusals=row.refusals,
        plugin_failures=row.plugin_failures,
    )


def has_reached(row: Submission, step: State) -> bool:
    """Whether `step` is durable."""
    return STEPS.index(row.step) >= STEPS.index(step)


def slot_of(row: Submission) -> str:
    """Return the id of the row's slot in the account; ValueError when it has none and cannot be uploaded."""
    if row.model_id is None:
        raise ValueError(f"{row.model} has no slot in the account")
    return row.model_id


def upload_name(model: str, round_number: int) -> str:
    """Return the name under which we ask for an upload; the server adds a random part before the ending."""
    return f"{model}_submission_{round_number}.csv"


def is_our_upload(filename: str | None, model: str, round_number: int) -> bool:
    """Whether a listed filename was made from our `upload_name`, by this or an earlier installation."""
    stem = re.escape(upload_name(model, round_number).removesuffix(".csv"))
    return filename is not None and re.fullmatch(rf"{stem}-[A-Za-z0-9_]{{6,}}\.csv", filename) is not None


def inputs_key(**parts: object) -> str:
    """Return the sha256 of what predictions are made from; equal keys mean that nothing has to be made again."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def verdict(
    row: Submission, listed: Sequence[ListedSubmission], records: Sequence[SubmissionRecord]
) -> tuple[Verdict, str]:
    """Return what the server says of `row.filename`, with its own words where it gave any.

    `listed` are the rows of latestSubmissions of the model, `records` its `submissions` (may be empty when unknown).
    A file that is listed for another round is not ours to count for this one.
    """
    ours = [entry for entry in listed if entry.filename == row.filename and entry.round_number == row.round_number]
    for status, answer in (("on-time", Verdict.ON_TIME), ("late", Verdict.LATE)):
        if any(entry.status == status for entry in ours):
            return answer, status
    if ours:
        return Verdict.WAITING, ours[0].status
    return _unlisted(row, listed, records)


def _unlisted(
    row: Submission, listed: Sequence[ListedSubmission], records: Sequence[SubmissionRecord]
) -> tuple[Verdict, str]:
    known = [record for record in records if record.filename == row.filename or record.id == row.submission_id]
    for record in known:
        if record.error_info:
            return Verdict.REFUSED, record.error_info
        if record.status and record.status.lower() in _REFUSED_WORDS:
            return Verdict.REFUSED, record.status
    others = [entry for entry in listed if entry.round_number == row.round_number and entry.status == "on-time"]
    if others and (known or row.submission_id):
        if any(entry.filename is None for entry in others):
            # It may be ours: without its name there is no telling, so nothing is concluded from it.
            return Verdict.WAITING, "Numerai lists an on-time submission without its filename"
        return Verdict.PASSED_OVER, f"Numerai lists {others[0].filename} instead"
    if known:
        return Verdict.WAITING, known[0].status or "known, not listed yet"
    return Verdict.ABSENT, "not listed"


_REFUSED_WORDS = frozenset({"invalid", "failed", "failure", "error", "rejected"})


def are_bytes_lost(words: str) -> bool:
    """Whether a refusal speaks of the uploaded file being gone, not of what stands in it."""
    return not words.startswith(INVALID) and _LOST_BYTES.search(words) is not None


INVALID = "invalid_submission"
"""How the messages of Numerai's own validator begin."""

_LOST_BYTES = re.compile(
    r"\b(file|upload|object|key)\b.*\b(not found|missing|does not exist|no such|never uploaded)\b"
    r"|\b(no such|missing)\b.*\b(file|upload|object|key)\b",
    re.IGNORECASE | re.DOTALL,
)


def attempts_made(row: Submission) -> int:
    """Return how often work on a row was begun: its failures, and the attempt that got it where it stands."""
    is_in_progress = row.step is not State.PENDING and row.state is not State.FAILED
    return row.attempts + (1 if is_in_progress else 0)


def as_json(row: Submission) -> Mapping[str, object]:
    """Return the documented form of a row for `--json`."""
    return {
        "name": row.model,
        "state": row.state.value,
        "filename": row.filename,
        "submission_id": row.submission_id,
        "sha256": row.sha256,
        "attempts": attempts_made(row),
        "fallback": row.rung,
        "error": row.error,
    }
