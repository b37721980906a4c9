"""Model slots and metrics as small whole numbers, which stand for them in the large tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

import numebot.adapters.store.result_tables as tables
from numebot.adapters.store.upserts import upsert_many

SlotKey = tuple[int, str]
"""Tournament and model id: names are unique within a tournament only, and they change."""
MetricKey = tuple[int, str, str]
"""Tournament, name and version."""


def slot_numbers(
    connection: Connection, names: Mapping[SlotKey, str | None], *, now: datetime | None = None
) -> dict[SlotKey, int]:
    """Return the numbers of slots, made where they are new.

    With `now` the account was read: the names are its, and the slots are listed. Without, a name is only a first guess.
    """
    table = tables.slots
    tournaments = {tournament for tournament, _ in names}
    query = sa.select(table).where(table.c.tournament.in_(tournaments))
    known = {(row.tournament, row.model_id): row for row in connection.execute(query)}
    numbers: dict[SlotKey, int] = {}
    for (tournament, model_id), name in names.items():
        row = known.get((tournament, model_id))
        if row is None:
            seen = {"is_listed": now is not None, "first_seen_at": now, "seen_at": now}
            insert = table.insert().values(tournament=tournament, model_id=model_id, name=name or model_id, **seen)
            numbers[tournament, model_id] = inserted_number(connection, insert)
            continue
        numbers[tournament, model_id] = row.id
        if now is not None:
            if row.first_seen_at is not None and name not in (None, row.name):
                _keep_former_name(connection, row.id, row.name, now)
            first = row.first_seen_at or now
            values = {"name": name or row.name, "is_listed": True, "first_seen_at": first, "seen_at": now}
            connection.execute(table.update().where(table.c.id == row.id).values(values))
    return numbers


def _keep_former_name(connection: Connection, slot: int, name: str, now: datetime) -> None:
    upsert_many(connection, tables.former_names, [{"slot": slot, "name": name, "until": now}])


def slot_numbers_by_name(connection: Connection, tournament: int) -> dict[str, int]:
    """Return the numbers of the account's models by their present names."""
    table = tables.slots
    query = sa.select(table.c.name, table.c.id).where(table.c.tournament == tournament, table.c.is_listed)
    return {row.name: row.id for row in connection.execute(query)}


def metric_numbers(connection: Connection, names: Iterable[MetricKey]) -> dict[MetricKey, int]:
    """Return the numbers of metrics, made where they are new."""
    table = tables.metrics
    known = {(row.tournament, row.name, row.version): int(row.id) for row in connection.execute(sa.select(table))}
    for key in dict.fromkeys(names):
        if key not in known:
            tournament, name, version = key
            insert = table.insert().values(tournament=tournament, name=name, version=version)
            known[key] = inserted_number(connection, insert)
    return known


def inserted_number(connection: Connection, insert: sa.Insert) -> int:
    """Insert one row and return its number."""
    key = connection.execute(insert).inserted_primary_key
    assert key is not None  # a single row was inserted, and its table has a numbered key
    return int(key[0])
