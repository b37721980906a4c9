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
    target = "target_ender_20"

    def fit(self, data):
        self.columns = list(data.X)

    def predict(self, live):
        return {predict}
"""


def learner(bot: Any, predict: str = "live.iloc[:, 0] * 1.0 + live.iloc[:, 1] * 0.5") -> str:
    path = bot.home / "plugins" / "learner.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(LEARNER.format(predict=predict))
    return "plugins/learner.py"


@pytest.mark.slow
def test_a_version_is_measured_beside_numerais_models_and_judged_by_its_diagnostics(numebot: Make) -> None:
    bot = numebot()
    bot.configs(f"alpha,{learner(bot)}")
    answer = bot.command("train", "alpha")
    assert answer.returncode == 0, answer.stderr
    page = bot.home / "report.html"
    answer = bot.command("evaluate", "alpha", "--json", "--diagnostics", "--html", str(page))
    assert answer.returncode == 0, answer.stderr
    (found,) = json.loads(answer.stdout)
    benchmarks = ["v53_lgbm_ender20", "v53_lgbm_ender60"]
    assert found["columns"] == ["this version", *benchmarks, "meta model"]
    assert {"corr", "mmc", "bmc", "fnc", "spearman", "mae", "exposure", "corr_with_meta_model"} <= set(found["summary"])
    assert (found["change"], found["previous_version"]) == ({}, None)
    assert found["embargo_eras"] == 8
    for column, values in found["per_era"]["corr"].items():
        assert len(values) == len(found["eras"]), column
    assert "payout" not in found["summary"]
    assert any(note.startswith("payout: no") for note in found["notes"])

    numerais = found["diagnostics"]
    assert numerais["status"] == "done"
    assert set(numerais["per_era"]) <= set(found["eras"])
    assert "validationCorrMean" in numerais["figures"]

    html = page.read_text()
    assert html.count("<svg") >= 6
    assert all(word in html for word in ("v53_lgbm_ender60", "Drawdown", "Exposure by feature", "diagnostics"))
    assert not any(word in html for word in ("<script", "http://localhost", "src=", "@import", "url("))

    assert bot.accepted("alpha") == []


def test_a_plugin_that_needs_no_training_is_measured_on_every_era_and_told_in_a_table(numebot: Make) -> None:
    bot = numebot()
    bot.configs("alpha")
    answer = bot.command("evaluate", "alpha", "--target", "target_ender_60")
    assert answer.returncode == 0, answer.stderr
    assert "alpha as it is: target target_ender_60, 3 eras 0575 to 1218" in answer.stdout
    assert "Strongest exposures: " in answer.stdout
    assert "v53_lgbm_ender60" in answer.stdout


def test_what_cannot_be_evaluated_is_said_and_stops_no_other(numebot: Make) -> None:
    bot = numebot()
    code = learner(bot)
    bot.configs(f"alpha,{code}", "beta", "gamma,plugins/missing.py")
    answer = bot.command("evaluate", "alpha", "beta", "gamma", "--json")
    assert answer.returncode == 1
    assert "alpha: not evaluated: plugins/learner.py is not trained yet. Train it: numebot train alpha" in answer.stderr
    assert "gamma: not evaluated: " in answer.stderr
    assert [one["model"] for one in json.loads(answer.stdout)] == ["beta"]


def test_diagnostics_of_a_model_that_the_account_lacks_are_refused_before_any_work(numebot: Make) -> None:
    bot = numebot()
    bot.configs("stranger")
    answer = bot.command("evaluate", "stranger", "--diagnostics")
    assert answer.returncode == 2
    assert 'the account has no classic model "stranger"' in answer.stderr
    assert "evaluating" not in answer.stderr
