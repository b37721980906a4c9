"""The read-back: submitted → confirmed. Nothing but Numerai listing our filename as on-time counts as success."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from numebot.core.errors import Rejected, Unavailable
from numebot.core.ports import Clock, TournamentServer
from numebot.core.submissions import Verdict, ended, failed, moved_on, slot_of, verdict
from numebot.core.types import AccountModel, State, Submission, SubmissionRecord
from numebot.steps.journal import Journal
from numebot.steps.open_round import OpenRound

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watch:
    """How long to wait for Numerai's validation, and how often to ask meanwhile, in seconds.

    `records_every_s` spaces the questions for one model's uploads, which have a low rate limit.
    """

    timeout_s: float = 120.0
    poll_s: float = 3.0
    records_every_s: float = 15.0


class Confirmer:
    """Asks Numerai what became of our uploads, all models in one call."""

    def __init__(self, server: TournamentServer, journal: Journal, clock: Clock, watch: Watch) -> None:
        self._server = server
        self._journal = journal
        self._clock = clock
        self._watch = watch

    def confirm(self, rows: Sequence[Submission], open_round: OpenRound) -> list[Submission]:
        """Ask Numerai until every row is listed as on-time, refused, or the patience ends; all models in one call.

        What is still undecided stays submitted, with the reason and the time of the next look.
        """
        waiting = {row.model: row for row in rows}
        said = {row.model: (Verdict.WAITING, "not asked yet") for row in rows}
        done: list[Submission] = []
        began = self._clock.monotonic()
        records = RecordsCache(self._server, self._clock, self._watch.records_every_s)
        while waiting:
            for row in self._looked_at(waiting, said, records):
                settled = self._settle(row, said[row.model], open_round, self._clock.monotonic() - began)
                if settled is not None:
                    done.append(settled)
                    del waiting[row.model]
                else:
                    self._journal.tries.add(row, f"read-back: {said[row.model][1]}", decided="asked again")
            waited = self._clock.monotonic() - began
            if waiting and waited >= self._watch.timeout_s:
                return done + [self._give_up(row, said[row.model], waited, open_round) for row in waiting.values()]
            if waiting:
                self._clock.wait(self._watch.poll_s)
        return done

    def _looked_at(
        self, waiting: Mapping[str, Submission], said: dict[str, tuple[Verdict, str]], records: RecordsCache
    ) -> list[Submission]:
        """Ask once for all and note what is `said` of each; return the rows. A failure to ask says nothing new."""
        rows = list(waiting.values())
        try:
            listed = slots_by_id(self._server.account_models())
        except (Unavailable, Rejected) as error:
            logger.warning("the read-back failed, trying again: %s", error)
            said.update({row.model: (Verdict.WAITING, str(error)) for row in rows})
            return rows
        for row in rows:
            slot = listed.get(row.model_id or "")
            entries = slot.submissions if slot else ()
            said[row.model] = verdict(row, entries, ())
            if said[row.model][0] in (Verdict.ABSENT, Verdict.PASSED_OVER):
                try:
                    said[row.model] = verdict(row, entries, records.of(slot_of(row)))
                except (Unavailable, Rejected) as error:
                    said[row.model] = (Verdict.WAITING, str(error))
        return rows

    def _settle(
        self, row: Submission, said: tuple[Verdict, str], open_round: OpenRound, waited_s: float
    ) -> Submission | None:
        answer, words = said
        if answer is Verdict.REFUSED:
            return self.refuse(row, words, open_round)
        return self.take(row, answer, open_round.now(), lasted_s=round(waited_s, 2))

    def take(self, row: Submission, answer: Verdict, now: datetime, **details: object) -> Submission | None:
        """Write a final verdict down, with `details` in the timeline; None when there is none yet."""
        if answer is Verdict.ON_TIME:
            confirmed = moved_on(row, State.CONFIRMED, confirmed_at=now)
            return self._journal.change(row, confirmed, f"confirmed ({row.filename})", **details)
        if answer is Verdict.LATE:
            words = f"Numerai lists {row.filename} as late"
            return self._journal.change(row, ended(row, State.LATE, words), words, **details)
        return None

    def refuse(self, row: Submission, words: str, open_round: OpenRound) -> Submission:
        """Record a failed validation; the first one sends the work back to "checked".

        The file passed the same checks here, so bytes that were damaged on the way are as likely as a real fault. A
        second refusal is final.
        """
        if row.refusals > 0:
            return self._journal.fail(row, Rejected(f"Numerai: {words}", [words]), open_round)
        back = replace(row, step=State.CHECKED, filename=None, submission_id=None, refusals=1)
        again = open_round.next_attempt(1)
        error = f"Numerai refused the upload: {words}"
        return self._journal.change(row, failed(back, error, next_attempt_at=again), f"{error}; it is sent once more")

    def _give_up(
        self, row: Submission, said: tuple[Verdict, str], waited_s: float, open_round: OpenRound
    ) -> Submission:
        """Leave a row for the next pass: as submitted, or to be sent again when Numerai knows nothing of it."""
        answer, words = said
        again = open_round.next_attempt(row.attempts + 1)
        error = f"not confirmed after {waited_s:.0f} s: {words}"
        if answer is Verdict.ABSENT:
            back = replace(row, step=State.CHECKED, filename=None, submission_id=None)
            return self._journal.change(row, failed(back, error, next_attempt_at=again), f"{error}; it is sent again")
        return self._journal.change(row, replace(row, error=error, next_attempt_at=again), error)


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
