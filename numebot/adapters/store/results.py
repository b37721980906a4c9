"""The results in the database: what a sync writes, and what it must know to ask for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

import numebot.adapters.store.result_tables as tables
from numebot.adapters.store.engine import transaction
from numebot.adapters.store.newest_scores import note_newest
from numebot.adapters.store.numbers import metric_numbers, slot_numbers, slot_numbers_by_name
from numebot.adapters.store.snapshots import begun_snapshot
from numebot.adapters.store.tables import rounds as rounds_table
from numebot.adapters.store.upserts import upsert_many
from numebot.core.results import Leaderboard, Payout, PayoutSetting, RoundFacts, Score, ScoreMark
from numebot.core.syncing import SeriesKey, one_per_round
from numebot.core.types import AccountModel


class Results:
    """Writes results. Every method is one transaction, and doing it again changes nothing.

    What writes returns how many rows are new or have changed. Raises: LocalTrouble.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def remember_rounds(self, rounds: Sequence[RoundFacts], *, now: datetime) -> int:
        """Insert or update rounds; what the server has stopped telling stays as it was."""
        rows = [
            {
                "tournament": facts.round.tournament,
                "number": facts.round.number,
                "opens_at": facts.round.opens_at,
                "deadline": facts.round.deadline,
                "closes_at": facts.round.closes_at,
                "data_datestamp": facts.round.data_datestamp,
                "scores_at": facts.scores_at,
                "resolves_at": facts.resolves_at,
                "is_resolved": facts.is_resolved,
                "payout_factor": facts.payout_factor,
                "first_seen_at": now,
                "updated_at": now,
            }
            for facts in rounds
        ]
        optional = ("closes_at", "data_datestamp", "scores_at", "resolves_at", "payout_factor")
        with transaction(self._engine) as connection:
            return upsert_many(
                connection,
                rounds_table,
                rows,
                only_fill=optional,
                only_when_new=("first_seen_at",),
                unwatched=("updated_at",),
            )

    def remember_listed(self, tournament: int, slots: Sequence[AccountModel], *, now: datetime) -> int:
        """Write down the models of a tournament and what Numerai lists for them.

        Renamed models keep their history; those that the account no longer has are marked, and theirs stays, too.
        """
        names = {(tournament, slot.id): slot.name for slot in slots}
        with transaction(self._engine) as connection:
            known = slot_numbers(connection, names, now=now)
            unlisted = sa.and_(tables.slots.c.tournament == tournament, tables.slots.c.id.not_in(list(known.values())))
            connection.execute(tables.slots.update().where(unlisted).values(is_listed=False))
            rows = [
                {
                    "slot": known[tournament, slot.id],
                    "round_number": listed.round_number,
                    "status": listed.status,
                    "submission_id": listed.id,
                    "filename": listed.filename,
                    "submitted_at": listed.submitted_at,
                }
                for slot in slots
                for listed in one_per_round(slot.submissions)
            ]
            return upsert_many(connection, tables.listed_submissions, rows)

    def remember_settings(self, settings: Sequence[PayoutSetting]) -> int:
        """Write down how rounds count their metrics."""
        with transaction(self._engine) as connection:
            metrics = metric_numbers(connection, ((one.tournament, one.metric, one.version) for one in settings))
            rows = [
                {
                    "tournament": one.tournament,
                    "round_number": one.round_number,
                    "metric": metrics[one.tournament, one.metric, one.version],
                    "is_payout": one.is_payout,
                    "multiplier": one.multiplier,
                    "minimum": one.minimum,
                    "maximum": one.maximum,
                    "clip": one.clip,
                    "stake_threshold": one.stake_threshold,
                    "payout_factor": one.payout_factor,
                    "score_days": one.score_days,
                    "scoring_begins_at": one.scoring_begins_at,
                    "scoring_ends_at": one.scoring_ends_at,
                }
                for one in settings
            ]
            return upsert_many(connection, tables.payout_settings, rows)

    def remember_scores(self, scores: Sequence[Score]) -> int:
        """Write down scores; a day that was scored anew gets its new value. Return how many values are new."""
        with transaction(self._engine) as connection:
            slots = slot_numbers(connection, {(one.tournament, one.model_id): None for one in scores})
            metrics = metric_numbers(connection, ((one.tournament, one.metric, one.version) for one in scores))
            rounds = [
                {
                    "slot": slots[one.tournament, one.model_id],
                    "round_number": one.round_number,
                    "submission_id": one.submission_id,
                    "resolves_at": one.resolves_at,
                    "is_resolved": one.is_resolved,
                }
                for one in scores
            ]
            upsert_many(connection, tables.scored_rounds, rounds, only_fill=("submission_id", "resolves_at"))
            rows = [
                {
                    "slot": slots[one.tournament, one.model_id],
                    "round_number": one.round_number,
                    "day": one.day,
                    "metric": metrics[one.tournament, one.metric, one.version],
                    "value": one.value,
                    "percentile": one.percentile,
                    "scored_at": one.scored_at,
                }
                for one in scores
            ]
            changed = upsert_many(connection, tables.scores, rows)
            if changed:
                note_newest(connection, rows)
            return changed

    def remember_payouts(self, payouts: Sequence[Payout]) -> int:
        """Write down payouts; a settled one is never made pending again."""
        with transaction(self._engine) as connection:
            slots = slot_numbers(connection, {(one.tournament, one.model_id): one.model for one in payouts})
            rows = [
                {
                    "slot": slots[one.tournament, one.model_id],
                    "round_number": one.round_number,
                    "amount": one.amount,
                    "is_settled": one.is_settled,
                    "value": one.value,
                    "currency": one.currency,
                    "resolves_on": one.resolves_on,
                }
                for one in sorted(payouts, key=lambda one: one.is_settled)
            ]
            table = tables.payouts
            goes_back = sa.and_(table.c.is_settled, sa.not_(sa.literal_column("excluded.is_settled", sa.Boolean)))
            # What an amount is worth moves with the price every minute: no news by itself.
            return upsert_many(
                connection, table, rows, only_fill=("resolves_on",), unwatched=("value",), unless=goes_back
            )

    def remember_leaderboard(self, board: Leaderboard) -> int:
        """Write a snapshot down in place of an earlier one of the same day."""
        names = sorted({name for row in board.rows for name in row.figures})
        table, lines = tables.leaderboards, tables.leaderboard_rows
        with transaction(self._engine) as connection:
            own = {(board.tournament, row.model_id): row.model for row in board.rows if row.is_own and row.model_id}
            slots = slot_numbers(connection, own)
            by_name = slot_numbers_by_name(connection, board.tournament)
            id = begun_snapshot(connection, table, lines.c.leaderboard, board, {"figures": names})
            rows = [
                {
                    "leaderboard": id,
                    "place": place,
                    "rank": row.rank,
                    "model": row.model,
                    "slot": slots.get((board.tournament, row.model_id or ""), by_name.get(row.model))
                    if row.is_own
                    else None,
                    "staked": row.staked,
                    "figures": [_short(row.figures.get(name)) for name in names],
                }
                for place, row in enumerate(board.rows)
            ]
            if rows:
                connection.execute(lines.insert(), rows)
        return len(rows)

    def mark_scores(self, tournament: int, model_id: str, mark: ScoreMark) -> None:
        """Remember how far the scores of a model were read."""
        with transaction(self._engine) as connection:
            slot = slot_numbers(connection, {(tournament, model_id): None})[tournament, model_id]
            row = {
                "slot": slot,
                "synced_at": mark.synced_at,
                "complete_at": mark.complete_at,
                "open_from": mark.open_from,
            }
            upsert_many(connection, tables.score_marks, [row])

    def score_mark(self, tournament: int, model_id: str) -> ScoreMark | None:
        """Return how far the scores of a model were read; None when they never were."""
        marks = tables.score_marks
        query = sa.select(marks).join(tables.slots, marks.c.slot == tables.slots.c.id).where(_is(tournament, model_id))
        with transaction(self._engine, reads=True) as connection:
            row = connection.execute(query).first()
        return ScoreMark(row.synced_at, row.complete_at, row.open_from) if row else None

    def newest_days(self, tournament: int, model_id: str, *, since_round: int) -> Mapping[SeriesKey, int]:
        """Return the newest day that is known, for each round from `since_round` on and each metric of a model."""
        scores, metrics = tables.scores, tables.metrics
        query = (
            sa.select(scores.c.round_number, metrics.c.name, metrics.c.version, sa.func.max(scores.c.day).label("day"))
            .join(metrics, scores.c.metric == metrics.c.id)
            .where(
                scores.c.slot == sa.select(tables.slots.c.id).where(_is(tournament, model_id)).scalar_subquery(),
                scores.c.round_number >= since_round,
            )
            .group_by(scores.c.round_number, metrics.c.name, metrics.c.version)
        )
        with transaction(self._engine, reads=True) as connection:
            return {(row.round_number, row.name, row.version): row.day for row in connection.execute(query)}

    def metric_names(self, tournament: int) -> Sequence[str]:
        """Return every metric that scores or payout settings of a tournament have named."""
        table = tables.metrics
        query = sa.select(table.c.name).where(table.c.tournament == tournament).distinct().order_by(table.c.name)
        with transaction(self._engine, reads=True) as connection:
            return list(connection.scalars(query))

    def own_models(self, tournament: int) -> Sequence[AccountModel]:
        """Return the models that the account listed when it was read last, with their submissions left out."""
        slots = tables.slots
        query = sa.select(slots).where(slots.c.tournament == tournament, slots.c.is_listed).order_by(slots.c.name)
        with transaction(self._engine, reads=True) as connection:
            return [AccountModel(row.model_id, row.name, tournament) for row in connection.execute(query)]

    def oldest_open_round(self, tournament: int) -> int | None:
        """Return the oldest known round that is not resolved; None before the rounds were read for the first time."""
        table, older = rounds_table, rounds_table.alias()
        is_open = sa.or_(table.c.is_resolved.is_(None), sa.not_(table.c.is_resolved))
        # A pass over an open round writes it down as well, and says nothing of those before it.
        were_read = sa.exists().where(older.c.tournament == tournament, older.c.is_resolved.is_not(None))
        query = sa.select(sa.func.min(table.c.number)).where(table.c.tournament == tournament, is_open, were_read)
        with transaction(self._engine, reads=True) as connection:
            found = connection.scalar(query)
        return None if found is None else int(found)

    def newest_leaderboard_day(self, tournament: int) -> date | None:
        """Return the day of the newest snapshot."""
        table = tables.leaderboards
        query = sa.select(sa.func.max(table.c.day)).where(table.c.tournament == tournament)
        with transaction(self._engine, reads=True) as connection:
            found: date | None = connection.scalar(query)
        return found


def _is(tournament: int, model_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(tables.slots.c.tournament == tournament, tables.slots.c.model_id == model_id)


def _short(figure: float | None) -> float | None:
    """Return a figure with six digits: a leaderboard shows no more, and years of them add up."""
    return None if figure is None else float(f"{figure:.6g}")
