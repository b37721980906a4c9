"""The database is lost, damaged, held or in the wrong place: what the owner is told, and that rounds go on after it."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from numebot.adapters.clock import SystemClock
from numebot.adapters.housekeeping import backups
from numebot.adapters.lease import lease
from numebot.adapters.store import Store
from numebot.core.errors import NumebotError
from numebot.core.types import State
from tests.waiting import wait_until

Make = Callable[..., Any]
NOBODY = 65534


def test_a_restored_database_plays_the_next_round_and_sends_nothing_twice(numebot: Make) -> None:
    bot = numebot()
    bot.configs("alpha")
    assert bot.run().submissions[0].state is State.CONFIRMED
    assert bot.command("db", "backup").returncode == 0
    bot.configs("alpha", "beta")
    assert bot.states() == {"alpha": State.CONFIRMED}
    bot.run()  # beta is sent after the backup
    path = bot.data_folder / "numebot.db"
    path.write_bytes(b"\xff" * 50_000)
    answer = bot.command("run")
    (backup,) = backups(bot.data_folder)
    assert answer.returncode == 1
    assert "damaged or not a database" in answer.stderr
    hint = f"The newest backup that is whole is {backup}: stop numebot, then type `numebot db restore`."
    assert hint in answer.stderr

    answer = bot.command("db", "restore")
    assert answer.returncode == 0, answer.stderr
    assert f"{path}: restored from {backup}, schema " in answer.stdout
    (kept,) = bot.data_folder.glob("numebot.db.replaced-*")
    assert f"What it replaced is now {kept}" in answer.stdout
    assert kept.read_bytes() == b"\xff" * 50_000

    assert {row.model: row.state for row in bot.run().submissions} == dict.fromkeys(("alpha", "beta"), State.CONFIRMED)
    assert [len(bot.accepted(model)) for model in ("alpha", "beta")] == [1, 1]
    bot.configs("alpha", "beta", "gamma")
    assert {row.state for row in bot.run().submissions} == {State.CONFIRMED}
    assert bot.command("db", "check").returncode == 0


def test_nothing_is_restored_while_another_numebot_is_at_work(numebot: Make) -> None:
    bot = numebot()
    with bot.app() as app:
        app.store.note("one", {"number": 1})
    assert bot.command("db", "backup").returncode == 0
    for lock in ("numebot.lock", "daemon.lock"):
        with lease(bot.data_folder, "run", SystemClock(), name=lock):
            answer = bot.command("db", "restore")
        assert answer.returncode == 1
        assert "is at work in this data folder" in answer.stderr
    assert list(bot.data_folder.glob("*replaced*")) == []


def test_without_a_backup_it_is_said_what_there_is(numebot: Make) -> None:
    bot = numebot()
    bot.data_folder.mkdir()
    (bot.data_folder / "numebot.db").write_bytes(b"no database " * 1000)
    answer = bot.command("status")
    assert answer.returncode == 1
    assert f"There is no backup in {bot.data_folder / 'backups'} that is whole." in answer.stderr
    answer = bot.command("db", "restore")
    assert answer.returncode == 2
    assert "holds no backup that is whole. Nothing was changed." in answer.stderr


def test_upgrade_says_what_it_did(numebot: Make) -> None:
    bot = numebot()
    assert bot.command("db", "upgrade").stdout.endswith(", new\n")
    assert bot.command("db", "upgrade").stdout.endswith(", up to date\n")


def test_a_folder_in_the_place_of_the_database_is_told(numebot: Make) -> None:
    bot = numebot()
    (bot.data_folder / "numebot.db").mkdir(parents=True)
    answer = bot.command("status")
    assert answer.returncode == 2
    assert "numebot.db: is a folder; a database belongs there" in answer.stderr


@pytest.fixture
def not_ours() -> Iterator[Path]:
    """A folder with a database for a process that is not root, who may write everywhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with closing(sqlite3.connect(folder / "numebot.db")) as connection:
            connection.execute("CREATE TABLE one (a INTEGER)")
        yield folder
        folder.chmod(0o755)


def opened_by_nobody(path: Path) -> str:
    # Forked, so that the modules are there already: the folder of the project may be closed to others.
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.write(writes, _told(path).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


def _told(path: Path) -> str:
    try:
        Store(f"sqlite:///{path}").close()
    except NumebotError as error:
        return str(error)
    return "opened"


def test_a_database_that_may_not_be_written_is_told(not_ours: Path) -> None:
    path = not_ours / "numebot.db"
    path.chmod(0o444)
    not_ours.chmod(0o555)
    assert "Correct the owner or the mode" in opened_by_nobody(path)
    path.chmod(0o000)
    assert "Correct the owner or the mode" in opened_by_nobody(path)
    path.unlink()
    assert "Correct the owner or the mode" in opened_by_nobody(path)


def test_serve_waits_for_a_database_that_is_held(numebot: Make) -> None:
    bot = numebot()
    bot.configs("alpha")
    with bot.app() as app:
        app.store.note("one", {"number": 1})
    out = bot.home / "out.txt"
    with closing(sqlite3.connect(bot.data_folder / "numebot.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        process = bot.start("serve")
        try:
            wait_until(lambda: "Tried again in 5 s." in out.read_text(), "serve says that it waits")
            assert "another process holds the database" in out.read_text()
            assert process.poll() is None
            holder.execute("ROLLBACK")
            wait_until(lambda: "looking for rounds" in out.read_text(), "serve goes on")
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
    assert code == 0, out.read_text()
