"""Copies of the database: consistent while others write, whole or not there, and never of something damaged."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from numebot.adapters.store import Store
from numebot.core.errors import ConfigError, LocalTrouble, StorageBroken
from numebot.core.types import Event
from tests.waiting import wait_until

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[3]

WRITES = """
import sys
from datetime import UTC, datetime
from numebot.adapters.store import Store
from numebot.core.types import Event
store = Store(f"sqlite:///{sys.argv[1]}", busy_timeout_s=60)
event = Event(datetime(2026, 11, 24, tzinfo=UTC), "state", "x" * 500)
number = 0
while True:
    store.note("number", {"number": number})  # one more than there are lines, until the next line
    store.record(event)
    number += 1
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "numebot.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{path}", busy_timeout_s=60)
    yield store
    store.close()


def of(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_backup_is_whole_private_and_opens_as_a_database(store: Store, tmp_path: Path) -> None:
    store.record(Event(NOW, "state", "kept"))
    copy = tmp_path / "backups" / "copy.db"
    store.backup(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]
    restored = Store(f"sqlite:///{copy}")
    assert [event.message for event in restored.events()] == ["kept"]
    assert restored.problems() == []
    restored.close()


def test_a_backup_is_consistent_while_another_process_writes(store: Store, path: Path, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITES, str(path)], cwd=ROOT) as writer:
        try:
            wait_until(lambda: store.noted("number") is not None, "the other process writes")
            for number in range(5):
                copy = tmp_path / f"copy-{number}.db"
                store.backup(copy)
                assert of(copy, "PRAGMA integrity_check") == [("ok",)]
                ((lines,),) = of(copy, "SELECT count(*) FROM events")
                ((noted,),) = of(copy, "SELECT json_extract(value, '$.number') FROM meta WHERE key = 'number'")
                assert isinstance(lines, int)
                assert noted in (lines, lines - 1), "a moment between two transactions, never within one"
            assert writer.poll() is None
        finally:
            writer.kill()


def test_a_destination_that_is_there_is_kept(store: Store, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(ConfigError, match=r"copy\.db: is there already.*nothing was written"):
        store.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_destination_that_cannot_be_written_is_told_in_words(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalTrouble, match="file"):
        store.backup(tmp_path / "file" / "copy.db")


def damage(path: Path) -> None:
    """Overwrite pages towards the end, where the timeline is: a damaged schema could not even be opened."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size * 2 // 3 // 4096 * 4096)
        file.write(b"\xff" * 4096 * 20)


@pytest.fixture
def damaged(path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{path}")
    for number in range(400):
        store.record(Event(NOW, "state", str(number) * 400))
    store.close()  # everything is in the file now
    damage(path)
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


def test_damage_is_found_and_never_backed_up(damaged: Store, tmp_path: Path) -> None:
    assert damaged.problems() != []
    with pytest.raises(StorageBroken, match="damaged"):
        damaged.backup(tmp_path / "backups" / "copy.db")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_database_that_is_whole_has_no_problems(store: Store) -> None:
    assert store.problems() == []
