"""A database of every earlier schema, with rows in every table: upgraded when it is opened, after a backup of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import alembic.script
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from numebot.adapters.store import Store
from numebot.adapters.store.engine import make_private_file, open_engine, transaction
from numebot.adapters.store.schema import MIGRATIONS
from numebot.adapters.store.tables import HEAD
from numebot.core.errors import ConfigError, LocalTrouble
from tests.postgresql import Server

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CONFIG = Config()
CONFIG.set_main_option("script_location", str(MIGRATIONS))
EARLIER = sorted(
    one.revision for one in alembic.script.ScriptDirectory.from_config(CONFIG).walk_revisions() if one.revision != HEAD
)
Rows = Mapping[str, list[Mapping[str, Any]]]


@contextmanager
def connected(url: str, *, reads: bool = False) -> Iterator[sa.Connection]:
    engine = open_engine(url)
    make_private_file(engine)
    try:
        with transaction(engine, reads=reads) as connection:
            yield connection
    finally:
        engine.dispose()


def rows(url: str) -> Rows:
    with connected(url, reads=True) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        return {
            table.name: [dict(row._mapping) for row in connection.execute(table.select().order_by(*table.primary_key))]
            for table in tables.sorted_tables
        }


def made(url: str, schema: str) -> Rows:
    """Make a database of an earlier schema with three rows in each table, and return them."""
    with connected(url) as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, schema)
        tables = sa.MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                for number in (1, 2, 3):
                    values = {column.name: something(column.type, number) for column in table.columns}
                    connection.execute(table.insert().values(values))
    return rows(url)


def something(kind: sa.types.TypeEngine[Any], number: int) -> object:
    by_kind: list[tuple[type[sa.types.TypeEngine[Any]], object]] = [
        (sa.Boolean, number > 1),
        (sa.DateTime, NOW),
        (sa.Date, date(2026, 11, number)),
        (sa.JSON, {"took_s": number}),
        (sa.Float, number / 4),
        (sa.Numeric, number / 4),
        (sa.Integer, number),
        (sa.String, f"text {number}"),
    ]
    return next(value for known, value in by_kind if isinstance(kind, known))


def assert_kept(before: Rows, after: Rows) -> None:
    for name, kept in before.items():
        if name not in ("alembic_version", "meta"):
            found = [{column: row[column] for column in kept[0]} for row in after[name]]
            assert found == kept, name
    assert [row for row in after["meta"] if row["key"] != "version"] == before["meta"]
    assert after["alembic_version"] == [{"version_num": HEAD}]


@pytest.mark.parametrize("schema", EARLIER)
def test_every_earlier_schema_keeps_its_rows(schema: str, url: str) -> None:
    before = made(url, schema)
    store = Store(url)
    assert store.opened_at_schema == schema
    assert store.problems() == []
    store.close()
    assert_kept(before, rows(url))


@pytest.mark.parametrize("schema", EARLIER)
def test_the_backup_before_an_upgrade_holds_the_old_schema(schema: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'numebot.db'}"
    before = made(url, schema)
    Store(url, before_upgrade=lambda found: tmp_path / "backups" / f"{found}.db").close()
    (backup,) = (tmp_path / "backups").iterdir()
    assert backup.name == f"{schema}.db"
    assert rows(f"sqlite:///{backup}") == before
    Store(url, before_upgrade=lambda found: tmp_path / "backups" / "never.db").close()
    assert len(list((tmp_path / "backups").iterdir())) == 1, "an upgraded database needs none"


def test_nothing_is_upgraded_when_the_backup_cannot_be_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'numebot.db'}"
    before = made(url, EARLIER[0])
    (tmp_path / "backups").touch()
    with pytest.raises(LocalTrouble, match="backups"):
        Store(url, before_upgrade=lambda found: tmp_path / "backups" / "x.db")
    assert rows(url) == before


def test_a_new_database_needs_no_backup(url: str, tmp_path: Path) -> None:
    store = Store(url, before_upgrade=lambda found: tmp_path / "never.db")
    assert store.opened_at_schema is None
    store.close()
    assert not (tmp_path / "never.db").exists()


def test_a_database_of_a_newer_numebot_says_which(url: str, open_store: Callable[..., Store], sql: Any) -> None:
    open_store()
    sql("UPDATE alembic_version SET version_num = '9999'")
    sql("UPDATE meta SET value = '7.1.0' WHERE key = 'version'")
    wanted = rf"newer numebot \(schema 9999 of numebot 7\.1\.0; this is numebot 0\..*knows schema {HEAD}\)"
    with pytest.raises(ConfigError, match=wanted):
        open_store()


@pytest.fixture
def pg_dump(postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the server's own programs, which pg_dump must fit to."""
    monkeypatch.setenv("PATH", f"{postgresql.programs}{os.pathsep}{os.environ['PATH']}")
    return postgresql.programs


def test_a_postgresql_is_backed_up_before_an_upgrade_and_can_be_restored(
    new_database: Callable[[], str], pg_dump: Path, tmp_path: Path
) -> None:
    url, other = new_database(), new_database()
    before = made(url, EARLIER[0])
    store = Store(url, before_upgrade=lambda found: tmp_path / f"{found}.db")
    assert store.backup_suffix == ".dump"
    store.backup(tmp_path / "now.dump")
    store.close()
    for name, wanted in ((f"{EARLIER[0]}.dump", before), ("now.dump", rows(url))):
        restore = ["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", f"--dbname={other}"]
        subprocess.run([str(pg_dump / restore[0]), *restore[1:], str(tmp_path / name)], check=True)
        assert rows(other) == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{EARLIER[0]}.dump", "now.dump"]


def test_a_postgresql_is_upgraded_without_pg_dump_and_that_is_said(
    new_database: Callable[[], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = new_database()
    before = made(url, EARLIER[0])
    monkeypatch.setenv("PATH", str(tmp_path))
    store = Store(url, before_upgrade=lambda found: tmp_path / f"{found}.db")
    assert not store.can_back_up
    with pytest.raises(ConfigError, match="pg_dump, which makes backups of a PostgreSQL, is not on this machine"):
        store.backup(tmp_path / "now.dump")
    store.close()
    assert "upgraded without a backup: pg_dump" in caplog.text
    assert_kept(before, rows(url))
