"""Submissions: created, validated a moment later, and listed for the round they count in.

The latest valid upload counts. What arrives after the deadline is late for its round, and the latest of those is queued
for the next one, where it is on-time from the opening until something newer replaces it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

import pandas as pd

from numebot.practice.recent import Recent
from numebot.practice.world.desk import Desk, judged, newest_first
from numebot.practice.world.refusals import Refusal
from numebot.practice.world.rounds import PracticeRound
from numebot.practice.world.state import ModelSlot, Purpose, SubmissionEntry, Verdict
from numebot.practice.world.validator import validate

_PREDICTIONS_KEPT = 64


class Standing(StrEnum):
    """What latestSubmissions says of a model in a round."""

    ON_TIME = "on-time"
    """Valid, and counts for this round."""
    LATE = "late"
    """Valid, after the deadline."""
    QUEUED = "queued"
    """A late one that waits for this round to open."""
    PENDING = "pending"
    """The newest upload; the validator has not spoken."""
    NONE = "none"
    """Nothing valid."""


@dataclass(frozen=True)
class ListedRow:
    """A row of latestSubmissions: round times are dates, `entry` is None for `none`."""

    round_number: int
    opens_on: date
    deadline_on: date
    closes_on: date
    standing: Standing
    entry: SubmissionEntry | None


@dataclass(frozen=True)
class UploadDetails:
    """What a client said beside the file."""

    source: str | None = None
    trigger_id: str | None = None
    data_datestamp: int | None = None
    remote: str = ""


class Submissions:
    """All submissions of the account."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._state = desk.state
        self._predictions: Recent[tuple[str, int], pd.Series[float]] = Recent(_PREDICTIONS_KEPT)
        self._by_round: dict[tuple[str, int], list[str]] = {}
        self._waiting: list[str] = []
        for entry in desk.state.submissions.values():
            self._index(entry)

    def create(self, model: ModelSlot, filename: str, now: datetime, details: UploadDetails) -> SubmissionEntry:
        """Turn uploaded bytes into a submission of the current round. A repeat makes a second one.

        Raises: Refusal for a file that is not there or a model with an assigned pickle.
        """
        refuse_if_automated(model)
        kept = self._desk.uploads.take(filename, Purpose.SUBMISSION, model)
        current = self._desk.calendar.current(now)
        entry = SubmissionEntry(
            id=str(uuid.uuid4()),
            model_id=model.id,
            tournament=model.tournament,
            round_number=current.number,
            filename=filename,
            sha256=kept.sha256,
            size_bytes=kept.size_bytes,
            inserted_at=now,
            validates_at=now + self._desk.validation_delay,
            is_late=now >= current.deadline,
            source=details.source,
            trigger_id=details.trigger_id,
            data_datestamp=details.data_datestamp,
            remote=details.remote,
        )
        self._state.submissions[entry.id] = entry
        self._index(entry)
        return entry

    def validate_due(self, now: datetime) -> bool:
        """Let the validator speak about everything whose time has come; True when it did."""
        waiting = [self._state.submissions[submission_id] for submission_id in self._waiting]
        due = [entry for entry in waiting if entry.validates_at <= now]
        for entry in due:
            self._state.submissions[entry.id] = judged(entry, self._accepted)
            self._waiting.remove(entry.id)
        return bool(due)

    def of_model(self, model_id: str) -> list[SubmissionEntry]:
        """Return every submission of a model, newest first."""
        return newest_first(self._state.submissions, model_id)

    def listed(self, model_id: str, now: datetime, *, rounds: int) -> list[ListedRow]:
        """Return the rows of latestSubmissions, newest round first; an upcoming round shows only what is queued."""
        newest = self._desk.calendar.current(now).number
        rows = [self._row(model_id, number, now) for number in range(newest + 1, newest - rounds, -1)]
        return [
            row for row in rows if row is not None and (row.round_number <= newest or row.standing != Standing.NONE)
        ]

    def standing(self, model_id: str, number: int, now: datetime) -> tuple[Standing, SubmissionEntry | None]:
        """Return what counts for a model in a round, and as what."""
        has_opened = number <= self._desk.calendar.current(now).number
        for entry in self._in_round(model_id, number, late=False):
            return (Standing.PENDING if entry.verdict is Verdict.PENDING else Standing.ON_TIME), entry
        for entry in self._in_round(model_id, number - 1, late=True):
            if entry.verdict is Verdict.VALID:
                return (Standing.ON_TIME if has_opened else Standing.QUEUED), entry
        for entry in self._in_round(model_id, number, late=True):
            return (Standing.PENDING if entry.verdict is Verdict.PENDING else Standing.LATE), entry
        return Standing.NONE, None

    def is_selected(self, entry: SubmissionEntry, now: datetime) -> bool:
        """Whether this upload is the one that counts, in its own round or the one it was queued for."""
        numbers = (entry.round_number, entry.round_number + 1)
        return entry.verdict is Verdict.VALID and any(
            self.standing(entry.model_id, number, now)[1] == entry for number in numbers
        )

    def predictions(self, entry: SubmissionEntry, number: int) -> pd.Series[float]:
        """Return valid predictions on the live ids of a round.

        For the round that a late upload was queued for, its ids are mapped by position in the two live files.
        """
        return self._predictions.get((entry.id, number), lambda: self._read(entry, number))

    def _read(self, entry: SubmissionEntry, number: int) -> pd.Series[float]:
        own = self._desk.market.ids(entry.tournament, entry.round_number)
        series = validate(self._desk.content(entry), entry.tournament, own).predictions
        if number == entry.round_number:
            return series
        return _moved(series, own, self._desk.market.ids(entry.tournament, number))

    def _index(self, entry: SubmissionEntry) -> None:
        self._by_round.setdefault((entry.model_id, entry.round_number), []).append(entry.id)
        if entry.verdict is Verdict.PENDING:
            self._waiting.append(entry.id)

    def _in_round(self, model_id: str, number: int, *, late: bool) -> Iterator[SubmissionEntry]:
        """Yield what was sent in a round and is not refused, newest first."""
        for submission_id in reversed(self._by_round.get((model_id, number), [])):
            entry = self._state.submissions[submission_id]
            if entry.is_late == late and entry.verdict is not Verdict.INVALID:
                yield entry

    def _row(self, model_id: str, number: int, now: datetime) -> ListedRow | None:
        listed = self._desk.calendar.round(number, now)
        return None if listed is None else self._listed_row(model_id, listed, now)

    def _listed_row(self, model_id: str, listed: PracticeRound, now: datetime) -> ListedRow:
        standing, entry = self.standing(model_id, listed.number, now)
        return ListedRow(
            round_number=listed.number,
            opens_on=listed.opens_at.date(),
            deadline_on=listed.deadline.date(),
            closes_on=listed.closes_at.date(),
            standing=standing,
            entry=entry,
        )

    def _accepted(self, entry: SubmissionEntry) -> SubmissionEntry:
        ids = self._desk.market.ids(entry.tournament, entry.round_number)
        valid = validate(self._desk.content(entry), entry.tournament, ids)
        return replace(entry, rows=valid.rows, accepted=len(valid.predictions))


def refuse_if_automated(model: ModelSlot) -> None:
    """Raise Refusal while a model upload is assigned to the slot: Numerai takes no API uploads for it then."""
    if model.pickle_id is not None:
        raise Refusal(
            f"{model.name} has a model upload assigned: submissions through the API are disabled until it is unassigned"
        )


def _moved(series: pd.Series[float], source: pd.Index, target: pd.Index) -> pd.Series[float]:
    """Map predictions to another round's ids by position, dropping what has no partner."""
    pairs = min(len(source), len(target))
    moved = series.reindex(source.astype(str)[:pairs])
    moved.index = target.astype(str)[:pairs]
    return moved.dropna()
