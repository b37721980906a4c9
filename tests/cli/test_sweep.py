from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from tests.waiting import wait_until

Make = Callable[..., Any]

LEARNER = """
import time

from numebot.plugin import Model


class Learner(Model):
    def __init__(self, column=0, seconds=0.0):
        self.column, self.seconds = column, seconds

    def fit(self, data):
        time.sleep(self.seconds)

    def predict(self, live):
        return live.iloc[:, self.column]
"""
PLAN = """
sampler = "grid"
folds = 1
embargo = 0
prune = false
[parameters]
seconds = {seconds}
[space]
column = {columns}
"""


def prepared(bot: Any, seconds: float = 0.0, columns: str = "[0, 1]") -> str:
    (bot.home / "plugins").mkdir(exist_ok=True)
    (bot.home / "plugins" / "learner.py").write_text(LEARNER)
    bot.configs("alpha,plugins/learner.py")
    plan = bot.home / "sweep.toml"
    plan.write_text(PLAN.format(seconds=seconds, columns=columns))
    return str(plan)


def states(bot: Any) -> list[str]:
    path = bot.data_folder / "sweeps.db"
    if not path.exists():
        return []
    connection = sqlite3.connect(path, timeout=30)
    try:
        return [row[0] for row in connection.execute("SELECT state FROM trials ORDER BY number")]
    except sqlite3.OperationalError:
        return []  # its tables are being made
    finally:
        connection.close()


def test_a_killed_sweep_goes_on_and_the_best_is_trained(numebot: Make) -> None:
    bot = numebot()
    plan = prepared(bot, seconds=0.7, columns="[0, 1, 2]")
    process = bot.start("sweep", "alpha", "--config", plan)
    try:
        wait_until(lambda: "COMPLETE" in states(bot) or process.poll() is not None, "the first trial is complete")
        assert process.poll() is None, (bot.home / "out.txt").read_text()
    finally:
        process.kill()
        process.wait()
    before = states(bot).count("COMPLETE")
    assert 1 <= before < 3
    answer = bot.command("sweep", "alpha", "--config", plan, "--jobs", "2", "--best", "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    complete = [trial for trial in found["trials"] if trial["state"] == "complete"]
    assert sorted(trial["parameters"]["column"] for trial in complete) == [0, 1, 2]
    best = max(complete, key=lambda trial: trial["value"])
    assert found["best"] == best["number"]
    with bot.app() as app:
        trained = app.artifacts.current("alpha")
        assert trained.version == found["version"]
        assert trained.parameters == {"column": best["parameters"]["column"], "seconds": 0.7}
    assert "<svg" in (bot.data_folder / "sweeps" / "alpha@8.html").read_text()


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("sampler = 'grid'\n[space]\ncolumn = 3", "[space] column is 3"),
        (None, "alpha has no sweep yet"),
    ],
)
def test_wrong_use_is_told(numebot: Make, plan: str | None, words: str) -> None:
    bot = numebot()
    path = prepared(bot)
    arguments = ["sweep", "alpha"]
    if plan is not None:
        (bot.home / "sweep.toml").write_text(plan)
        arguments += ["--config", path]
    answer = bot.command(*arguments)
    assert (answer.returncode, words in answer.stderr) == (2, True), answer.stderr
