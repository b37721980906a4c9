"""Putting a backup back: only a whole one of ours, only where nobody is at work, and nothing of the old one is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from numebot.adapters.store import Store
from numebot.adapters.store.restore import BackupFacts, inspected, newest_whole, restore
from numebot.adapters.store.tables import HEAD
from numebot.core.errors import ConfigError, Damaged, LocalTrouble
from numebot.core.types import Event

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SERVER = "api-tournament.numer.ai"


def say(path: Path, *words: str) -> None:
    store = Store(f"sqlite:///{path}")
    store.claim_for(SERVER)
    for word in words:
        store.record(Event(NOW, "state", word))
    store.close()


def said(path: Path) -> list[str]:
    store = Store(f"sqlite:///{path}")
    found = [event.message for event in store.events()]
    store.close()
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    say(tmp_path / "numebot.db", "old")
    return tmp_path / "numebot.db"


@pytest.fixture
def backup(path: Path, tmp_path: Path) -> Path:
    store = Store(f"sqlite:///{path}")
    store.backup(tmp_path / "backup.db")
    store.close()
    say(path, "new")
    return tmp_path / "backup.db"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept.db"


@pytest.fixture
def names(tmp_path: Path, backup: Path) -> Iterator[None]:
    """Nothing may be left beside the files that are wanted."""
    yield
    assert {one.name for one in tmp_path.iterdir()} <= {"numebot.db", "backup.db", "kept.db"}


@pytest.mark.usefixtures("names")
def test_a_backup_takes_the_place_and_what_it_replaces_is_kept(path: Path, backup: Path, kept: Path) -> None:
    assert restore(backup, path, kept=kept, server=SERVER) == BackupFacts(HEAD, SERVER)
    assert said(path) == ["old"]
    assert said(kept) == ["old", "new"]
    assert said(backup) == ["old"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("names")
def test_what_a_killed_process_left_in_the_log_is_kept_with_the_old_one(path: Path, backup: Path, kept: Path) -> None:
    left = {ending: Path(f"{path}{ending}") for ending in ("", "-wal")}
    store = Store(f"sqlite:///{path}")
    store.record(Event(NOW, "state", "in the log"))
    killed = {ending: file.read_bytes() for ending, file in left.items()}
    store.close()
    for ending, content in killed.items():
        left[ending].write_bytes(content)
    restore(backup, path, kept=kept, server=SERVER)
    assert said(path) == ["old"]
    assert said(kept) == ["old", "new", "in the log"]


@pytest.mark.usefixtures("names")
def test_a_damaged_database_is_replaced_and_kept_as_it_is(path: Path, backup: Path, kept: Path) -> None:
    path.write_bytes(b"this is no database " * 1000)
    restore(backup, path, kept=kept, server=SERVER)
    assert said(path) == ["old"]
    assert kept.read_bytes() == b"this is no database " * 1000


def test_a_database_that_is_gone_is_put_back(path: Path, backup: Path, kept: Path) -> None:
    path.unlink()
    restore(backup, path, kept=kept, server=SERVER)
    assert said(path) == ["old"]
    assert not kept.exists()


@pytest.mark.usefixtures("names")
def test_nothing_is_replaced_while_somebody_has_it_open(path: Path, backup: Path, kept: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(LocalTrouble, match=r"numebot\.db: another program has it open.*nothing was changed"):
            restore(backup, path, kept=kept, server=SERVER)
    assert said(path) == ["old", "new"]
    assert not kept.exists()


def test_a_backup_that_is_damaged_or_not_ours_changes_nothing(path: Path, backup: Path, kept: Path) -> None:
    before = path.read_bytes()
    other = backup.with_name("other.db")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE one (a INTEGER)")
    text = backup.with_name("text.db")
    text.write_text("no database, " * 1000)
    half = backup.with_name("half.db")
    half.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    for wrong, kind, words in (
        (backup.with_name("missing.db"), ConfigError, "there is no such file"),
        (backup.parent, ConfigError, "there is no such file"),
        (other, ConfigError, "none of numebot's"),
        (text, Damaged, "damaged or not a database"),
        (half, Damaged, "damaged"),
    ):
        with pytest.raises(kind, match=f"{words}.*Nothing was changed"):
            restore(wrong, path, kept=kept, server=SERVER)
    with pytest.raises(ConfigError, match=r"holds the results of api-tournament\.numer\.ai, not of 127\.0\.0\.1"):
        restore(backup, path, kept=kept, server="127.0.0.1")
    assert path.read_bytes() == before
    assert not kept.exists()


def test_a_backup_of_a_newer_numebot_is_refused(path: Path, backup: Path, kept: Path) -> None:
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE meta SET value = '7.0' WHERE key = 'version'")
    with pytest.raises(ConfigError, match=r"newer numebot \(schema 9999 of numebot 7\.0"):
        restore(backup, path, kept=kept, server=SERVER)
    assert said(path) == ["old", "new"]


def test_looking_at_a_backup_writes_nothing_and_the_newest_whole_one_is_found(path: Path, backup: Path) -> None:
    broken = backup.with_name("broken.db")
    broken.write_bytes(backup.read_bytes()[:5000])
    before = {one.name for one in backup.parent.iterdir()}
    assert inspected(backup) == BackupFacts(HEAD, SERVER)
    assert newest_whole([path, backup, broken, backup.with_name("gone.db")]) == backup
    assert newest_whole([broken]) is None
    assert {one.name for one in backup.parent.iterdir()} == before
