from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import cloudpickle
import pandas as pd

from numebot.core.types import State

Make = Callable[..., Any]


def make_function() -> Callable[..., pd.DataFrame]:
    def predict(live_features, live_benchmark_models):  # type: ignore[no-untyped-def]
        features = [name for name in live_features.columns if name.startswith("feature")]
        mean = live_features[features].mean(axis=1) + live_benchmark_models.mean(axis=1, numeric_only=True)
        return mean.rank(pct=True).to_frame("prediction")

    predict.__module__ = "__main__"
    return predict


def test_an_imported_pickle_plays_the_round(numebot: Make) -> None:
    bot = numebot()
    bot.configs("beta")
    file = bot.home / "predict.pkl"
    file.write_bytes(cloudpickle.dumps(make_function()))
    answer = bot.command("import", "pickle", str(file), "--model", "alpha")
    assert answer.returncode == 0, answer.stderr
    table = (bot.home / "model_configs.csv").read_text()
    assert table.splitlines()[0] == "numerai_name,model_code,fallback,description,enabled,parameters,readable"
    file.unlink()
    (bot.home / "model_configs.csv").write_text(table.replace("False", "True"))
    result = bot.command("run", "--json")
    assert {row["name"]: row["state"] for row in json.loads(result.stdout)["models"]} == {
        "alpha": State.CONFIRMED,
        "beta": State.CONFIRMED,
    }, result.stderr


def test_a_second_import_changes_nothing_and_another_model_is_not_replaced(numebot: Make) -> None:
    bot = numebot()
    file = bot.home / "predict.pkl"
    file.write_bytes(cloudpickle.dumps(make_function()))
    assert bot.command("import", "pickle", str(file), "--model", "gamma").returncode == 0
    table = (bot.home / "model_configs.csv").read_bytes()
    again = bot.command("import", "pickle", str(file), "--model", "gamma")
    assert (again.returncode, "Its row was there." in again.stderr) == (0, True)
    taken = bot.command("import", "pickle", str(file), "--model", "alpha")
    assert taken.returncode == 2
    assert "alpha stands in line 2 with model_code plugins/mean.py" in taken.stderr
    assert (bot.home / "model_configs.csv").read_bytes() == table


def test_what_cannot_run_here_is_said_at_once(numebot: Make) -> None:
    bot = numebot()
    file = bot.home / "predict.pkl"
    file.write_bytes(cloudpickle.dumps(make_function()))
    answer = bot.command("import", "pickle", str(file), "--model", "gamma", "--python", "3.9")
    assert answer.returncode == 1
    assert "It was written by Python 3.9" in answer.stderr
    file.write_bytes(b"no pickle")
    answer = bot.command("import", "pickle", str(file), "--model", "delta")
    assert answer.returncode == 2
    assert "no pickle, or a broken one" in answer.stderr
