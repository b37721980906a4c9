"""The values of one metric of one model round by round, with the days behind each."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Engine

import numebot.adapters.store.result_tables as tables
from numebot.adapters.store.engine import transaction
from numebot.adapters.store.reading.models import known_models
from numebot.adapters.store.reading.newest import newest_values
from numebot.adapters.store.tables import rounds as rounds_table
from numebot.core.known_models import KnownModel
from numebot.core.pairs import RoundValue


class PairReader:
    """Answers what two models have in common. Raises: LocalTrouble."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def models(self, tournament: int) -> Sequence[KnownModel]:
        """Return every model that was ever seen, by name; those that are gone come last."""
        with transaction(self._engine, reads=True) as connection:
            return list(known_models(connection, tournament).values())

    def metrics(self, model: KnownModel) -> Sequence[str]:
        """Return the metrics that have a value in any round of a model, by name."""
        names, scores, slots = tables.metrics, tables.scores, tables.slots
        is_model = sa.and_(slots.c.tournament == model.tournament, slots.c.model_id == model.id)
        slot = sa.select(slots.c.id).where(is_model).scalar_subquery()
        # The newest rounds name every metric there is, and reading all rounds would take a second.
        newest = sa.select(sa.func.max(scores.c.round_number)).where(scores.c.slot == slot).scalar_subquery()
        query = (
            sa.select(names.c.name)
            .join(scores, scores.c.metric == names.c.id)
            .where(scores.c.slot == slot, scores.c.round_number > newest - METRIC_ROUNDS, scores.c.value.is_not(None))
            .distinct()
            .order_by(names.c.name)
        )
        with transaction(self._engine, reads=True) as connection:
            return list(connection.scalars(query))

    def paying_metrics(self, tournament: int) -> Sequence[str]:
        """Return what the newest round with settings pays, the metric with the largest multiplier first."""
        settings, names = tables.payout_settings, tables.metrics
        pays = sa.and_(settings.c.tournament == tournament, settings.c.is_payout)
        newest = sa.select(sa.func.max(settings.c.round_number)).where(pays).scalar_subquery()
        query = (
            sa.select(names.c.name)
            .join(settings, settings.c.metric == names.c.id)
            .where(pays, settings.c.round_number == newest)
            .order_by(settings.c.multiplier.desc(), names.c.name)
        )
        with transaction(self._engine, reads=True) as connection:
            return list(dict.fromkeys(connection.scalars(query)))

    def values(self, model: KnownModel, metric: str) -> Sequence[RoundValue]:
        """Return the newest value of a metric in each round of a model, oldest round first."""
        table, rounds, settings = tables.metrics, rounds_table, tables.payout_settings
        versions = sa.select(table).where(table.c.tournament == model.tournament, table.c.name == metric)
        with transaction(self._engine, reads=True) as connection:
            slots = list(known_models(connection, model.tournament, [model.id]))
            known = {row.id: row.version for row in connection.execute(versions)}
            openings = sa.select(rounds.c.number, rounds.c.opens_at).where(rounds.c.tournament == model.tournament)
            opens_at = {row[0]: row[1] for row in connection.execute(openings)}
            endings = sa.select(settings.c.round_number, settings.c.metric, settings.c.scoring_ends_at).where(
                settings.c.tournament == model.tournament, settings.c.metric.in_(list(known))
            )
            ends_at = {(row.round_number, row.metric): row.scoring_ends_at for row in connection.execute(endings)}
            rows = connection.execute(newest_values(slots, known)).all()
        found = []
        for row in rows:
            end = ends_at.get((row.round_number, row.metric))
            is_over = end is not None and row.scored_at is not None and row.scored_at >= end
            is_final = bool(row.is_resolved) or is_over
            opened_at = opens_at.get(row.round_number)
            version = known[row.metric]
            found.append(RoundValue(row.round_number, version, row.value, is_final, opened_at, row.scored_at))
        return found


METRIC_ROUNDS = 70
"""The rounds in flight, about: every metric that a round has shows in them."""
