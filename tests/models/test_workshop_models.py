from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.neutralised_lightgbm import NeutralisedLightgbm
from models.ridge_on_groups import RidgeOnGroups
from models.target_ensemble import TargetEnsemble
from numebot.core.metrics import era_corr
from numebot.plugin import Model, TrainingData, check_model
from tests.fakes import made_up_rows

QUICK: dict[str, Any] = {"n_estimators": 20, "learning_rate": 0.1, "n_jobs": 1}
TARGETS = ("target", "target_ender_20")


def data(seed: int, eras: int = 8) -> TrainingData:
    rows = made_up_rows([f"{era:04d}" for era in range(eras)], 100, seed=seed)
    X = rows.filter(like="feature")
    return TrainingData(X, rows[list(TARGETS)], rows["era"], "target", {"wisdom": list(X.columns[:3])})


def models() -> list[Model]:
    return [
        TargetEnsemble(target=TARGETS, **QUICK),
        NeutralisedLightgbm(proportion=0.3, **QUICK),
        RidgeOnGroups(top_features=3),
    ]


def named(model: Model) -> str:
    return type(model).__name__


@pytest.mark.parametrize("model", models(), ids=named)
def test_they_keep_the_plugin_contract(model: Model) -> None:
    assert check_model(model) == []


@pytest.mark.parametrize("model", models(), ids=named)
def test_they_find_a_signal_that_is_there_and_survive_saving(model: Model, tmp_path: Path) -> None:
    model.fit(data(1))
    unseen = data(2)
    found = pd.Series(np.asarray(model.predict(unseen.X)), index=unseen.X.index, dtype=float)
    assert era_corr(found, unseen.y, unseen.eras).mean() > 0.2
    model.save(tmp_path)
    (again,) = [fresh for fresh in models() if type(fresh) is type(model)]
    again.load(tmp_path)
    assert np.allclose(again.predict(unseen.X), found)


def test_features_without_history_are_no_trouble() -> None:
    for model in models():
        whole = data(1)
        gaps = whole.X.astype(np.float32)
        gaps.iloc[::9, 2] = np.nan
        model.fit(TrainingData(gaps, whole.targets, whole.eras, "target", whole.feature_sets))
        assert np.isfinite(np.asarray(model.predict(gaps))).all()


def test_neutralised_predictions_are_less_exposed() -> None:
    plain, neutral = NeutralisedLightgbm(proportion=0, **QUICK), NeutralisedLightgbm(proportion=1, **QUICK)
    rows, live = data(1), data(2, eras=1).X
    for model in (plain, neutral):
        model.fit(rows)
    assert abs(np.corrcoef(np.asarray(plain.predict(live)), live["feature_0"])[0, 1]) > 0.5
    assert abs(np.corrcoef(np.asarray(neutral.predict(live)), live["feature_0"])[0, 1]) < 1e-6
    with pytest.raises(ValueError, match=r"proportion is 1.5"):
        NeutralisedLightgbm(proportion=1.5)


def test_wrong_groups_and_targets_are_said() -> None:
    with pytest.raises(ValueError, match=r'"wisdm" is no group. Did you mean "wisdom"'):
        RidgeOnGroups(groups=["wisdm"]).fit(data(1))
    with pytest.raises(ValueError, match=r"there is 1 era"):
        RidgeOnGroups().fit(data(1, eras=1))
    with pytest.raises(ValueError, match=r"weights: 1 for 2 targets"):
        TargetEnsemble(target=TARGETS, weights=[1])
    rows = data(1)
    rows.targets["target_ender_20"] = np.nan
    with pytest.raises(ValueError, match=r"target_ender_20 is missing in every row"):
        TargetEnsemble(target=TARGETS, **QUICK).fit(rows)
