from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

from tests.waiting import wait_until

Make = Callable[..., Any]

LEARNER = """
import pathlib, time
from numebot.plugin import Model


class Learner(Model):
    def __init__(self, *, random_state=0, wait=False):
        self.wait = wait

    def fit(self, data):
        if self.wait:
            pathlib.Path("begun").touch()
            time.sleep(120)

    def predict(self, live):
        return live.mean(axis=1)
"""


def learner(bot: Any, name: str = "learner") -> str:
    bot.plugin(name)
    (bot.home / "plugins" / f"{name}.py").write_text(LEARNER)
    return f"plugins/{name}.py"


def rows(bot: Any, *lines: str) -> None:
    text = "\n".join(["numerai_name,model_code,parameters,retrain", *lines, ""])
    (bot.home / "model_configs.csv").write_text(text)


def versions(bot: Any, model: str) -> tuple[list[str], str | None]:
    with bot.app() as app:
        return list(app.artifacts.versions(model)), app.artifacts.marked(model)


def test_options_reach_the_training_and_rollback_undoes_it(numebot: Make) -> None:
    bot = numebot()
    rows(bot, f"alpha,{learner(bot)},,")
    first = bot.command("train", "alpha", "--json", "--eras", ":0574", "--every-nth-era", "1000", "--seed", "5")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)[0]["eras"] == ["0001", "0001"]
    assert bot.command("train", "alpha", "--promote", "--memory", "2").returncode == 0
    names, current = versions(bot, "alpha")
    assert current == names[1]
    answer = bot.command("models", "rollback", "alpha")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith(f"alpha: version {names[0]} is current (corr ")
    assert versions(bot, "alpha") == (names, names[0])
    answer = bot.command("models", "rollback", "alpha")
    assert answer.returncode == 1
    assert "alpha has no version before the current one. Nothing was changed." in answer.stderr
    assert bot.command("train", "alpha", "--eras", "9").returncode == 2


def test_a_training_that_is_interrupted_or_killed_leaves_the_last_good_version(numebot: Make) -> None:
    bot = numebot()
    code = learner(bot)
    rows(bot, f"beta,{code},,", f"alpha,{code},,")
    assert bot.command("train", "beta", "alpha").returncode == 0
    before = versions(bot, "alpha")
    rows(bot, f"beta,{code},,", f'alpha,{code},"{{""wait"": true}}",')
    bot.kill_while_running("train", "beta", "alpha")
    assert versions(bot, "alpha") == before
    process = bot.start("train", "alpha", "--resume")
    wait_until(bot.is_running, "the plugin learns")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    assert versions(bot, "alpha") == before
    rows(bot, f"beta,{code},,", f"alpha,{code},,")
    answer = bot.command("train", "beta", "alpha", "--resume")
    assert answer.returncode == 0, answer.stderr
    assert "trained already: beta" in answer.stderr
    assert (len(versions(bot, "alpha")[0]), len(versions(bot, "beta")[0])) == (2, 2)
    assert not list(bot.data_folder.glob("scratch/run-*/data/rows*"))


def test_what_is_due_is_trained_once(numebot: Make) -> None:
    bot = numebot()
    code = learner(bot)
    rows(bot, f"alpha,{code},,0 3 * * sun", f"beta,{code},,never", f"gamma,{code},,new-version")
    answer = bot.command("train", "--due", "--json")
    assert answer.returncode == 0, answer.stderr
    assert [one["model"] for one in json.loads(answer.stdout)] == ["alpha", "gamma"]
    assert "alpha: trained, since it was never trained" in answer.stderr
    answer = bot.command("train", "--due", "--json")
    assert (answer.returncode, json.loads(answer.stdout)) == (0, [])
    rows(bot, f"alpha,{code},,sometimes")
    answer = bot.command("train", "--due")
    assert (answer.returncode, answer.stdout) == (0, "")
