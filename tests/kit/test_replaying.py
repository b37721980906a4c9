"""Golden replay and the data contract, with a practice tournament and real plugins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from numebot.app.daemon import chores
from numebot.core.types import State

pytestmark = pytest.mark.sampled(0.5)

Make = Callable[..., Any]

LEARNER = """
from numebot.plugin import Model


class Learner(Model):
    def fit(self, data):
        self.names = list(data.X.columns[:5])

    def predict(self, live):
        return live[self.names].mean(axis=1) + live.mean(axis=1) / 100{change}
"""


def write_learner(bot: Any, change: str = "") -> str:
    bot.plugin("learner")
    (bot.home / "plugins" / "learner.py").write_text(LEARNER.format(change=change))
    return "plugins/learner.py"


@pytest.fixture
def played(numebot: Make) -> Any:
    """A numebot that played a round with a trained model and one that needs no training."""
    bot = numebot()
    bot.configs(f"alpha,{write_learner(bot)}", "beta")
    assert bot.command("train", "alpha").returncode == 0
    bot.run()
    assert set(bot.states().values()) == {State.CONFIRMED}
    return bot


def replay(bot: Any, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    bot.variables["NUMEBOT_API_URL"] = "http://127.0.0.1:9"  # there is no server to ask
    answer = bot.command("models", "replay", *arguments, "--json")
    del bot.variables["NUMEBOT_API_URL"]
    assert answer.stdout, answer.stderr
    return answer.returncode, json.loads(answer.stdout)


def live_file(bot: Any) -> Path:
    (path,) = (bot.data_folder / "data" / "rounds").glob("*/live.parquet")
    return Path(path)


@pytest.mark.slow
def test_a_round_is_replayed_and_a_change_is_found(played: Any) -> None:
    code, rounds = replay(played, "alpha", "beta")
    assert (code, [(one["model"], one["verdict"]) for one in rounds]) == (0, [("alpha", "same"), ("beta", "same")])
    assert rounds[0]["rank_correlation"] == pytest.approx(1.0)
    assert rounds[0]["max_difference"] == 0.0

    # trained anew since: the version that predicted then is the one that is replayed
    write_learner(played, " * 1.0")
    assert played.command("train", "alpha").returncode == 0
    code, (again,) = replay(played, "alpha")
    assert (code, again["trained_version"]) == (0, rounds[0]["trained_version"])

    write_learner(played, " + live.iloc[:, 7]")
    code, (other,) = replay(played, "alpha")
    assert (code, other["verdict"]) == (1, "different")
    assert other["rank_correlation"] < 0.99

    write_learner(played, " + live['feature_that_went']")
    code, (broken,) = replay(played, "alpha")
    assert (code, broken["verdict"]) == (1, "different")
    assert "feature_that_went" in broken["reason"]

    live_file(played).unlink()
    code, (gone,) = replay(played, "beta")
    assert (code, gone["verdict"]) == (0, "skipped")
    assert "no longer on this machine" in gone["reason"]


@pytest.mark.slow
def test_what_changed_is_replayed_once_and_a_difference_is_told_once(played: Any) -> None:
    code, rounds = replay(played, "--changed")
    assert (code, len(rounds)) == (0, 2)
    assert replay(played, "--changed") == (0, [])
    assert played.events("replay") == []
    write_learner(played, " + live.iloc[:, 7]")
    code, rounds = replay(played, "--changed")
    assert (code, [(one["model"], one["verdict"]) for one in rounds]) == (0, [("alpha", "different")])
    (told,) = played.events("replay")
    assert "the plugin's file" in told
    assert replay(played, "--changed") == (0, [])
    with played.app() as app:
        noted = app.store.noted("replay:8:beta")
        app.store.note("replay:8:beta", {**noted, "libraries": {**noted["libraries"], "numpy": "1.0"}})
    code, rounds = replay(played, "--changed")
    assert (code, [(one["model"], one["verdict"]) for one in rounds]) == (0, [("beta", "same")])


def test_an_ensemble_is_replayed_with_what_its_members_predicted_then(numebot: Make) -> None:
    bot = numebot()
    first = bot.plugin("first", "return live.iloc[:, 0] + live.mean(axis=1)")
    bot.configs("alpha", f"beta,{first}")
    table = (bot.home / "model_configs.csv").read_text().splitlines()
    head = f"{table[0]},is_ensemble,parameters"
    ensemble = """gamma,models.ensemble,,True,"{'members': {'alpha': 2, 'beta': %s}}\""""

    def write(weight: int) -> None:
        lines = [head, *table[1:], ensemble % weight]
        (bot.home / "model_configs.csv").write_text("\n".join([*lines, ""]))

    write(1)
    bot.run()
    assert set(bot.states().values()) == {State.CONFIRMED}
    code, (same,) = replay(bot, "gamma")
    assert (code, same["verdict"], same["max_difference"]) == (0, "same", 0.0)

    # a member that would predict something else by now changes nothing: its predictions of then count
    bot.plugin("first", "return -live.iloc[:, 1]")
    assert [one["verdict"] for one in replay(bot, "beta", "gamma")[1]] == ["different", "same"]

    write(-5)
    code, (other,) = replay(bot, "gamma")
    assert (code, other["verdict"]) == (1, "different")
    assert other["rank_correlation"] < 0.99

    write(1)
    (kept,) = (bot.data_folder / "data" / "rounds").glob("*/predictions/beta.parquet")
    pd.read_parquet(kept).mul(2).to_parquet(kept)
    code, (changed,) = replay(bot, "gamma")
    assert (code, changed["verdict"]) == (0, "skipped")
    assert "what beta predicted then is gone" in changed["reason"]
    kept.unlink()
    assert [one["verdict"] for one in replay(bot, "gamma")[1]] == ["skipped"]


@pytest.mark.slow
def test_the_check_uses_the_live_file_of_the_round_and_the_limits_of_the_row(played: Any) -> None:
    answer = played.command("models", "check", "alpha", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (report,) = json.loads(answer.stdout)
    assert report["rows"].startswith("live file of round")
    assert report["trained_version"]
    assert all(one["kept"] for one in report["findings"])
    sleeper = LEARNER.format(change="").replace("return", "__import__('time').sleep(3.5)\n        return")
    (played.home / "plugins" / "learner.py").write_text(sleeper)
    (played.home / "model_configs.csv").write_text(
        "numerai_name,model_code,time_limit_minutes\nalpha,plugins/learner.py,0.05\n"
    )
    limited = played.command("models", "check", "alpha", "--json")
    assert limited.returncode == 1
    (report,) = json.loads(limited.stdout)
    assert "time_limit_minutes" in next(one["words"] for one in report["findings"] if one["kept"] is False)


def test_the_daemon_replays_what_changed(numebot: Make) -> None:
    with numebot().app() as app:
        (chore,) = [chore for chore in chores(app) if chore.name == "replay"]
    assert chore.command == ("models", "replay", "--changed")
