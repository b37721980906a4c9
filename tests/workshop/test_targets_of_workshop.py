from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import Ridge
from xgboost import XGBRegressor

from numebot.workshop import EraBoosted, TargetEnsemble
from tests.fakes import made_up_rows

ROWS = made_up_rows([f"{era:04d}" for era in range(1, 11)], 60, seed=6)
X, ERAS = ROWS.filter(like="feature"), ROWS["era"]
TARGETS = ROWS[["target_ender_60", "target_ender_20"]]
LIGHT: dict[str, Any] = {"n_estimators": 10, "max_depth": 3, "random_state": 0, "n_jobs": 1}
TREES = [
    LGBMRegressor(**LIGHT, verbosity=-1),
    XGBRegressor(**LIGHT),
    GradientBoostingRegressor(n_estimators=10, max_depth=2, random_state=0),
]


def test_a_target_ensemble_blends_one_estimator_per_target() -> None:
    model = TargetEnsemble(Ridge()).fit(X, TARGETS)
    assert len(model.estimators_) == 2
    each = [Ridge().fit(X, target).predict(X) for _, target in TARGETS.items()]
    levelled = [(found - found.mean()) / found.std() for found in each]
    assert np.allclose(model.predict(X), np.mean(levelled, axis=0))
    assert np.allclose(model.predict(X[:7]), model.predict(X)[:7])
    first = TargetEnsemble(Ridge(), weights=[1, 0]).fit(X, TARGETS).predict(X)
    assert np.allclose(first, levelled[0])
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_a_row_without_one_target_still_counts_for_the_other() -> None:
    gaps = TARGETS.copy()
    gaps.iloc[:200, 1] = np.nan
    model = TargetEnsemble(Ridge()).fit(X, gaps)
    assert np.allclose(model.estimators_[0].coef_, Ridge().fit(X, TARGETS.iloc[:, 0]).coef_)
    with pytest.raises(ValueError, match="target_ender_20 is missing in every row"):
        TargetEnsemble(Ridge()).fit(X, TARGETS.assign(target_ender_20=np.nan))
    with pytest.raises(ValueError, match="weights: 3 for 2 targets"):
        TargetEnsemble(Ridge(), weights=[1, 2, 3]).fit(X, TARGETS)


@pytest.mark.parametrize("trees", TREES, ids=lambda trees: type(trees).__name__)
def test_era_boosting_helps_the_worst_eras(trees: Any) -> None:
    # In half of the eras the signal is another one, weaker: what is learned first misses it.
    other = ERAS.astype(int) % 2 == 0
    random = np.random.default_rng(1)
    y = pd.Series(np.where(other, 0.3 * X["feature_1"], X["feature_0"]) + random.normal(size=len(X)), index=X.index)
    model = EraBoosted(trees, steps=3, share=0.4).fit(X, y, ERAS)
    assert len(model.era_scores_) == 4
    worst = model.era_scores_[0].nsmallest(4).index
    assert model.era_scores_[-1][worst].mean() > model.era_scores_[0][worst].mean() + 0.02
    assert not hasattr(trees, "n_features_in_")
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_what_cannot_be_boosted_is_said() -> None:
    with pytest.raises(ValueError, match="there is 1 era; era boosting"):
        EraBoosted(TREES[0]).fit(X, TARGETS.iloc[:, 0], ["0001"] * len(X))
    with pytest.raises(ValueError, match="Ridge cannot go on learning"):
        EraBoosted(Ridge()).fit(X, TARGETS.iloc[:, 0], ERAS)
    with pytest.raises(ValueError, match="share is 1"):
        EraBoosted(TREES[0], share=1).fit(X, TARGETS.iloc[:, 0], ERAS)
