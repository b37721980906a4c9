"""Opening the database: pragmas, real transactions, migrations, and its errors in our words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from numebot.core.errors import ConfigError, Damaged, LocalTrouble, NumebotError, StorageBroken
from numebot.durable import local_trouble, make_folder

LITTLE_ROOM_BYTES = 1_000_000
NO_PSYCOPG = "needs a library that is not installed. Type: .venv/bin/python -m pip install 'psycopg[binary]'"


def open_engine(url: str, *, busy_timeout_s: float = 10.0) -> Engine:
    """Return an engine on `url`: SQLite, set up for safety first (WAL, synchronous=FULL, foreign keys), or PostgreSQL.

    Raises: ConfigError for an address that is none; no word of it is told, as it may hold a password.
    """
    try:
        address = sa.make_url(url)
        if address.get_backend_name() == "postgresql":
            from numebot.adapters.store.postgres import make_engine  # psycopg is there for those who want it

            return make_engine(address, busy_timeout_s=busy_timeout_s)
        if address.get_backend_name() != "sqlite":
            raise ConfigError(f"store.url: {address.get_backend_name()} is a database that numebot does not know.")
        engine = sa.create_engine(address)
    except (ArgumentError, ValueError):
        raise ConfigError("store.url: not a database address that numebot can open.") from None
    except ImportError as error:
        raise ConfigError(f"store.url: {NO_PSYCOPG}") from error
    _set_up_sqlite(engine, busy_timeout_s)
    return engine


def place_of(engine: Engine) -> str:
    """Return where a database is, for a person: a path, or server and name; never user, password or options."""
    url = engine.url
    if engine.dialect.name == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{url.host or 'localhost'}{port}/{url.database}"


def make_private_file(engine: Engine) -> None:
    """Make the file of a SQLite database, readable by its owner alone, before anything is written into it.

    Raises: LocalTrouble when it cannot be made; ConfigError when something else is in its place.
    """
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return
    path = Path(engine.url.database)
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "no ordinary file"
        raise ConfigError(f"{path}: is {what}; a database belongs there. Move it away and run again; nothing was done.")
    try:
        make_folder(path.parent, mode=0o700)
        path.touch(mode=0o600)
    except OSError as error:
        raise local_trouble(error, path) from error


def _set_up_sqlite(engine: Engine, busy_timeout_s: float) -> None:
    def on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver's own transactions commit before DDL; with them off, ours hold whatever happens inside.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout_s * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at the start, where waiting for it is safe; readers need none.
        reads = connection.get_execution_options().get("numebot_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    sa.event.listen(engine, "connect", on_connect)
    sa.event.listen(engine, "begin", on_begin)


@contextmanager
def transaction(engine: Engine, *, reads: bool = False) -> Iterator[Connection]:
    """Yield a connection inside one transaction; commit at the end, roll back on any exception.

    Raises: LocalTrouble when the database is locked, full, read-only or damaged.
    """
    with in_our_words(engine), engine.connect() as connection:
        connection = connection.execution_options(numebot_reads=reads)
        with connection.begin():
            yield connection


@contextmanager
def in_our_words(engine: Engine) -> Iterator[None]:
    """Let database errors of the block come out as ours. Raises: LocalTrouble, StorageBroken, Damaged, ConfigError."""
    try:
        yield
    except NumebotError:
        raise
    except (DatabaseError, InterfaceError) as error:
        raise _explained(engine, error) from error


def _explained(engine: Engine, error: DBAPIError) -> NumebotError:
    """Say what a database error means for the owner, and whether this process may go on with the database."""
    if engine.dialect.name == "postgresql":
        from numebot.adapters.store.postgres import explained

        found = explained(place_of(engine), error)
        if found is None:
            raise error
        return found
    words = _explain(engine, error)
    reason = str(error.orig)
    if any(sign in reason for sign in ("malformed", "not a database")):
        return Damaged(words)
    return StorageBroken(words) if "disk I/O error" in reason else LocalTrouble(words)


def _explain(engine: Engine, error: DBAPIError) -> str:
    where = place_of(engine)
    reason = str(error.orig)
    if "locked" in reason:
        return f"{where}: another process holds the database ({reason}). Nothing was lost; run again when it is free."
    if "disk is full" in reason or ("disk I/O" in reason and _has_no_room(Path(where).parent)):
        return f"{where}: the disk is full. Nothing was lost; free some space and run again."
    if "disk I/O" in reason:
        return f"{where}: the disk does not obey ({reason}). Look at it (dmesg, smartctl), then run again."
    if "readonly" in reason or "unable to open" in reason:
        return f"{where}: cannot be opened for writing ({reason}). Correct the owner or the mode of its folder."
    if "malformed" in reason or "not a database" in reason:
        return f"{where}: damaged or not a database ({reason}). A backup has to take its place."
    if isinstance(error, OperationalError):
        return f"{where}: {reason}"
    raise error


def _has_no_room(folder: Path) -> bool:
    """Whether a folder's disk is so full that it explains an I/O error: SQLite calls it so beside its own files."""
    try:
        return shutil.disk_usage(folder).free < LITTLE_ROOM_BYTES
    except OSError:
        return False
