"""The tables of how we stand: risk, accounts, ranks day by day, prices, and how each part of a sync ended."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Dialect,
    Index,
    Integer,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from numebot.adapters.store.result_tables import Amount
from numebot.adapters.store.tables import UtcDateTime, metadata


class Figures(TypeDecorator[Mapping[str, float | None]]):
    """Numbers by name as text in one order, so that equal figures are equal for every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, float | None] | None, dialect: Dialect) -> str | None:
        """Write them in the order of their names, with six digits: nobody shows more."""
        if value is None:
            return None
        short = {name: None if one is None else float(f"{one:.6g}") for name, one in value.items()}
        return json.dumps(short, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Mapping[str, float | None] | None:
        """Read them back."""
        return None if value is None else dict(json.loads(value))


round_stakes = Table(
    "round_stakes",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("round_number", Integer, primary_key=True, autoincrement=False),
    Column("at_risk", Amount, nullable=False),
    sqlite_with_rowid=False,
)
"""What a model has at risk in a round, in NMR."""

account_days = Table(
    "account_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("username", String(64), primary_key=True),
    Column("figure", String(64), primary_key=True),
    Column("amount", Amount, nullable=False),
    sqlite_with_rowid=False,
)
"""The account's own amounts of a day, in NMR, by the API's names."""

model_days = Table(
    "model_days",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("staked", Amount),
    Column("figures", Figures),
    sqlite_with_rowid=False,
)
"""How a model stood on a day, as far as Numerai tells it afterwards: also for days on which nobody was there."""

nmr_prices = Table(
    "nmr_prices",
    metadata,
    Column("day", Date, primary_key=True),
    Column("usd", Amount, nullable=False),
    Column("updated_at", UtcDateTime),
)

account_boards = Table(
    "account_boards",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tournament", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("size", Integer, nullable=False),
    UniqueConstraint("tournament", "day"),
)

account_board_rows = Table(
    "account_board_rows",
    metadata,
    Column("board", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, nullable=False),
    Column("account", String(64), nullable=False),
    Column("account_id", String(64)),
    Column("is_own", Boolean, nullable=False),
    Column("staked", Amount),
    Column("figures", Figures, nullable=False),
    Index(None, "account"),
    sqlite_with_rowid=False,
)

part_marks = Table(
    "part_marks",
    metadata,
    Column("tournament", Integer, primary_key=True, autoincrement=False),
    Column("part", String(32), primary_key=True),
    Column("landed_at", UtcDateTime),
    Column("error", Text),
)
"""How each part of the sync ended last: when it landed by the server's clock, and what is wrong with it since."""
