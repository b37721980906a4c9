from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.example_xgboost import ExampleXgboost
from numebot.core.metrics import era_corr
from numebot.plugin import TrainingData, check_model
from tests.fakes import made_up_rows


def data(seed: int) -> TrainingData:
    rows = made_up_rows([f"{era:04d}" for era in range(8)], 100, seed=seed)
    return TrainingData(rows.filter(like="feature"), rows[["target"]], rows["era"], "target")


def small(**changes: object) -> ExampleXgboost:
    return ExampleXgboost(**{"n_estimators": 40, "learning_rate": 0.1, **changes})


def test_it_keeps_the_plugin_contract() -> None:
    assert check_model(ExampleXgboost(n_estimators=40)) == []


def test_its_defaults_are_those_of_numerais_example() -> None:
    chosen = ExampleXgboost().regressor.get_params()
    wanted = {"n_estimators": 2000, "max_depth": 5, "learning_rate": 0.01, "colsample_bytree": 0.1}
    assert {name: chosen[name] for name in wanted} == wanted


def test_it_finds_a_signal_that_is_there() -> None:
    model = small()
    model.fit(data(1))
    unseen = data(2)
    predictions = pd.Series(np.asarray(model.predict(unseen.X)), index=unseen.X.index, dtype=float)
    assert era_corr(predictions, unseen.y, unseen.eras).mean() > 0.2


def test_parameters_are_overridable() -> None:
    model = small(feature_set="medium", target="target_ender_20", max_depth=2)
    assert (model.feature_set, model.target) == ("medium", "target_ender_20")
    with pytest.raises(TypeError):
        ExampleXgboost(max_dept=2)  # type: ignore[call-arg] # that is the point


def test_it_is_saved_in_the_format_of_the_library_and_not_as_a_pickle(tmp_path: Path) -> None:
    model = small()
    model.fit(data(1))
    model.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.ubj"]
    again = small()
    again.load(tmp_path)
    assert np.array_equal(again.predict(data(2).X), model.predict(data(2).X))
