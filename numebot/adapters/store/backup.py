"""Consistent copies of a SQLite database, and its own check. Only through SQLite: a copied file may be torn."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from numebot.adapters.store.dump import dump
from numebot.adapters.store.engine import in_our_words
from numebot.core.errors import ConfigError, Damaged, StorageBroken
from numebot.durable import whole_file


def problems_of(engine: Engine) -> list[str]:
    """Return what the database finds wrong with itself; nothing when it is whole. Raises: LocalTrouble."""
    if engine.dialect.name != "sqlite":
        return []
    try:
        with in_our_words(engine), engine.connect() as connection:
            raw = connection.execution_options(numebot_reads=True)
            found = [str(row[0]) for row in raw.execute(sa.text("PRAGMA integrity_check"))]
            if found == ["ok"]:
                strays = raw.execute(sa.text("PRAGMA foreign_key_check")).all()
                found = [f"{row[0]}: a row points to nothing" for row in strays]
            return found
    except StorageBroken as error:
        return [str(error)]  # so damaged that not even the check gets through


def suffix_of(engine: Engine) -> str:
    """Return how the name of a backup ends."""
    return ".db" if engine.dialect.name == "sqlite" else ".dump"


def can_copy(engine: Engine) -> bool:
    """Whether what makes a backup is on this machine."""
    return engine.dialect.name == "sqlite" or shutil.which("pg_dump") is not None


def copy_to(engine: Engine, destination: Path) -> None:
    """Write a consistent, checked copy to `destination`, which appears whole or not at all.

    Raises: ConfigError for a destination that is there, or without the program that copies a PostgreSQL; LocalTrouble;
    Damaged when the copy does not pass the check, which means that the database does not either.
    """
    if destination.exists():
        raise ConfigError(f"{destination}: is there already. Name a file that is not; nothing was written.")
    if engine.dialect.name != "sqlite":
        dump(engine, destination)
        return
    with whole_file(destination) as temporary:
        with in_our_words(engine), engine.connect() as connection, _as_sqlalchemy():
            # The driver's own connection: in SQLAlchemy's every statement is inside a transaction, which VACUUM is not.
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute("VACUUM INTO ?", (str(temporary),))
            with closing(sqlite3.connect(temporary)) as copy:
                found = [str(row[0]) for row in copy.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise Damaged(f"{destination}: the copy is not whole ({found[0]}), so the database is damaged.")


@contextmanager
def _as_sqlalchemy() -> Iterator[None]:
    """Let the driver's errors come out as SQLAlchemy would have raised them."""
    try:
        yield
    except sqlite3.Error as error:
        raise OperationalError("VACUUM INTO", None, error) from error
