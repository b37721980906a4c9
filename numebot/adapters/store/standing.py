"""How we stand, in the database: what a sync writes, and what is read back of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.engine import Engine

import numebot.adapters.store.standing_tables as tables
from numebot.adapters.store.engine import transaction
from numebot.adapters.store.numbers import slot_numbers
from numebot.adapters.store.result_tables import leaderboards, slots
from numebot.adapters.store.snapshots import begun_snapshot
from numebot.adapters.store.upserts import upsert_many
from numebot.core.results import Leaderboard, LeaderboardRow, Part
from numebot.core.standing import AccountFigures, ModelDay, ModelRound, NmrPrice, PartMark


class Standing:
    """Writes and reads the standing. Every method is one transaction, and doing it again changes nothing.

    What writes returns how many rows are new or have changed. Raises: LocalTrouble.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def remember_at_risk(self, rounds: Sequence[ModelRound]) -> int:
        """Write down what is at risk; what the server has stopped telling stays."""
        told = [one for one in rounds if one.at_risk is not None]
        with transaction(self._engine) as connection:
            numbers = slot_numbers(connection, {(one.tournament, one.model_id): None for one in told})
            rows = [
                {
                    "slot": numbers[one.tournament, one.model_id],
                    "round_number": one.round_number,
                    "at_risk": one.at_risk,
                }
                for one in told
            ]
            return upsert_many(connection, tables.round_stakes, rows)

    def remember_account(self, tournament: int, figures: AccountFigures, *, day: date) -> int:
        """Write down the account's figures of a day, and the stakes of its models of this tournament."""
        rows = [
            {"day": day, "username": figures.username, "figure": name, "amount": amount}
            for name, amount in figures.amounts.items()
        ]
        with transaction(self._engine) as connection:
            listed = sa.select(slots.c.id, slots.c.model_id).where(slots.c.tournament == tournament)
            staked = [
                {"slot": row.id, "day": day, "staked": figures.stakes[row.model_id]}
                for row in connection.execute(listed)
                if row.model_id in figures.stakes
            ]
            changed = upsert_many(connection, tables.account_days, rows)
            return changed + upsert_many(connection, tables.model_days, staked)

    def remember_account_board(self, board: Leaderboard) -> int:
        """Write a snapshot of the accounts' leaderboard down in place of an earlier one of the same day."""
        table, lines = tables.account_boards, tables.account_board_rows
        with transaction(self._engine) as connection:
            id = begun_snapshot(connection, table, lines.c.board, board, {})
            rows = [
                {
                    "board": id,
                    "place": place,
                    "rank": row.rank,
                    "account": row.model,
                    "account_id": row.model_id,
                    "is_own": row.is_own,
                    "staked": row.staked,
                    "figures": row.figures,
                }
                for place, row in enumerate(board.rows)
            ]
            if rows:
                connection.execute(lines.insert(), rows)
        return len(rows)

    def newest_account_board_day(self, tournament: int) -> date | None:
        """Return the day of the newest snapshot of the accounts' leaderboard."""
        table = tables.account_boards
        query = sa.select(sa.func.max(table.c.day)).where(table.c.tournament == tournament)
        with transaction(self._engine, reads=True) as connection:
            found: date | None = connection.scalar(query)
        return found

    def account_board(self, tournament: int, day: date | None = None) -> Leaderboard | None:
        """Return the accounts' leaderboard of a day, or the newest one; None when there is none."""
        table, lines = tables.account_boards, tables.account_board_rows
        query = sa.select(table).where(table.c.tournament == tournament).order_by(table.c.day.desc()).limit(1)
        if day is not None:
            query = query.where(table.c.day == day)
        with transaction(self._engine, reads=True) as connection:
            board = connection.execute(query).first()
            if board is None:
                return None
            of_board = sa.select(lines).where(lines.c.board == board.id).order_by(lines.c.place)
            rows = tuple(
                LeaderboardRow(row.rank, row.account, row.account_id, row.staked, bool(row.is_own), row.figures)
                for row in connection.execute(of_board)
            )
        return Leaderboard(tournament, board.taken_at, board.size, rows)

    def remember_model_days(self, days: Sequence[ModelDay]) -> int:
        """Write down how models stood; what is not told of a day stays as it was."""
        with transaction(self._engine) as connection:
            numbers = slot_numbers(connection, {(one.tournament, one.model_id): None for one in days})
            rows = [
                {
                    "slot": numbers[one.tournament, one.model_id],
                    "day": one.day,
                    "staked": one.staked,
                    "figures": one.figures or None,
                }
                for one in days
            ]
            return upsert_many(connection, tables.model_days, rows, only_fill=("staked", "figures"))

    def model_days(self, tournament: int, model_id: str) -> Sequence[ModelDay]:
        """Return how a model stood, the oldest day first."""
        table = tables.model_days
        query = (
            sa.select(table)
            .join(slots, table.c.slot == slots.c.id)
            .where(slots.c.tournament == tournament, slots.c.model_id == model_id)
            .order_by(table.c.day)
        )
        with transaction(self._engine, reads=True) as connection:
            return [
                ModelDay(tournament, model_id, row.day, row.staked, row.figures or {})
                for row in connection.execute(query)
            ]

    def remember_price(self, price: NmrPrice, *, day: date) -> int:
        """Write down the price of a day; the newest one of it stands."""
        row = {"day": day, "usd": price.usd, "updated_at": price.updated_at}
        with transaction(self._engine) as connection:
            time = ("updated_at",)
            return upsert_many(connection, tables.nmr_prices, [row], only_fill=time, unwatched=time)

    def prices(self) -> Mapping[date, NmrPrice]:
        """Return the price of every day that has one."""
        query = sa.select(tables.nmr_prices).order_by(tables.nmr_prices.c.day)
        with transaction(self._engine, reads=True) as connection:
            return {row.day: NmrPrice(row.usd, row.updated_at) for row in connection.execute(query)}

    def account_figures(self, day: date | None = None) -> AccountFigures | None:
        """Return the account's amounts of a day, or of the newest; None when there are none. Stakes are by model."""
        table = tables.account_days
        wanted = sa.literal(day) if day is not None else sa.select(sa.func.max(table.c.day)).scalar_subquery()
        query = sa.select(table).where(table.c.day == wanted).order_by(table.c.username, table.c.figure)
        with transaction(self._engine, reads=True) as connection:
            rows = connection.execute(query).all()
        if not rows:
            return None
        return AccountFigures(rows[0].username, {row.figure: row.amount for row in rows})

    def at_risk(self, tournament: int, model_id: str) -> Mapping[int, Decimal]:
        """Return what a model had at risk, by round."""
        table = tables.round_stakes
        query = (
            sa.select(table)
            .join(slots, table.c.slot == slots.c.id)
            .where(slots.c.tournament == tournament, slots.c.model_id == model_id)
            .order_by(table.c.round_number)
        )
        with transaction(self._engine, reads=True) as connection:
            return {row.round_number: row.at_risk for row in connection.execute(query)}

    def leaderboard_days(self, tournament: int, *, since: date) -> Sequence[date]:
        """Return the days from `since` on that have a snapshot of the models' leaderboard."""
        table = leaderboards
        query = sa.select(table.c.day).where(table.c.tournament == tournament, table.c.day >= since)
        with transaction(self._engine, reads=True) as connection:
            return list(connection.scalars(query.order_by(table.c.day)))

    def mark_part(self, tournament: int, part: Part, *, at: datetime, error: str | None) -> None:
        """Remember that a part landed at `at`, or that it did not and why."""
        landed = {"landed_at": at} if error is None else {"landed_at": None}
        row = {"tournament": tournament, "part": part.value, "error": error, **landed}
        with transaction(self._engine) as connection:
            upsert_many(connection, tables.part_marks, [row], only_fill=("landed_at",))

    def part_marks(self, tournament: int) -> Mapping[Part, PartMark]:
        """Return how each part ended last; parts of a newer numebot are left out."""
        table = tables.part_marks
        query = sa.select(table).where(table.c.tournament == tournament)
        known = {part.value: part for part in Part}
        with transaction(self._engine, reads=True) as connection:
            return {
                known[row.part]: PartMark(known[row.part], row.landed_at, row.error)
                for row in connection.execute(query)
                if row.part in known
            }
