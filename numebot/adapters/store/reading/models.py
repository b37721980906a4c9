"""The model slots with their present and former names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

import numebot.adapters.store.result_tables as tables
from numebot.core.known_models import KnownModel


def known_models(
    connection: Connection, tournament: int | None = None, model_ids: Collection[str] | None = None
) -> dict[int, KnownModel]:
    """Return models by the number of their slot, by tournament and name, those that are gone last; None means all."""
    slots, names = tables.slots, tables.former_names
    query = sa.select(slots).order_by(slots.c.tournament, slots.c.is_listed.desc(), slots.c.name, slots.c.id)
    if tournament is not None:
        query = query.where(slots.c.tournament == tournament)
    if model_ids is not None:
        query = query.where(slots.c.model_id.in_(model_ids))
    former: dict[int, list[str]] = defaultdict(list)
    for slot, name in connection.execute(sa.select(names.c.slot, names.c.name).order_by(names.c.until, names.c.name)):
        former[slot].append(name)
    return {
        row.id: KnownModel(
            row.tournament,
            row.model_id,
            row.name,
            bool(row.is_listed),
            tuple(name for name in former[row.id] if name != row.name),
        )
        for row in connection.execute(query)
    }
