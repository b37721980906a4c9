"""Whole tables, batch by batch, with names in place of the numbers that stand for them inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

import numebot.adapters.store.result_tables as tables
import numebot.adapters.store.standing_tables as standing_tables
from numebot.adapters.store.engine import transaction
from numebot.adapters.store.tables import UtcDateTime, metadata
from numebot.core.errors import ConfigError
from numebot.core.exporting import ColumnKind, TableRows

BATCH = 20_000
"""Rows in memory at a time."""

_KINDS: Sequence[tuple[type[sa.types.TypeEngine[Any]], ColumnKind]] = (
    (UtcDateTime, ColumnKind.TIME),
    (tables.EpochSeconds, ColumnKind.TIME),
    (tables.Amount, ColumnKind.AMOUNT),
    (sa.Date, ColumnKind.DAY),
    (sa.JSON, ColumnKind.JSON),
    (standing_tables.Figures, ColumnKind.JSON),
    (sa.Boolean, ColumnKind.TRUTH),
    (sa.Float, ColumnKind.NUMBER),
    (sa.Integer, ColumnKind.WHOLE),
    (sa.String, ColumnKind.TEXT),
)
"""Special ones first: a time in seconds is a whole number, too."""


class TableReader:
    """Reads any table from beginning to end. Raises: LocalTrouble."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def names(self) -> Sequence[str]:
        """Return the names of all tables."""
        return sorted(metadata.tables)

    @contextmanager
    def rows(self, name: str) -> Iterator[TableRows]:
        """Yield a table as it is now; what others write meanwhile is not in it.

        Raises: ConfigError for a table that is none.
        """
        if name not in metadata.tables:
            raise ConfigError(f'table "{name}": there is none. There are: {", ".join(self.names())}.')
        table = metadata.tables[name]
        query, columns = _named(table)
        with transaction(self._engine, reads=True) as connection:
            yield TableRows(name, [(column.name, _kind(column)) for column in columns], _read(connection, query))


def _read(connection: Connection, query: sa.Select[Any]) -> Iterator[Sequence[Sequence[object]]]:
    # A server would send all rows at once without this; SQLite hands them out one by one anyway.
    found = connection.execution_options(stream_results=True, max_row_buffer=BATCH).execute(query)
    yield from found.partitions(BATCH)


_NAMED: Mapping[str, tuple[sa.Table, Mapping[str, str]]] = {
    "slot": (tables.slots, {"tournament": "tournament", "model_id": "model_id", "name": "model"}),
    "metric": (tables.metrics, {"name": "metric", "version": "version"}),
    "leaderboard": (tables.leaderboards, {"tournament": "tournament", "day": "day", "figures": "figure_names"}),
    "board": (standing_tables.account_boards, {"tournament": "tournament", "day": "day"}),
}
"""Columns that hold a number: the table it leads to, and what of that is told instead, under which names."""


def _named(table: sa.Table) -> tuple[sa.Select[Any], list[sa.ColumnElement[Any]]]:
    """Return a query for a table in the order of its key, and its columns with the names behind the numbers."""
    columns: dict[str, sa.ColumnElement[Any]] = {}
    joined: sa.FromClause = table
    own = {column.name for column in table.columns} - _NAMED.keys()
    for column in table.columns:
        if column.name not in _NAMED:
            columns[column.name] = column
            continue
        other, names = _NAMED[column.name]
        joined = joined.outerjoin(other, column == other.c.id)
        for inside, outside in names.items():
            if outside not in columns and outside not in own:
                columns[outside] = other.c[inside].label(outside)
    shown = list(columns.values())
    return sa.select(*shown).select_from(joined).order_by(*table.primary_key.columns), shown


def _kind(column: sa.ColumnElement[Any]) -> ColumnKind:
    return next(kind for type_, kind in _KINDS if isinstance(column.type, type_))
