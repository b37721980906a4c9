"""PostgreSQL: sessions that never wait for ever, one writer at a time as in SQLite, and its errors in our words.

Loaded only for a database of that kind, as psycopg is installed for those alone.
"""

from __future__ import annotations

import json
import math
from typing import Any

import sqlalchemy as sa
from psycopg.types.string import StrDumper
from sqlalchemy.dialects.postgresql.base import PGTypeCompiler
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from numebot.core.errors import ConfigError, Damaged, LocalTrouble, NumebotError

WRITERS = 0x6E756D65626F74
"""The number of the lock that every writing transaction holds, as SQLite does it with its file."""
IDLE_S = 300
"""A writer that says nothing for so long has lost its connection or is frozen: the server ends its transaction."""
CONNECT_S = 10


def make_engine(url: URL, *, busy_timeout_s: float) -> Engine:
    """Return an engine that waits `busy_timeout_s` seconds for the lock of another writer."""
    options = {
        "lock_timeout": max(1, int(busy_timeout_s * 1000)),
        "idle_in_transaction_session_timeout": IDLE_S * 1000,
    }
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        json_serializer=_json,
        connect_args={
            "application_name": "numebot",
            "connect_timeout": CONNECT_S,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        },
    )
    engine.dialect.type_compiler_instance = _Unbounded(engine.dialect)
    sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.adapters.register_dumper(str, _WithoutZeroes)


def _on_begin(connection: Connection) -> None:
    if connection.get_execution_options().get("numebot_reads", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")


class _Unbounded(PGTypeCompiler):
    """Texts without a limit: SQLite has none, and a server's answer that is a little longer must not stop a round."""

    def visit_VARCHAR(self, type_: sa.String, **kw: Any) -> str:  # noqa: N802 # SQLAlchemy's name
        """Return the type without its length."""
        return "VARCHAR"


class _WithoutZeroes(StrDumper):
    """Texts without zero bytes, which plugins may print and PostgreSQL refuses."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\x00", ""))


def _json(value: object) -> str:
    return json.dumps(_storable(value))


def _storable(value: object) -> object:
    """Leave out what JSON does not know or PostgreSQL does not take: infinities, NaN, zero bytes."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {str(_storable(str(key))): _storable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(one) for one in value]
    return value


def explained(where: str, error: DBAPIError) -> NumebotError | None:
    """Return what an error means for the owner; None when it is one of this program."""
    reason = " ".join(str(error.orig).split())
    state = getattr(error.orig, "sqlstate", None)
    if state == "55P03":
        return LocalTrouble(
            f"{where}: another process holds the database ({reason}). Nothing was lost; run again when it is free."
        )
    if state == "53100":
        return LocalTrouble(f"{where}: the server's disk is full. Nothing was lost; free some space there, run again.")
    if state in ("42501", "25006"):
        return LocalTrouble(f"{where}: may not be written ({reason}). Give the user of [store] url the right to.")
    if state in ("XX001", "XX002"):
        return Damaged(f"{where}: damaged ({reason}). Restore a backup with pg_restore, then run again.")
    if _refuses_us(state, reason):
        return ConfigError(f"{where}: the server refuses ({reason}). Correct [store] url; nothing was done.")
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return LocalTrouble(f"{where}: the server cannot be reached or gave up ({reason}). Nothing was lost.")
    return None


def _refuses_us(state: str | None, reason: str) -> bool:
    """Whether it is the name, the password or the database; a refused connection has no state, only words."""
    if state is not None:
        return state.startswith("28") or state == "3D000"
    signs = ("authentication", "does not exist", "pg_hba", "no password supplied")
    return "invalid connection option" in reason or ("FATAL" in reason and any(sign in reason for sign in signs))
