"""Reads the results back: scores, payouts, leaderboards, rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

import numebot.adapters.store.result_tables as tables
from numebot.adapters.store.engine import transaction
from numebot.adapters.store.tables import rounds as rounds_table
from numebot.core.results import Leaderboard, LeaderboardRow, Payout, PayoutSetting, RoundFacts, Score
from numebot.core.types import ListedSubmission, Round

_SETTING_COLUMNS = tuple(
    field.name for field in fields(PayoutSetting) if field.name not in ("tournament", "metric", "version")
)


class Answers:
    """Answers questions about the results. Models are named as the account names them now. Raises: LocalTrouble."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def scores(
        self,
        tournament: int,
        *,
        model: str | None = None,
        round_number: int | None = None,
        metric: str | None = None,
        since_round: int | None = None,
    ) -> Sequence[Score]:
        """Return scores, each model's by round and day; without `model` those of all models, and so on."""
        scores, scored = tables.scores, tables.scored_rounds
        is_same_round = sa.and_(scored.c.slot == scores.c.slot, scored.c.round_number == scores.c.round_number)
        query = (
            sa.select(scores, scored.c.submission_id, scored.c.resolves_at, scored.c.is_resolved)
            .join(scored, is_same_round)
            .order_by(scores.c.slot, scores.c.round_number, scores.c.day, scores.c.metric)
        )
        if round_number is not None:
            query = query.where(scores.c.round_number == round_number)
        if since_round is not None:
            query = query.where(scores.c.round_number >= since_round)
        with transaction(self._engine, reads=True) as connection:
            # The names are few and looked up here; in the query they would tempt the planner to begin with them.
            ids = _model_ids(connection, tournament, model)
            names = _metric_names(connection, tournament, metric)
            query = query.where(scores.c.slot.in_(list(ids)))
            if metric is not None:
                query = query.where(scores.c.metric.in_(list(names)))
            return [
                Score(
                    tournament,
                    row.round_number,
                    ids[row.slot],
                    names[row.metric][0],
                    row.day,
                    row.value,
                    row.percentile,
                    names[row.metric][1],
                    row.scored_at,
                    row.is_resolved,
                    row.submission_id,
                    row.resolves_at,
                )
                for row in connection.execute(query)
            ]

    def round_facts(self, tournament: int, *, since_round: int = 0) -> Sequence[RoundFacts]:
        """Return the rounds from `since_round` on, oldest first."""
        table = rounds_table
        query = sa.select(table).where(table.c.tournament == tournament, table.c.number >= since_round)
        with transaction(self._engine, reads=True) as connection:
            return [
                RoundFacts(
                    Round(tournament, row.number, row.opens_at, row.deadline, row.closes_at, row.data_datestamp),
                    row.scores_at,
                    row.resolves_at,
                    bool(row.is_resolved),
                    row.payout_factor,
                )
                for row in connection.execute(query.order_by(table.c.number))
            ]

    def listed_submissions(self, tournament: int, model: str) -> Sequence[ListedSubmission]:
        """Return what Numerai lists for a model, newest round first."""
        table = tables.listed_submissions
        query = sa.select(table).where(table.c.slot.in_(_slots_named(tournament, model)))
        with transaction(self._engine, reads=True) as connection:
            return [
                ListedSubmission(row.round_number, row.status, row.submission_id, row.filename, row.submitted_at)
                for row in connection.execute(query.order_by(table.c.round_number.desc()))
            ]

    def payouts(self, tournament: int, *, model: str | None = None) -> Sequence[Payout]:
        """Return payouts, newest round first."""
        table, slots = tables.payouts, tables.slots
        query = (
            sa.select(table, slots.c.model_id, slots.c.name)
            .join(slots, table.c.slot == slots.c.id)
            .where(table.c.slot.in_(_slots_named(tournament, model)))
            .order_by(table.c.round_number.desc(), slots.c.name)
        )
        with transaction(self._engine, reads=True) as connection:
            return [
                Payout(
                    tournament,
                    row.round_number,
                    row.model_id,
                    row.name,
                    row.amount,
                    row.is_settled,
                    row.value,
                    row.currency,
                    row.resolves_on,
                )
                for row in connection.execute(query)
            ]

    def payout_settings(self, tournament: int, round_number: int) -> Sequence[PayoutSetting]:
        """Return how a round counts its metrics, by name."""
        table, metrics = tables.payout_settings, tables.metrics
        query = (
            sa.select(table, metrics.c.name, metrics.c.version)
            .join(metrics, table.c.metric == metrics.c.id)
            .where(table.c.tournament == tournament, table.c.round_number == round_number)
            .order_by(metrics.c.name, metrics.c.version)
        )
        with transaction(self._engine, reads=True) as connection:
            return [
                PayoutSetting(
                    tournament,
                    metric=row.name,
                    version=row.version,
                    **{name: getattr(row, name) for name in _SETTING_COLUMNS},
                )
                for row in connection.execute(query)
            ]

    def leaderboard(self, tournament: int, day: date | None = None) -> Leaderboard | None:
        """Return the snapshot of a day, or the newest one; None when there is none."""
        boards, lines, slots = tables.leaderboards, tables.leaderboard_rows, tables.slots
        query = sa.select(boards).where(boards.c.tournament == tournament).order_by(boards.c.day.desc()).limit(1)
        if day is not None:
            query = query.where(boards.c.day == day)
        with transaction(self._engine, reads=True) as connection:
            board = connection.execute(query).first()
            if board is None:
                return None
            of_board = (
                sa.select(lines, slots.c.model_id)
                .outerjoin(slots, lines.c.slot == slots.c.id)
                .where(lines.c.leaderboard == board.id)
                .order_by(lines.c.place)
            )
            rows = tuple(
                LeaderboardRow(
                    row.rank,
                    row.model,
                    row.model_id,
                    row.staked,
                    is_own=row.slot is not None,
                    figures=dict(zip(board.figures, row.figures, strict=True)),
                )
                for row in connection.execute(of_board)
            )
        return Leaderboard(tournament, board.taken_at, board.size, rows)


def _slots_named(tournament: int, model: str | None) -> sa.Select[tuple[int]]:
    """Return the numbers of the slots of that name, also of one that is gone; of all of them for None."""
    slots = tables.slots
    query = sa.select(slots.c.id).where(slots.c.tournament == tournament)
    return query if model is None else query.where(slots.c.name == model)


def _model_ids(connection: Connection, tournament: int, model: str | None) -> dict[int, str]:
    slots = tables.slots
    query = sa.select(slots.c.id, slots.c.model_id).where(slots.c.id.in_(_slots_named(tournament, model)))
    return {row.id: row.model_id for row in connection.execute(query)}


def _metric_names(connection: Connection, tournament: int, metric: str | None) -> dict[int, tuple[str, str]]:
    table = tables.metrics
    query = sa.select(table).where(table.c.tournament == tournament)
    if metric is not None:
        query = query.where(table.c.name == metric)
    return {row.id: (row.name, row.version) for row in connection.execute(query)}
