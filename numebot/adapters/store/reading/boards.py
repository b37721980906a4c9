"""Leaderboard snapshots: which there are, and the ranks of our own models from day to day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Engine

import numebot.adapters.store.result_tables as tables
from numebot.adapters.store.answers import Answers
from numebot.adapters.store.engine import transaction
from numebot.adapters.store.reading.models import known_models
from numebot.core.known_models import KnownModel
from numebot.core.results import Leaderboard
from numebot.core.standings import RankPoint


class BoardReader:
    """Answers questions about leaderboards. Raises: LocalTrouble."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def models(self, tournament: int) -> Sequence[KnownModel]:
        """Return the models that the account listed when it was read last, by name."""
        with transaction(self._engine, reads=True) as connection:
            return [model for model in known_models(connection, tournament).values() if model.is_listed]

    def snapshot(self, tournament: int, day: date | None = None) -> Leaderboard | None:
        """Return the snapshot of a UTC day, or the newest one; None when there is none."""
        return Answers(self._engine).leaderboard(tournament, day)

    def nearest_days(self, tournament: int, day: date) -> Sequence[date]:
        """Return the last day with a snapshot before `day` and the first one after it, where there are such."""
        table = tables.leaderboards
        is_of = table.c.tournament == tournament
        with transaction(self._engine, reads=True) as connection:
            found = (
                connection.scalar(sa.select(sa.func.max(table.c.day)).where(is_of, table.c.day < day)),
                connection.scalar(sa.select(sa.func.min(table.c.day)).where(is_of, table.c.day > day)),
            )
        return [one for one in found if one is not None]

    def ranks(self, tournament: int, *, since: date, until: date) -> Sequence[RankPoint]:
        """Return the ranks of our models on the snapshots of the days from `since` to `until`, oldest first."""
        boards, lines, slots = tables.leaderboards, tables.leaderboard_rows, tables.slots
        query = (
            sa.select(boards.c.day, slots.c.model_id, lines.c.rank)
            .join(lines, lines.c.leaderboard == boards.c.id)
            .join(slots, lines.c.slot == slots.c.id)
            .where(boards.c.tournament == tournament, boards.c.day >= since, boards.c.day <= until)
            .order_by(boards.c.day, lines.c.place)
        )
        with transaction(self._engine, reads=True) as connection:
            return [RankPoint(row.day, row.model_id, row.rank) for row in connection.execute(query)]
