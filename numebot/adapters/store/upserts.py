"""Many rows at once, so that a repetition changes nothing: what is equal already is not even written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Row = Mapping[str, object]


def upsert_many(
    connection: Connection,
    table: sa.Table,
    rows: Sequence[Row],
    *,
    only_fill: Iterable[str] = (),
    only_when_new: Iterable[str] = (),
    unwatched: Iterable[str] = (),
    unless: sa.ColumnElement[bool] | None = None,
) -> int:
    """Insert rows or update those that stand there under the same primary key; return how many are new or changed.

    All rows must have the same columns. `only_fill` columns keep what they know when the new value is null,
    `only_when_new` columns are never updated, and a change of `unwatched` columns alone is no change. A row for which
    `unless` holds stays as it is.
    """
    if not rows:
        return 0
    # One key twice in a batch: the last one counts, as it would row by row.
    keys = [column.name for column in table.primary_key.columns]
    distinct = list({tuple(row[key] for key in keys): dict(row) for row in rows}.values())
    insert = _insert(connection, table)
    kept = {*keys, *only_when_new}
    changes = {}
    for name in distinct[0]:
        if name not in kept:
            new = insert.excluded[name]
            changes[name] = sa.func.coalesce(new, table.c[name]) if name in set(only_fill) else new
    watched = [name for name in changes if name not in set(unwatched)]
    condition = sa.or_(sa.false(), *(table.c[name].is_distinct_from(changes[name]) for name in watched))
    if unless is not None:
        condition = sa.and_(condition, sa.not_(unless))
    statement = insert.on_conflict_do_update(index_elements=keys, set_=changes, where=condition)
    if connection.dialect.name == "postgresql":
        # Rows go there many to a statement, of which only the last one's count would be known.
        return len(connection.execute(statement.returning(sa.literal(1)), distinct).all())
    return max(0, connection.execute(statement, distinct).rowcount)


def _insert(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # takes its time to load, which only its users should need

        return postgresql.insert(table)
    return sqlite.insert(table)
