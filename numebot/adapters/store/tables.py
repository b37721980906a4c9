"""The tables of the store. Times are aware UTC, JSON columns hold plain values, and no secret ever gets here."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

HEAD = "0005"
"""Newest revision in migrations/versions. Alembic is imported only when the database is not there yet."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time: SQLite keeps no zone, so it is put back on the way out; a naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC before it is written."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}: the store takes aware times only")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Put the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

rounds = Table(
    "rounds",
    metadata,
    Column("tournament", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("opens_at", UtcDateTime, nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("closes_at", UtcDateTime),
    Column("data_datestamp", Integer),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("scores_at", UtcDateTime),
    Column("resolves_at", UtcDateTime),
    Column("is_resolved", Boolean),
    Column("payout_factor", String(40)),
)

data_files = Table(
    "data_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("round_number", Integer),
    Column("path", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("etag", String(200)),
    Column("fetched_at", UtcDateTime, nullable=False),
    UniqueConstraint("path"),
)

models = Table(
    "models",
    metadata,
    Column("tournament", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), primary_key=True),
    Column("model_id", String(64)),
    Column("code", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("problem", Text),
    Column("updated_at", UtcDateTime, nullable=False),
)

trained_versions = Table(
    "trained_versions",
    metadata,
    Column("model", String(64), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("folder", Text, nullable=False),
    Column("data_version", String(32), nullable=False),
    Column("target", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("trained_at", UtcDateTime, nullable=False),
)


def _step_machine(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("tournament", Integer, primary_key=True, autoincrement=False),
        Column("round_number", Integer, primary_key=True, autoincrement=False),
        Column("model", String(64), primary_key=True),
        Column("state", String(16), nullable=False),
        Column("step", String(16), nullable=False),
        Column("model_id", String(64)),
        Column("filename", String(200)),
        Column("submission_id", String(64)),
        Column("sha256", String(64)),
        Column("inputs_sha256", String(64)),
        Column("trained_version", String(64)),
        Column("attempts", Integer, nullable=False),
        Column("refusals", Integer, nullable=False),
        Column("plugin_failures", Integer, nullable=False, server_default="0"),
        Column("rung", String(80)),
        Column("begun_at", UtcDateTime),
        Column("error", Text),
        Column("next_attempt_at", UtcDateTime),
        Column("submitted_at", UtcDateTime),
        Column("confirmed_at", UtcDateTime),
        Column("updated_at", UtcDateTime, nullable=False),
        Index(None, "state"),
    )


submissions = _step_machine("submissions")
safety_nets = _step_machine("safety_nets")
"""Uploads made after a deadline, for the next round; the row bears the number of the round that was over."""

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("tournament", Integer),
    Column("round_number", Integer),
    Column("model", String(64)),
    Column("details", JSON, nullable=False),
    Index(None, "tournament", "round_number", "model"),
    Index(None, "at"),
    Index(None, "kind"),
)
