"""The careful step: checked → uploaded → submitted.

Exactly-once cannot be had over a network; exactly one accepted, identical, on-time submission can: the filename that
the upload authorisation returned is written down before createSubmission is sent, and after any doubtful answer Numerai
is asked for that filename before anything is sent again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from numebot.core.errors import Ambiguous, Rejected, Unavailable
from numebot.core.ports import Clock, TournamentServer
from numebot.core.submissions import are_bytes_lost, moved_on, slot_of, upload_name
from numebot.core.types import State, Submission
from numebot.steps.journal import Journal
from numebot.steps.open_round import OpenRound

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How often each request is tried in one pass, and how long to wait in between, in seconds.

    `settle_s` is the wait after a doubtful answer: a submission that is still on its way shows up by then.
    """

    attempts: int = 3
    retry_s: float = 5.0
    settle_s: float = 15.0


class Submitter:
    """Brings checked files to "submitted" with one server."""

    def __init__(self, server: TournamentServer, journal: Journal, clock: Clock, patience: Patience) -> None:
        self._server = server
        self._journal = journal
        self._clock = clock
        self._patience = patience

    def submit(self, row: Submission, file: Path, open_round: OpenRound) -> Submission:
        """Bring a checked or uploaded row to "submitted"; bytes that the storage lost are uploaded once more.

        Raises as `upload` and `create`; Unavailable when they are lost again.
        """
        with self._journal.tries.of(row):
            return self._submit(row, file, open_round)

    def _submit(self, row: Submission, file: Path, open_round: OpenRound) -> Submission:
        is_resumed = row.step is State.UPLOADED
        lost = ""
        for _ in range(2):
            if row.step is not State.UPLOADED:
                row = self.upload(row, file, open_round)
            try:
                return self.create(row, open_round, is_resumed=is_resumed)
            except Rejected as error:
                lost = " ".join(error.reasons) or str(error)
                if not are_bytes_lost(lost):
                    raise
                back = replace(row, state=State.CHECKED, step=State.CHECKED, filename=None, submission_id=None)
                row = self._journal.change(row, back, f"Numerai lost the upload ({lost}): uploading afresh")
                is_resumed = False
        # A storage in trouble says nothing about the predictions: it may hold them again in a minute.
        raise Unavailable(f"Numerai lost the upload twice ({lost})")

    def upload(self, row: Submission, file: Path, open_round: OpenRound) -> Submission:
        """Send the bytes under a fresh authorisation per attempt; afterwards the filename is durable.

        Raises: Unavailable, AccessDenied, RoundClosed, LocalTrouble.
        """
        name = upload_name(row.model, row.round_number)
        for attempt in range(1, self._patience.attempts + 1):
            open_round.require_time()
            began = self._clock.monotonic()
            try:
                authorisation = self._server.authorise_upload(row.tournament, slot_of(row), name)
                self._server.put_file(authorisation, file)
            except Unavailable as error:
                if attempt == self._patience.attempts:
                    raise
                self._pause(row, error, attempt, began)
                continue
            except Rejected as error:
                # No verdict on the predictions: nothing was submitted yet, and what stands in the way may be lifted.
                raise Unavailable(f"the upload was not allowed: {error}") from error
            done = moved_on(row, State.UPLOADED, filename=authorisation.filename, submission_id=None)
            size = file.stat().st_size
            message = f"uploaded {size:,} bytes as {authorisation.filename}"
            lasted_s = round(self._clock.monotonic() - began, 2)
            return self._journal.change(row, done, message, bytes=size, attempt=attempt, lasted_s=lasted_s)
        raise AssertionError("the loop returns or raises")

    def create(self, row: Submission, open_round: OpenRound, *, is_resumed: bool) -> Submission:
        """Turn the uploaded bytes into a submission, at most once.

        A resumed row may have been sent by a process that died: then, and after every doubtful answer, Numerai is asked
        for the filename first.
        Raises: Unavailable, AccessDenied, Rejected, RoundClosed.
        """
        began = self._clock.monotonic()
        found = self._find(row) if is_resumed else None
        if is_resumed and found is None:
            self._journal.tries.add(
                row, f"Numerai does not know {row.filename}", decided="the submission is sent, under the same filename"
            )
        for attempt in range(1, self._patience.attempts + 1):
            if found is None:
                open_round.require_time()
                found = self._create_once(row, open_round, attempt)
            if found is not None:
                done = moved_on(row, State.SUBMITTED, submission_id=found, submitted_at=open_round.now())
                lasted_s = round(self._clock.monotonic() - began, 2)
                return self._journal.change(row, done, f"submitted, id {found}", attempt=attempt, lasted_s=lasted_s)
        raise Unavailable(f"createSubmission: no usable answer in {self._patience.attempts} attempts")

    def _create_once(self, row: Submission, open_round: OpenRound, attempt: int) -> str | None:
        filename = row.filename or ""
        began = self._clock.monotonic()
        try:
            return self._server.create_submission(
                row.tournament, slot_of(row), filename, data_datestamp=open_round.round.data_datestamp
            )
        except Ambiguous as error:
            logger.warning(
                "round %s: %s no clear answer (%s); asking Numerai for %s before anything is sent again",
                row.round_number, row.model, error, filename,
            )  # fmt: skip
            decided = f"not sent again before Numerai was asked for {filename}"
            self._journal.tries.add(row, str(error), decided=decided, lasted_s=self._clock.monotonic() - began)
            self._clock.wait(self._patience.settle_s)
            found = self._find(row)
            answer = f"it is known there, id {found}" if found is not None else "it is not known there"
            self._journal.tries.add(row, f"asked Numerai for {filename}", decided=answer)
            return found
        except Unavailable as error:
            if attempt == self._patience.attempts:
                raise
            self._pause(row, error, attempt, began)
            return None

    def _find(self, row: Submission) -> str | None:
        """Return the id under which the server knows our filename. Raises rather than guess when it cannot be asked."""
        for record in self._server.submission_records(slot_of(row)):
            if record.filename == row.filename:
                return record.id
        # A server in trouble may answer with an empty list, so "unknown" takes two of its lists.
        slots = [slot for slot in self._server.account_models() if slot.id == row.model_id]
        listed = [entry for slot in slots for entry in slot.submissions if entry.filename == row.filename]
        return (listed[0].id or "") if listed else None

    def _pause(self, row: Submission, error: Unavailable, attempt: int, began: float) -> None:
        wait = max(error.retry_after_s or 0.0, self._patience.retry_s * attempt)
        lasted_s = self._clock.monotonic() - began
        self._journal.tries.add(row, str(error), decided=f"tried again in {wait:.0f} s", lasted_s=lasted_s)
        logger.warning("round %s: %s %s; trying again in %.0f s", row.round_number, row.model, error, wait)
        self._clock.wait(wait)
