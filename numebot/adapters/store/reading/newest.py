"""The newest known value of each metric in each round, as a query for others to build on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

import numebot.adapters.store.result_tables as tables


def newest_values(slots: Collection[int], metrics: Collection[int], *, since_round: int = 0) -> sa.Select[Any]:
    """Return a query for slot, round_number, metric, is_resolved, value and scored_at, by slot and round.

    Of each metric in each round the newest day that has a value; rounds without one are left out.
    """
    newest, scored = tables.newest_scores, tables.scored_rounds
    is_same_round = sa.and_(scored.c.slot == newest.c.slot, scored.c.round_number == newest.c.round_number)
    return (
        sa.select(newest.c.slot, newest.c.round_number, newest.c.metric, scored.c.is_resolved)
        .add_columns(newest.c.value, newest.c.scored_at)
        .join(scored, is_same_round)
        .where(
            newest.c.slot.in_(list(slots)),
            newest.c.metric.in_(list(metrics)),
            newest.c.round_number >= since_round,
            newest.c.value.is_not(None),
        )
        .order_by(newest.c.slot, newest.c.round_number)
    )
