"""How models do: their newest scores round by round, and the daily values behind one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

import numebot.adapters.store.result_tables as tables
from numebot.adapters.store.engine import transaction
from numebot.adapters.store.reading.models import known_models
from numebot.core.known_models import KnownModel
from numebot.core.scorecards import MetricName, ModelScores, NewestScore, RoundScores

RESOLVED_ROUNDS = 20
"""How many resolved rounds are shown beside the running ones when nobody says how many."""


class ScoreReader:
    """Answers questions about scores. Raises: LocalTrouble."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def models(self, tournament: int) -> Sequence[KnownModel]:
        """Return every model that was ever seen, by name; those that are gone come last."""
        with transaction(self._engine, reads=True) as connection:
            return list(known_models(connection, tournament).values())

    def metrics(self, tournament: int) -> Sequence[MetricName]:
        """Return the metrics that have scores, by name; those that settings alone have named are none of them."""
        newest, slots = tables.newest_scores, tables.slots
        of_tournament = sa.select(slots.c.id).where(slots.c.tournament == tournament).scalar_subquery()
        with transaction(self._engine, reads=True) as connection:
            names = _metric_names(connection, tournament)
            # A look per metric and slot into the key is far less than a walk through all rows.
            has_scores = sa.select(tables.metrics.c.id).where(
                tables.metrics.c.id.in_(list(names)),
                sa.exists().where(newest.c.slot.in_(of_tournament), newest.c.metric == tables.metrics.c.id),
            )
            return sorted(names[id] for id in connection.scalars(has_scores))

    def newest(
        self,
        tournament: int,
        *,
        model_ids: Collection[str] | None = None,
        metric: str | None = None,
        last: int | None = None,
    ) -> Sequence[ModelScores]:
        """Return the newest value of each metric in each of the `last` rounds of each model, by name.

        Without `last`: the running rounds and the newest RESOLVED_ROUNDS resolved ones. Without `model_ids` every model
        that is known; without `metric` every metric.
        """
        with transaction(self._engine, reads=True) as connection:
            models = known_models(connection, tournament, model_ids)
            names = _metric_names(connection, tournament, metric)
            begins = _first_rounds(connection, models, last)
            found = _Found(names)
            for first, slots in _by_value(begins):
                found.add_rounds(connection.execute(_rounds_from(first, slots)))
                found.add_scores(connection.execute(_scores_from(first, slots, names)))
        return [ModelScores(model, found.rounds_of(slot)) for slot, model in models.items()]

    def daily(
        self, tournament: int, model_id: str, metric: MetricName, *, since_round: int
    ) -> Mapping[int, Sequence[float | None]]:
        """Return the daily values of a metric of a model by round, oldest day first, from `since_round` on."""
        scores = tables.scores
        with transaction(self._engine, reads=True) as connection:
            slots = list(known_models(connection, tournament, [model_id]))
            ids = [id for id, name in _metric_names(connection, tournament, metric.name).items() if name == metric]
            query = (
                sa.select(scores.c.round_number, scores.c.value)
                .where(scores.c.slot.in_(slots), scores.c.round_number >= since_round, scores.c.metric.in_(ids))
                .order_by(scores.c.slot, scores.c.round_number, scores.c.day)
            )
            days: dict[int, list[float | None]] = defaultdict(list)
            for round_number, value in connection.execute(query):
                days[round_number].append(value)
        return days


class _Found:
    """Puts rows together by slot and round."""

    def __init__(self, names: Mapping[int, MetricName]) -> None:
        self._names = names
        self._resolved: dict[int, dict[int, bool]] = defaultdict(dict)
        self._scores: dict[tuple[int, int], dict[MetricName, NewestScore]] = defaultdict(dict)

    def add_rounds(self, rows: Iterable[Sequence[Any]]) -> None:
        for slot, round_number, is_resolved in rows:
            self._resolved[slot][round_number] = is_resolved

    def add_scores(self, rows: Iterable[Sequence[Any]]) -> None:
        for slot, metric, round_number, day, value, percentile in rows:
            self._scores[slot, round_number][self._names[metric]] = NewestScore(day, value, percentile)

    def rounds_of(self, slot: int) -> list[RoundScores]:
        return [
            RoundScores(number, is_resolved, scores)
            for number, is_resolved in self._resolved[slot].items()
            if (scores := self._scores.get((slot, number)))
        ]


def _metric_names(connection: Connection, tournament: int, metric: str | None = None) -> dict[int, MetricName]:
    table = tables.metrics
    query = sa.select(table.c.id, table.c.name, table.c.version).where(table.c.tournament == tournament)
    if metric is not None:
        query = query.where(table.c.name == metric)
    return {id: MetricName(name, version) for id, name, version in connection.execute(query)}


def _first_rounds(connection: Connection, slots: Collection[int], last: int | None) -> dict[int, int]:
    """Return the first round to show of each slot; a model that is gone has its last rounds long ago."""
    scored = tables.scored_rounds
    nth = sa.select(scored.c.round_number).where(scored.c.slot == tables.slots.c.id)
    if last is None:
        nth = nth.where(scored.c.is_resolved)
    nth = nth.order_by(scored.c.round_number.desc()).limit(1).offset((last or RESOLVED_ROUNDS) - 1)
    query = sa.select(tables.slots.c.id, nth.scalar_subquery()).where(tables.slots.c.id.in_(slots))
    return {slot: first or 0 for slot, first in connection.execute(query)}


def _by_value(begins: Mapping[int, int]) -> Iterable[tuple[int, list[int]]]:
    """Yield each first round with its slots: most models have the same, and one query serves them all."""
    groups: dict[int, list[int]] = defaultdict(list)
    for slot, first in begins.items():
        groups[first].append(slot)
    return groups.items()


def _rounds_from(first: int, slots: Collection[int]) -> sa.Select[Any]:
    table = tables.scored_rounds
    return (
        sa.select(table.c.slot, table.c.round_number, table.c.is_resolved)
        .where(table.c.slot.in_(slots), table.c.round_number >= first)
        .order_by(table.c.slot, table.c.round_number)
    )


def _scores_from(first: int, slots: Collection[int], metrics: Collection[int]) -> sa.Select[Any]:
    table = tables.newest_scores
    columns = (table.c.slot, table.c.metric, table.c.round_number, table.c.day, table.c.value, table.c.percentile)
    return sa.select(*columns).where(
        table.c.slot.in_(slots), table.c.metric.in_(metrics), table.c.round_number >= first
    )
