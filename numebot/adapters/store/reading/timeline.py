"""What was written down of a model in a round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine

import numebot.adapters.store.tables as tables
from numebot.adapters.store.engine import transaction
from numebot.adapters.store.rows import submission_of
from numebot.core.ledger import UNASKED
from numebot.core.types import Event, Round, Submission

GENERAL = (UNASKED, "alarm", "pass-killed", "clock-skew")
"""Kinds of events that belong to no round and concern each that was open then."""
EARLY = timedelta(minutes=15)
"""How long before an opening such events are of interest."""


class TimelineReader:
    """Answers what happened to a model in a round. Raises: LocalTrouble."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def events(self, round_: Round, model: str, model_id: str | None = None) -> Sequence[Event]:
        """Return what concerns a model in a round, in the order of writing; `model_id` finds it under older names."""
        table = tables.events
        here = sa.and_(table.c.tournament == round_.tournament, table.c.round_number == round_.number)
        general = sa.and_(
            table.c.at.between(round_.opens_at - EARLY, round_.deadline),
            table.c.round_number.is_(None),
            table.c.model.is_(None),
            sa.or_(table.c.tournament.is_(None), table.c.tournament == round_.tournament),
            table.c.kind.in_(GENERAL),
        )
        with transaction(self._engine, reads=True) as connection:
            names = {model, *connection.scalars(_names(round_, model_id))}
            ours = sa.and_(here, sa.or_(table.c.model.is_(None), table.c.model.in_(sorted(names))))
            # Two questions: one with "or" between them would read the whole table.
            rows = [*connection.execute(sa.select(table).where(ours))]
            rows += connection.execute(sa.select(table).where(general))
        rows.sort(key=lambda row: row.id)
        return [
            Event(row.at, row.kind, row.message, row.tournament, row.round_number, row.model, row.details)
            for row in rows
        ]

    def submission(self, round_: Round, model: str, model_id: str | None = None) -> Submission | None:
        """Return the row of a model in a round, also one that bears an older name of the same slot."""
        table = tables.submissions
        query = sa.select(table).where(
            table.c.tournament == round_.tournament,
            table.c.round_number == round_.number,
            sa.or_(table.c.model_id == (model_id or ""), table.c.model == model),
        )
        with transaction(self._engine, reads=True) as connection:
            rows = [submission_of(row) for row in connection.execute(query)]
        # A name may have moved to another slot: the slot counts.
        rows.sort(key=lambda row: row.model_id == model_id)
        return rows[-1] if rows else None


def _names(round_: Round, model_id: str | None) -> sa.Select[tuple[str]]:
    """Return the names under which a slot was played in a round: it may have been renamed since."""
    table = tables.submissions
    return sa.select(table.c.model).where(
        table.c.tournament == round_.tournament,
        table.c.round_number == round_.number,
        table.c.model_id == (model_id or ""),
    )
