from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]

LEARNER = """
from numebot.plugin import Model


class Learner(Model):
    feature_set = "small"

    def fit(self, data):
        {fit}

    def predict(self, live):
        return live.mean(axis=1)
"""


def learner(bot: Any, name: str, fit: str = "pass") -> str:
    bot.plugin(name)
    (bot.home / "plugins" / f"{name}.py").write_text(LEARNER.format(fit=fit))
    return f"plugins/{name}.py"


def versions(bot: Any, model: str) -> list[str]:
    with bot.app() as app:
        return list(app.artifacts.versions(model))


def test_missing_trains_what_needs_it_and_never_was(numebot: Make) -> None:
    bot = numebot()
    code = learner(bot, "learner")
    bot.configs(f"alpha,{code}", f"beta,{code}", "gamma")
    answer = bot.command("train", "beta")
    assert answer.returncode == 0, answer.stderr
    (before,) = versions(bot, "beta")
    answer = bot.command("train", "--missing", "--json")
    assert answer.returncode == 0, answer.stderr
    assert [row["model"] for row in json.loads(answer.stdout)] == ["alpha"]
    assert (len(versions(bot, "alpha")), versions(bot, "beta"), versions(bot, "gamma")) == (1, [before], [])
    answer = bot.command("train", "--missing", "--json")
    assert (answer.returncode, json.loads(answer.stdout)) == (0, [])


def test_one_that_cannot_be_trained_stops_no_other(numebot: Make) -> None:
    bot = numebot()
    bad = learner(bot, "bad", "raise ValueError('not today')")
    bot.configs(f"alpha,{bad}", f"beta,{learner(bot, 'good')}", "gamma,plugins/missing.py")
    answer = bot.command("train", "--missing")
    assert answer.returncode == 1
    assert "alpha: not trained: " in answer.stderr
    assert "not today" in answer.stderr
    assert answer.stdout.startswith("beta ")
    assert (versions(bot, "alpha"), len(versions(bot, "beta"))) == ([], 1)


@pytest.mark.parametrize("arguments", [(), ("alpha", "--missing")])
def test_either_names_or_missing_must_be_said(numebot: Make, arguments: tuple[str, ...]) -> None:
    answer = numebot().command("train", *arguments)
    assert answer.returncode == 2
    assert "name one or more models, or say --missing" in answer.stderr


def test_a_training_does_not_keep_a_round_from_being_played(numebot: Make) -> None:
    bot = numebot()
    bot.configs(f"alpha,{learner(bot, 'learner')}")
    with bot.app() as app, app.at_work("run"):
        assert bot.command("train", "alpha").returncode == 0
