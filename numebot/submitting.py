"""The careful half of the pipeline: checks → submission → confirmed, one durable step after the other.

Exactly-once cannot be had over a network; exactly one accepted, identical, on-time submission can: the filename that
the upload authorisation returned is written down before createSubmission is sent, and after any doubtful answer Numerai
is asked for that filename before anything is sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from numebot.core.errors import Ambiguous, Rejected, RoundClosed, Unavailable
from numebot.core.ports import Clock, SubmissionStore, TournamentServer
from numebot.core.rounds import ServerClock, next_attempt, spoken, time_left
from numebot.core.submissions import Verdict, are_bytes_lost, ended, failed, moved_on, upload_name, verdict
from numebot.core.types import AccountModel, Event, Round, State, Submission, SubmissionRecord

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long and how often. Seconds unless the name says otherwise."""

    deadline_margin_s: float = 120.0
    upload_attempts: int = 4
    create_attempts: int = 3
    retry_s: float = 5.0
    settle_s: float = 15.0
    confirm_timeout_s: float = 180.0
    confirm_poll_s: float = 3.0
    records_every_s: float = 15.0


@dataclass(frozen=True)
class OpenRound:
    """A round that is open, on the server's own clock."""

    round: Round
    server_clock: ServerClock
    clock: Clock
    margin: timedelta

    def now(self) -> datetime:
        """Return the server's time."""
        return self.server_clock.at(self.clock.monotonic())

    def left(self) -> timedelta:
        """Return how long an upload may still begin."""
        return time_left(self.round, self.now(), margin=self.margin)

    def require_time(self) -> None:
        """Raise RoundClosed when an upload begun now could arrive late."""
        if self.left() <= timedelta(0):
            raise RoundClosed(
                f"round {self.round.number}: the deadline {self.round.deadline:%Y-%m-%d %H:%M} UTC is over or less "
                f"than {spoken(self.margin)} away. Nothing was sent."
            )


class Submitter:
    """Brings checked files to "confirmed" with one server, writing each step down before the next begins."""

    def __init__(
        self,
        server: TournamentServer,
        store: SubmissionStore,
        clock: Clock,
        *,
        patience: Patience,
        at_border: Callable[[str], None] = lambda border: None,
    ) -> None:
        """`at_border` is called with "before:STATE" and "STATE" around each durable change; kill tests use it."""
        self._server = server
        self._store = store
        self._clock = clock
        self._patience = patience
        self._at_border = at_border

    def change(self, before: Submission, after: Submission, message: str, **details: object) -> Submission:
        """Write one state change down, with its line in the timeline and in the log."""
        level = logging.WARNING if after.state in (State.FAILED, State.REJECTED, State.MISSED) else logging.INFO
        logger.log(level, "round %s: %s %s", before.round_number, before.model, message)
        event = Event(
            at=self._clock.now(),
            kind="state",
            message=message,
            tournament=before.tournament,
            round_number=before.round_number,
            model=before.model,
            details={"state": after.state.value, "step": after.step.value, **details},
        )
        self._at_border(f"before:{after.state.value}")
        changed = self._store.change(before, after, event)
        self._at_border(after.state.value)
        return changed

    def fail(self, row: Submission, error: Exception, open_round: OpenRound | None) -> Submission:
        """Record a failure in its own class: rejected for good, missed, or to be tried again before the deadline."""
        words = str(error)
        if isinstance(error, Rejected):
            return self.change(row, ended(row, State.REJECTED, words), f"rejected: {words}")
        if isinstance(error, RoundClosed):
            return self.change(row, ended(row, State.MISSED, words), f"missed: {words}")
        again = None
        if open_round is not None:
            again = next_attempt(open_round.now(), row.attempts + 1, open_round.round.deadline - open_round.margin)
        return self.change(row, failed(row, words, next_attempt_at=again), f"failed: {words}")

    def submit(self, row: Submission, file: Path, open_round: OpenRound) -> Submission:
        """Bring a checked or uploaded row to "submitted"; bytes that the storage lost are uploaded once more.

        Raises as `upload` and `create`.
        """
        is_resumed = row.step is State.UPLOADED
        for is_last in (False, True):
            if row.step is not State.UPLOADED:
                row = self.upload(row, file, open_round)
            try:
                return self.create(row, open_round, is_resumed=is_resumed)
            except Rejected as error:
                words = " ".join(error.reasons) or str(error)
                if is_last or not are_bytes_lost(words):
                    raise
                back = replace(row, state=State.CHECKED, step=State.CHECKED, filename=None, submission_id=None)
                row = self.change(row, back, f"Numerai lost the upload ({words}): uploading afresh")
                is_resumed = False
        raise AssertionError("the loop returns or raises")

    def upload(self, row: Submission, file: Path, open_round: OpenRound) -> Submission:
        """Send the bytes under a fresh authorisation per attempt; afterwards the filename is durable.

        Raises: Unavailable, AccessDenied, Rejected, RoundClosed, LocalTrouble.
        """
        name = upload_name(row.model, row.round_number)
        for attempt in range(1, self._patience.upload_attempts + 1):
            open_round.require_time()
            try:
                authorisation = self._server.authorise_upload(row.tournament, _slot(row), name)
                self._server.put_file(authorisation, file)
            except Unavailable as error:
                if attempt == self._patience.upload_attempts:
                    raise
                self._pause(row, error, attempt)
                continue
            done = moved_on(row, State.UPLOADED, filename=authorisation.filename, submission_id=None)
            size = file.stat().st_size
            message = f"uploaded {size:,} bytes as {authorisation.filename}"
            return self.change(row, done, message, bytes=size, attempt=attempt)
        raise AssertionError("the loop returns or raises")

    def create(self, row: Submission, open_round: OpenRound, *, is_resumed: bool) -> Submission:
        """Turn the uploaded bytes into a submission, at most once.

        A resumed row may have been sent by a process that died: then, and after every doubtful answer, Numerai is asked
        for the filename first.
        Raises: Unavailable, AccessDenied, Rejected, RoundClosed.
        """
        found = self._find(row) if is_resumed else None
        for attempt in range(1, self._patience.create_attempts + 1):
            if found is None:
                open_round.require_time()
                found = self._create_once(row, open_round, attempt)
            if found is not None:
                done = moved_on(row, State.SUBMITTED, submission_id=found, submitted_at=open_round.now())
                return self.change(row, done, f"submitted, id {found}", attempt=attempt)
        raise Unavailable(f"createSubmission: no usable answer in {self._patience.create_attempts} attempts")

    def _create_once(self, row: Submission, open_round: OpenRound, attempt: int) -> str | None:
        filename = row.filename or ""
        try:
            return self._server.create_submission(
                row.tournament, _slot(row), filename, data_datestamp=open_round.round.data_datestamp
            )
        except Ambiguous as error:
            logger.warning(
                "round %s: %s no clear answer (%s); asking Numerai for %s before anything is sent again",
                row.round_number, row.model, error, filename,
            )  # fmt: skip
            self._clock.wait(self._patience.settle_s)
            return self._find(row)
        except Unavailable as error:
            if attempt == self._patience.create_attempts:
                raise
            self._pause(row, error, attempt)
            return None

    def _find(self, row: Submission) -> str | None:
        """Return the id under which the server knows our filename. Raises rather than guess when it cannot be asked."""
        for record in self._server.submission_records(_slot(row)):
            if record.filename == row.filename:
                return record.id
        return None

    def confirm(self, rows: Sequence[Submission], open_round: OpenRound) -> list[Submission]:
        """Ask Numerai until every row is listed as on-time, refused, or the patience ends; all models in one call.

        What is still undecided stays submitted, with the reason and the time of the next look.
        """
        waiting = {row.model: row for row in rows}
        done: list[Submission] = []
        began = self._clock.monotonic()
        records = RecordsCache(self._server, self._clock, self._patience.records_every_s)
        last_words = "not asked yet"
        while waiting:
            try:
                listed = slots_by_id(self._server.account_models())
                for row in list(waiting.values()):
                    settled, last_words = self._settle(row, listed, records, open_round)
                    if settled is not None:
                        done.append(settled)
                        del waiting[row.model]
            except Unavailable as error:
                last_words = str(error)
                logger.warning("round %s: read-back failed, trying again: %s", open_round.round.number, error)
            waited = self._clock.monotonic() - began
            if waiting and waited >= self._patience.confirm_timeout_s:
                return done + [self._give_up(row, last_words, waited, open_round) for row in waiting.values()]
            if waiting:
                self._clock.wait(self._patience.confirm_poll_s)
        return done

    def _settle(
        self, row: Submission, listed: Mapping[str, AccountModel], records: RecordsCache, open_round: OpenRound
    ) -> tuple[Submission | None, str]:
        slot = listed.get(row.model_id or "")
        entries = slot.submissions if slot else ()
        answer, words = verdict(row, entries, ())
        if answer in (Verdict.ABSENT, Verdict.PASSED_OVER):
            answer, words = verdict(row, entries, records.of(_slot(row)))
        if answer is Verdict.REFUSED:
            return self.refuse(row, words, open_round), words
        return self.take(row, answer, open_round.now()), words

    def take(self, row: Submission, answer: Verdict, now: datetime) -> Submission | None:
        """Write a final verdict down; None when there is none yet."""
        if answer is Verdict.ON_TIME:
            return self.change(row, moved_on(row, State.CONFIRMED, confirmed_at=now), f"confirmed ({row.filename})")
        if answer is Verdict.LATE:
            words = f"Numerai lists {row.filename} as late"
            return self.change(row, ended(row, State.LATE, words), words)
        return None

    def refuse(self, row: Submission, words: str, open_round: OpenRound) -> Submission:
        """Record a failed validation; the first one sends the work back to "checked".

        The file passed the same checks here, so bytes that were damaged on the way are as likely as a real fault. A
        second refusal is final.
        """
        if row.attempts > 0:
            return self.fail(row, Rejected(f"Numerai: {words}", [words]), open_round)
        back = replace(row, step=State.CHECKED, filename=None, submission_id=None)
        again = next_attempt(open_round.now(), 1, open_round.round.deadline - open_round.margin)
        error = f"Numerai refused the upload: {words}"
        return self.change(row, failed(back, error, next_attempt_at=again), f"{error}; it is sent once more")

    def _give_up(self, row: Submission, words: str, waited_s: float, open_round: OpenRound) -> Submission:
        again = next_attempt(open_round.now(), 1, open_round.round.deadline - open_round.margin)
        error = f"not confirmed after {waited_s:.0f} s: {words}"
        return self.change(row, replace(row, error=error, next_attempt_at=again), error)

    def _pause(self, row: Submission, error: Unavailable, attempt: int) -> None:
        wait = max(error.retry_after_s or 0.0, self._patience.retry_s * attempt)
        logger.warning("round %s: %s %s; trying again in %.0f s", row.round_number, row.model, error, wait)
        self._clock.wait(wait)


@dataclass
class RecordsCache:
    """`submissions(modelId)` has a low rate limit, so each model's answer is reused for `every_s` seconds."""

    server: TournamentServer
    clock: Clock
    every_s: float
    _answers: dict[str, tuple[float, Sequence[SubmissionRecord]]] = field(default_factory=dict)

    def of(self, model_id: str) -> Sequence[SubmissionRecord]:
        """Return what the server knows of a model's uploads, at most `every_s` old."""
        now = self.clock.monotonic()
        asked_at, answer = self._answers.get(model_id, (float("-inf"), ()))
        if now - asked_at >= self.every_s:
            answer = self.server.submission_records(model_id)
            self._answers[model_id] = (now, answer)
        return answer


def slots_by_id(models: Sequence[AccountModel]) -> Mapping[str, AccountModel]:
    """Return the account's slots by their id: names are unique per tournament only."""
    return {model.id: model for model in models}


def _slot(row: Submission) -> str:
    if row.model_id is None:
        raise ValueError(f"{row.model} has no slot in the account")
    return row.model_id
