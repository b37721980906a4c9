"""Keeps the newest value of each series beside the daily ones, whatever order they come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

import numebot.adapters.store.result_tables as tables
from numebot.adapters.store.upserts import upsert_many

Row = Mapping[str, object]
"""A row of `scores`."""

_KEY = ("slot", "metric", "round_number")
_COLUMNS = (*_KEY, "day", "value", "percentile", "scored_at")


def note_newest(connection: Connection, rows: Sequence[Row]) -> None:
    """Bring the newest scores up to date after `rows` were written to `scores`.

    A day without a value counts only where no day has one: nulls come before there are returns, and with faults.
    """
    # One day twice among the rows: the last one counts, as it did when they were written.
    rows = list({tuple(row[name] for name in (*_KEY, "day")): row for row in rows}.values())
    taken_back = _forget_taken_back(connection, [row for row in rows if row["value"] is None])
    table = tables.newest_scores
    new_day, new_value = (sa.literal_column(f"excluded.{name}", table.c[name].type) for name in ("day", "value"))
    is_poorer = sa.and_(table.c.value.is_not(None), new_value.is_(None))
    is_as_poor = sa.or_(table.c.value.is_not(None), new_value.is_(None))
    is_older = sa.and_(table.c.day > new_day, is_as_poor)
    upsert_many(connection, table, _newest_of(rows), unless=sa.or_(is_poorer, is_older))
    if taken_back:
        upsert_many(connection, table, list(_read_again(connection, taken_back)))


def _newest_of(rows: Iterable[Row]) -> list[Row]:
    best: dict[tuple[object, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in _KEY)
        if key not in best or _weight(row) > _weight(best[key]):
            best[key] = row
    return [{name: row[name] for name in _COLUMNS} for row in best.values()]


def _weight(row: Row) -> tuple[bool, int]:
    day = row["day"]
    assert isinstance(day, int)
    return row["value"] is not None, day


def _forget_taken_back(connection: Connection, rows: Sequence[Row]) -> Sequence[Row]:
    """Remove the newest scores whose value became null again; return the rows that may have done it."""
    if not rows:
        return ()
    table, key = tables.newest_scores, (*_KEY, "day")
    is_it = sa.and_(*(table.c[name] == sa.bindparam(f"its_{name}") for name in key))
    forget = table.delete().where(is_it, table.c.value.is_not(None))
    found = connection.execute(forget, [{f"its_{name}": row[name] for name in key} for row in rows]).rowcount
    return rows if found else ()


def _read_again(connection: Connection, rows: Sequence[Row]) -> Iterable[Row]:
    """Find the newest score that is left of each series among its daily ones."""
    scores = tables.scores
    for row in rows:
        query = (
            sa.select(*(scores.c[name] for name in _COLUMNS))
            .where(*(scores.c[name] == row[name] for name in _KEY))
            .order_by(scores.c.value.is_(None), scores.c.day.desc())
            .limit(1)
        )
        yield dict(connection.execute(query).one()._mapping)
