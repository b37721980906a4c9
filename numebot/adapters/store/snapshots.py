"""Leaderboard snapshots: one a day, of which a later one takes the place of an earlier one."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from numebot.adapters.store.numbers import inserted_number
from numebot.core.results import Leaderboard


def begun_snapshot(
    connection: Connection, table: sa.Table, number: sa.Column[int], board: Leaderboard, values: Mapping[str, object]
) -> int:
    """Return the number of the board's day in `table`, made or written anew, without any line.

    `number` is the column of the table of lines that leads to it.
    """
    is_day = sa.and_(table.c.tournament == board.tournament, table.c.day == board.day)
    known = connection.scalar(sa.select(table.c.id).where(is_day))
    values = {"taken_at": board.taken_at, "size": board.size, **values}
    if known is None:
        return inserted_number(
            connection, table.insert().values(tournament=board.tournament, day=board.day, **values)
        )
    connection.execute(table.update().where(table.c.id == known).values(values))
    connection.execute(number.table.delete().where(number == known))
    return int(known)
