"""The schema and its migrations: a database is brought up to date when it is opened, after a backup of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from numebot.adapters.store.backup import copy_to, suffix_of
from numebot.adapters.store.engine import place_of, transaction
from numebot.adapters.store.tables import HEAD, meta
from numebot.core.errors import ConfigError

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_KEY = "version"
"""Under which the numebot that made the schema is noted, so that an older one can name it."""


def upgrade(engine: Engine, before_upgrade: Callable[[str], Path] | None = None) -> str | None:
    """Bring the schema to `HEAD`, all in one transaction, and return which it was; None for a new database.

    `before_upgrade` names the backup that is made of an older database first, by its schema. Without pg_dump there is
    none of a PostgreSQL, which is said. Raises: ConfigError for a database of a newer numebot; LocalTrouble.
    """
    with transaction(engine, reads=True) as connection:
        found = revision(connection)
        if found is not None and found > HEAD:
            raise ConfigError(newer(place_of(engine), found, _writer(connection)))
    if found == HEAD:
        return found
    with transaction(engine) as connection:
        # Another process may have migrated while we waited for the lock. From here on nobody else writes.
        found = revision(connection)
        if found == HEAD:
            return found
        if found is not None and before_upgrade is not None:
            _back_up(engine, before_upgrade(found).with_suffix(suffix_of(engine)))
        _run_alembic(connection)
        _sign(connection)
    return found


def newer(place: str, schema: str, writer: str | None) -> str:
    """Return what is said of a database of a newer numebot."""
    by = f"{schema} of numebot {writer}" if writer else schema
    return (
        f"{place}: written by a newer numebot (schema {by}; this is numebot {version('numebot')}, which knows schema "
        f"{HEAD}). Upgrade numebot, or use another data folder. Nothing was changed."
    )


def revision(connection: Connection) -> str | None:
    """Return the schema of a database; None when there is none yet."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(sa.text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])


def _writer(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table(meta.name):
        return None
    return connection.scalar(sa.select(meta.c.value).where(meta.c.key == VERSION_KEY))


def _back_up(engine: Engine, destination: Path) -> None:
    try:
        copy_to(engine, destination)
    except ConfigError as error:
        logger.warning("The database is upgraded without a backup: %s", error)


def _run_alembic(connection: Connection) -> None:
    from alembic import command  # half a second that only a new or old database needs
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _sign(connection: Connection) -> None:
    connection.execute(meta.delete().where(meta.c.key == VERSION_KEY))
    connection.execute(meta.insert().values(key=VERSION_KEY, value=version("numebot")))
