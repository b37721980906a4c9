from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from numebot.adapters.housekeeping import backups
from numebot.core.types import Event, Round

Make = Callable[..., Any]

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def bot(numebot: Make) -> Any:
    """A numebot with a database that knows round 1404."""
    bot = numebot()
    with bot.app() as app:
        app.store.remember_round(Round(8, 1404, NOW, NOW), now=NOW)
    return bot


def test_a_whole_database_is_called_whole(bot: Any) -> None:
    answer = bot.command("db", "check")
    assert (answer.returncode, answer.stdout) == (0, f"{bot.data_folder / 'numebot.db'}: whole\n")


def test_a_damaged_database_is_told_with_what_to_do(bot: Any) -> None:
    with bot.app() as app:
        for number in range(300):
            app.store.record(Event(NOW, "state", str(number) * 400))
    path = bot.data_folder / "numebot.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size * 2 // 3)
        file.write(b"\xff" * 50_000)
    answer = bot.command("db", "check")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "There is no backup in" in answer.stderr
    assert "Traceback" not in answer.stderr
    answer = bot.command("db", "backup")
    assert answer.returncode == 1
    assert "damaged" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert backups(bot.data_folder) == []


def test_a_backup_goes_beside_the_database_by_default(bot: Any) -> None:
    answer = bot.command("db", "backup")
    assert answer.returncode == 0, answer.stderr
    (path,) = backups(bot.data_folder)
    assert answer.stdout == f"{path}: {path.stat().st_size:,} bytes, checked\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT number FROM rounds").fetchall() == [(1404,)]
    connection.close()


def test_a_backup_is_made_while_another_numebot_works(bot: Any, tmp_path: Path) -> None:
    with bot.app() as app, app.at_work("run"):
        assert bot.command("db", "backup", str(tmp_path / "mine.db")).returncode == 0
    assert (tmp_path / "mine.db").exists()


def test_a_backup_overwrites_nothing(bot: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.db").write_text("precious")
    answer = bot.command("db", "backup", str(tmp_path / "mine.db"))
    assert answer.returncode == 2
    assert "is there already" in answer.stderr
    assert (tmp_path / "mine.db").read_text() == "precious"


def test_prune_keeps_what_the_settings_say(bot: Any) -> None:
    bot.variables |= {"NUMEBOT_HOUSEKEEPING__KEEP_ROUNDS": "5", "NUMEBOT_HOUSEKEEPING__KEEP_BACKUPS": "1"}
    for number in (1399, 1400, 1404):
        (bot.data_folder / f"data/rounds/{number}").mkdir(parents=True)
        (bot.data_folder / f"data/rounds/{number}/live.parquet").write_bytes(b"x" * 1000)
    (bot.data_folder / "backups").mkdir()
    for day in (1, 2):
        (bot.data_folder / f"backups/numebot-2026110{day}T033000Z.db").write_bytes(b"x" * 500)
    answer = bot.command("db", "prune")
    assert (answer.returncode, answer.stdout) == (0, f"{bot.data_folder}: 2 files removed, 1,500 bytes freed\n")
    assert sorted(path.name for path in (bot.data_folder / "data/rounds").iterdir()) == ["1400", "1404"]
    assert [path.name for path in backups(bot.data_folder)] == ["numebot-20261102T033000Z.db"]
    with bot.app() as app:
        assert app.store.newest_round(8).number == 1404


def test_prune_touches_nothing_while_another_numebot_works(bot: Any) -> None:
    old = bot.data_folder / "data/rounds/1"
    old.mkdir(parents=True)
    with bot.app() as app, app.at_work("run"):
        answer = bot.command("db", "prune")
    assert answer.returncode == 1
    assert "is at work in this data folder" in answer.stderr
    assert old.exists()


def test_prune_keeps_the_data_folder_within_its_budget(bot: Any) -> None:
    bot.variables["NUMEBOT_HOUSEKEEPING__DISK_BUDGET_GB"] = "0.004"
    for number in (1390, 1391, 1404):
        path = bot.data_folder / f"data/rounds/{number}/live.parquet"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 2_000_000)
        os.utime(path, (number, number))
    answer = bot.command("db", "prune")
    assert (answer.returncode, answer.stderr) == (0, ""), answer
    assert sorted(path.name for path in (bot.data_folder / "data/rounds").iterdir()) == ["1404"]
    bot.variables["NUMEBOT_HOUSEKEEPING__DISK_BUDGET_GB"] = "0.001"
    answer = bot.command("db", "prune")
    assert answer.returncode == 0
    assert "bytes above disk_budget_gb; all that is left is needed." in answer.stderr
    assert sorted(path.name for path in (bot.data_folder / "data/rounds").iterdir()) == ["1404"]
