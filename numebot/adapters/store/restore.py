"""Putting a backup in the place of the database: checked from end to end first, and the old one is kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from numebot.adapters.store.schema import VERSION_KEY, newer
from numebot.adapters.store.tables import HEAD
from numebot.core.errors import ConfigError, Damaged, LocalTrouble, NumebotError
from numebot.durable import fsync_file, local_trouble, whole_file

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database that is open or was left by a killed process."""


@dataclass(frozen=True)
class BackupFacts:
    """A backup that is whole: its schema, and the tournament server whose results it holds."""

    schema: str
    server: str | None


def inspected(path: Path) -> BackupFacts:
    """Let a backup check itself, and return what it is. Nothing is written, not even beside it.

    Raises: ConfigError when it is not there, not numebot's or of a newer numebot; Damaged.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file. Nothing was changed.")
    try:
        with closing(_opened(path)) as connection:
            return _facts(connection, path)
    except sqlite3.Error as error:
        raise Damaged(f"{path}: damaged or not a database ({error}). Nothing was changed.") from error


def newest_whole(paths: Iterable[Path]) -> Path | None:
    """Return the last of `paths` (oldest first) that can be restored; None when none can."""
    for path in reversed(list(paths)):
        with suppress(NumebotError):
            inspected(path)
            return path
    return None


def restore(backup: Path, database: Path, *, kept: Path, server: str) -> BackupFacts:
    """Put a copy of `backup` in the place of `database`, which stays as `kept` beside it.

    The copy is whole, checked and on the disk before it takes the name, and the old one is never without a name.
    Raises: ConfigError as `inspected`, or when it holds another server's results; Damaged; LocalTrouble when a program
    has the database open, or the disk does not obey.
    """
    with whole_file(database) as temporary:
        try:
            with closing(_opened(backup)) as source, closing(sqlite3.connect(temporary)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise Damaged(f"{backup}: damaged or not a database ({error}). Nothing was changed.") from error
        facts = inspected(temporary)
        if facts.server not in (None, server):
            raise ConfigError(f"{backup}: holds the results of {facts.server}, not of {server}. Nothing was changed.")
        if database.exists():
            _fold(database)
            _keep(database, kept)
    return facts


def _opened(path: Path) -> sqlite3.Connection:
    """Open for reading alone; `immutable` where no log lies beside it, so that none has to be made."""
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file. Nothing was changed.")
    has_log = Path(f"{path}-wal").exists()
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{'' if has_log else '&immutable=1'}", uri=True)


def _facts(connection: sqlite3.Connection, path: Path) -> BackupFacts:
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise Damaged(f"{path}: damaged ({found[0]}). Nothing was changed.")
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"alembic_version", "meta"} <= tables:
        raise ConfigError(f"{path}: a database, but none of numebot's. Nothing was changed.")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    noted = dict(connection.execute("SELECT key, value FROM meta WHERE key IN (?, 'server')", (VERSION_KEY,)))
    schema = str(row[0]) if row else "none"
    if row is None or schema > HEAD:
        raise ConfigError(newer(str(path), schema, noted.get(VERSION_KEY)))
    return BackupFacts(schema, noted.get("server"))


def _fold(database: Path) -> None:
    """Write the log of a database into it, which needs that nobody else has it open; a damaged one stays as it is."""
    try:
        with closing(sqlite3.connect(database, timeout=1.0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise LocalTrouble(
                f"{database}: another program has it open, a training or a browser of databases perhaps. End it and "
                "run again; nothing was changed."
            ) from error
    except sqlite3.Error:
        pass  # damaged, which may be the reason for all this


def _keep(database: Path, kept: Path) -> None:
    """Give the old file a second name; what lies beside it goes along, or the new one would take it for its own."""
    try:
        try:
            os.link(database, kept)
        except PermissionError:  # a disk that knows no second names
            shutil.copy2(database, kept)
            fsync_file(kept)
        for ending in BESIDE:
            with suppress(FileNotFoundError):
                os.rename(f"{database}{ending}", f"{kept}{ending}")
    except OSError as error:
        raise local_trouble(error, kept) from error
