"""The tables of the results, made for years: 19 million scores in about a gigabyte.

Model slots and metrics are written once and stand in the large tables as small whole numbers; those tables have no
rowid, so a row is stored once and not once more in an index. The order of the key of `scores` is a choice: a day's
sync adds the metrics of a day to some 64 open rounds per model, which lie side by side this way (one page is written
for a model and round, not one for each metric), and the history of a model is one run of neighbouring pages.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    Float,
    Index,
    Integer,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)

from numebot.adapters.store.tables import UtcDateTime, metadata


class EpochSeconds(TypeDecorator[datetime]):
    """An aware UTC time as whole seconds since 1970: four bytes where a text takes 26."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Convert to seconds before it is written."""
        return None if value is None else int(value.timestamp())

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Make it a time again."""
        return None if value is None else datetime.fromtimestamp(value, UTC)


class Amount(TypeDecorator[Decimal]):
    """Money as exact text: a binary number would lose wei."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Write plain digits."""
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Make it an amount again."""
        return None if value is None else Decimal(value)


slots = Table(
    "slots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tournament", Integer, nullable=False),
    Column("model_id", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("is_listed", Boolean, nullable=False),
    Column("first_seen_at", UtcDateTime),
    Column("seen_at", UtcDateTime),
    UniqueConstraint("tournament", "model_id"),
)
"""Model slots as Numerai knows them: the id stays when the name changes. `is_listed`: the account still has it."""

former_names = Table(
    "former_names",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), primary_key=True),
    Column("until", UtcDateTime, nullable=False),
)
"""Names that slots had, and when another one was seen: history is asked for by the name that one remembers."""

metrics = Table(
    "metrics",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tournament", Integer, nullable=False),
    Column("name", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    UniqueConstraint("tournament", "name", "version"),
)

scores = Table(
    "scores",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("round_number", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("metric", Integer, primary_key=True, autoincrement=False),
    Column("value", Float),
    Column("percentile", Float),
    Column("scored_at", EpochSeconds),
    sqlite_with_rowid=False,
)

newest_scores = Table(
    "newest_scores",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("metric", Integer, primary_key=True, autoincrement=False),
    Column("round_number", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False),
    Column("value", Float),
    Column("percentile", Float),
    Column("scored_at", EpochSeconds),
    sqlite_with_rowid=False,
)
"""The newest value of each series of `scores`, one row of sixty: what nearly every question is about.

The key lets a metric's history be read in one run. It follows from `scores` and is written with them.
"""

scored_rounds = Table(
    "scored_rounds",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("round_number", Integer, primary_key=True, autoincrement=False),
    Column("submission_id", String(64)),
    Column("resolves_at", EpochSeconds),
    Column("is_resolved", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""What all scores of a model in a round have in common."""

score_marks = Table(
    "score_marks",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("synced_at", UtcDateTime, nullable=False),
    Column("complete_at", UtcDateTime, nullable=False),
    Column("open_from", Integer),
)

listed_submissions = Table(
    "listed_submissions",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("round_number", Integer, primary_key=True, autoincrement=False),
    Column("status", String(32), nullable=False),
    Column("submission_id", String(64)),
    Column("filename", String(255)),
    Column("submitted_at", EpochSeconds),
    sqlite_with_rowid=False,
)
"""What Numerai lists for a model in a round, whoever uploaded it."""

payouts = Table(
    "payouts",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("round_number", Integer, primary_key=True, autoincrement=False),
    Column("amount", Amount, nullable=False),
    Column("is_settled", Boolean, nullable=False),
    Column("value", Amount),
    Column("currency", String(8)),
    Column("resolves_on", Date),
    sqlite_with_rowid=False,
)

payout_settings = Table(
    "payout_settings",
    metadata,
    Column("tournament", Integer, primary_key=True, autoincrement=False),
    Column("round_number", Integer, primary_key=True, autoincrement=False),
    Column("metric", Integer, primary_key=True, autoincrement=False),
    Column("is_payout", Boolean),
    Column("multiplier", Float),
    Column("minimum", Float),
    Column("maximum", Float),
    Column("clip", Float),
    Column("stake_threshold", Float),
    Column("payout_factor", Float),
    Column("score_days", Integer),
    Column("scoring_begins_at", EpochSeconds),
    Column("scoring_ends_at", EpochSeconds),
    sqlite_with_rowid=False,
)

leaderboards = Table(
    "leaderboards",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tournament", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("size", Integer, nullable=False),
    Column("figures", JSON, nullable=False),
    UniqueConstraint("tournament", "day"),
)
"""One snapshot a day. `figures` names the numbers of its rows, which then hold values alone."""

leaderboard_rows = Table(
    "leaderboard_rows",
    metadata,
    Column("leaderboard", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, nullable=False),
    Column("model", String(64), nullable=False),
    Column("slot", Integer),
    Column("staked", Amount),
    Column("figures", JSON, nullable=False),
    Index(None, "slot"),
    sqlite_with_rowid=False,
)
"""`slot` is filled for our own models, whose id and history it leads to."""
