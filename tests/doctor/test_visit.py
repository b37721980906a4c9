"""The whole visit: on a numebot that plays, and on one where everything is broken."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from numebot.app.doctor import examine
from numebot.core.diagnosis import Mark, Point

Make = Callable[..., Any]
NAMES = [
    "python", "libraries", "isolation", "settings", "key", "data folder", "file system", "disk", "database", "models",
    "training", "data contract", "memory", "service", "wake-up", "network", "clock", "scopes",
]  # fmt: skip
OF_THIS_MACHINE = {"file system", "disk", "service", "wake-up"}
"""What a test cannot choose."""


def visit(bot: Any, *, offline: bool = False) -> dict[str, Point]:
    points = examine(bot.environ(), practice=False, is_offline=offline).points
    assert [point.name for point in points] == NAMES
    return {point.name: point for point in points}


def test_where_rounds_are_played_there_is_no_problem(numebot: Make) -> None:
    bot = numebot()
    bot.run()
    before = sorted(path for path in bot.home.rglob("*"))
    points = visit(bot)
    assert {name for name, point in points.items() if point.mark is Mark.PROBLEM} <= OF_THIS_MACHINE
    for name in ("database", "models", "training", "network", "clock", "scopes"):
        assert points[name].mark is Mark.OK, points[name]
    assert sorted(path for path in bot.home.rglob("*")) == before, "nothing is made or changed"
    assert {points[name].mark for name in NAMES[-3:]} == {Mark.OK}
    offline = visit(bot, offline=True)
    assert {offline[name].mark for name in NAMES[-3:]} == {Mark.UNKNOWN}


def test_each_part_that_is_broken_is_said_beside_the_others(numebot: Make) -> None:
    bot = numebot()
    learner = bot.plugin("learner", "return live.mean(axis=1)\n\n    def fit(self, data):\n        pass")
    bot.configs(f"alpha,{learner}", "beta,plugins/nowhere.py")
    bot.data_folder.mkdir()
    (bot.data_folder / "numebot.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    bot.key = ("ONLYHALF", "")
    with socket.create_server(("127.0.0.1", 0)) as there:
        gone = there.getsockname()[1]
    bot.variables["NUMEBOT_API_URL"] = f"http://127.0.0.1:{gone}"
    points = visit(bot)
    words = {"key": "only half", "database": "damaged", "models": "nowhere.py", "training": "never trained: alpha",
             "network": "no connection to 127.0.0.1"}  # fmt: skip
    for name, said in words.items():
        assert points[name].mark is Mark.PROBLEM, points[name]
        assert said in points[name].words
    assert [points[name].mark for name in ("clock", "scopes")] == [Mark.UNKNOWN] * 2
    assert "ONLYHALF" not in str(points)


def test_a_newer_or_strange_database_and_a_missing_table_are_no_crash(numebot: Make) -> None:
    bot = numebot()
    bot.data_folder.mkdir()
    with sqlite3.connect(bot.data_folder / "numebot.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()
    (bot.home / "model_configs.csv").unlink()
    points = visit(bot, offline=True)
    assert "newer numebot" in points["database"].words
    assert points["models"].mark is Mark.PROBLEM
    assert points["training"].mark is Mark.UNKNOWN


def test_settings_that_cannot_be_read_leave_the_machine_to_look_at(numebot: Make) -> None:
    bot = numebot()
    bot.variables["NUMEBOT_LOG__LEVEL"] = "LOUD"
    points = examine(bot.environ(), practice=False, is_offline=True).points
    assert [point.name for point in points] == ["python", "libraries", "isolation", "settings"]
    assert points[-1].mark is Mark.PROBLEM
    assert "LOUD" in points[-1].words


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_the_command_says_it_and_ends_with_1_for_a_problem(numebot: Make, arguments: tuple[str, ...]) -> None:
    bot = numebot()
    answer = bot.command("doctor", "--offline", *arguments)
    is_well = Mark.PROBLEM not in {point.mark for point in visit(bot, offline=True).values()}
    assert (answer.returncode, answer.stderr) == (0 if is_well else 1, "")
    assert not any(secret in answer.stdout for secret in bot.key)
    bot.key = ("", "")
    none = bot.command("doctor", "--offline", *arguments)
    assert none.returncode == 1
    if arguments:
        (point,) = [point for point in json.loads(none.stdout)["points"] if point["name"] == "key"]
        assert (point["mark"], point["words"]) == ("problem", "there is none.")
    else:
        assert "Problems: " in none.stdout
