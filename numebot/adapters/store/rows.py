"""The step machine in the database: one table of rows that move by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

import numebot.adapters.store.tables as tables
from numebot.adapters.store.engine import transaction
from numebot.core.errors import LocalTrouble
from numebot.core.submissions import ENDINGS
from numebot.core.types import Event, State, Submission

_GOING_ON = sorted(set(State) - set(ENDINGS))
_COLUMNS = tuple(field.name for field in fields(Submission))


class SubmissionRows:
    """The rows of one table: the submissions of the rounds, or the uploads made after their deadlines."""

    def __init__(self, engine: Engine, table: sa.Table) -> None:
        self._engine = engine
        self._table = table

    def one(self, tournament: int, round_number: int, model: str) -> Submission | None:
        """Return one row."""
        rows = self._found(self._is(Submission(tournament, round_number, model)))
        return rows[0] if rows else None

    def of_round(self, tournament: int, round_number: int) -> Sequence[Submission]:
        """Return the rows of one round, by model name."""
        return self._found(self._table.c.tournament == tournament, self._table.c.round_number == round_number)

    def unfinished(self, tournament: int) -> Sequence[Submission]:
        """Return the rows of all rounds that have not come to an end."""
        return self._found(self._table.c.tournament == tournament, self._table.c.state.in_(_GOING_ON))

    def begin(self, submission: Submission, *, now: datetime) -> Submission:
        """Insert a row unless there is one, and return what stands there."""
        with transaction(self._engine) as connection:
            found = connection.execute(sa.select(self._table).where(self._is(submission))).first()
            if found is not None:
                return submission_of(found)
            fresh = replace(submission, updated_at=now)
            connection.execute(self._table.insert().values(_values(fresh)))
        return fresh

    def change(self, before: Submission, after: Submission, event: Event | None) -> Submission:
        """Move a row from `before` to `after` by compare-and-set, with its line in the timeline, in one transaction.

        Raises: LocalTrouble when another process moved the row meanwhile.
        """
        fresh = replace(after, updated_at=event.at) if event is not None else after
        condition = sa.and_(
            self._is(before),
            self._table.c.state == before.state.value,
            self._table.c.step == before.step.value,
            self._table.c.attempts == before.attempts,
        )
        with transaction(self._engine) as connection:
            result = connection.execute(self._table.update().where(condition).values(_values(fresh)))
            if result.rowcount != 1:
                raise LocalTrouble(
                    f"round {before.round_number}, {before.model}: another numebot changed this row meanwhile. "
                    "Nothing was sent; run again."
                )
            if event is not None:
                insert_event(connection, event)
        return fresh

    def _found(self, *conditions: sa.ColumnElement[bool]) -> Sequence[Submission]:
        query = sa.select(self._table).where(*conditions).order_by(self._table.c.round_number, self._table.c.model)
        with transaction(self._engine, reads=True) as connection:
            return [submission_of(row) for row in connection.execute(query)]

    def _is(self, submission: Submission) -> sa.ColumnElement[bool]:
        return sa.and_(
            self._table.c.tournament == submission.tournament,
            self._table.c.round_number == submission.round_number,
            self._table.c.model == submission.model,
        )


def insert_event(connection: Connection, event: Event) -> None:
    """Add one line to the timeline."""
    connection.execute(
        tables.events.insert().values(
            at=event.at,
            kind=event.kind,
            message=event.message,
            tournament=event.tournament,
            round_number=event.round_number,
            model=event.model,
            details=dict(event.details),
        )
    )


def submission_of(row: Row[Any]) -> Submission:
    """Return a row of the table as a value."""
    values = {name: getattr(row, name) for name in _COLUMNS}
    return Submission(**values | {"state": State(row.state), "step": State(row.step)})


def _values(submission: Submission) -> Mapping[str, object]:
    values = {name: getattr(submission, name) for name in _COLUMNS}
    return values | {"state": submission.state.value, "step": submission.step.value}
