from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import skew
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from numebot.workshop import (
    BatchPCA,
    GroupStatistics,
    ShadowFeatures,
    StableCorrelation,
    TopCorrelation,
    TopImportance,
    feature_groups,
)
from tests.fakes import made_up_rows

ROWS = made_up_rows([f"{era:04d}" for era in range(1, 13)], 50, features=12, seed=3)
X, Y, ERAS = ROWS.filter(like="feature"), ROWS["target"], ROWS["era"]
SETS = {"small": list(X.columns), "wisdom": ["feature_0", "feature_3", "feature_5"], "rain": ["feature_4", "absent"]}
TRANSFORMERS = [
    GroupStatistics(),
    BatchPCA(4),
    TopCorrelation(2),
    StableCorrelation(2),
    TopImportance(2, estimator=Ridge()),
    ShadowFeatures(rounds=8, estimator=Ridge()),
]
SELECTORS = TRANSFORMERS[2:]


def named(one: Any) -> str:
    return type(one).__name__


@pytest.mark.parametrize("one", TRANSFORMERS, ids=named)
def test_scikit_learns_own_checks(one: Any) -> None:
    checks = [check for _, check in estimator_checks_generator(one)]
    # Arrays of other libraries are looked at only where SCIPY_ARRAY_API is set before anything is imported.
    apply = [check for check in checks if check.func.__name__ != "check_array_api_input"]
    assert len(apply) > 40
    for check in apply:
        check(clone(one))


@pytest.mark.parametrize("one", TRANSFORMERS, ids=named)
def test_they_work_in_batches_of_int8_and_survive_a_pickle(one: Any) -> None:
    whole = clone(one).fit(X, Y)
    parts = clone(one)
    for part in (slice(0, 200), slice(200, 400), slice(400, 600)):
        parts.partial_fit(X[part], Y[part])
    if isinstance(one, GroupStatistics | TopCorrelation):
        assert np.allclose(whole.transform(X), parts.transform(X))
    assert parts.transform(X).shape == whole.transform(X).shape
    again = pickle.loads(pickle.dumps(whole))
    assert np.array_equal(again.transform(X), whole.transform(X))
    in_batches = clone(whole).set_params(batch_rows=90).fit(X, Y)
    assert in_batches.transform(X).shape == whole.transform(X).shape


@pytest.mark.parametrize("one", TRANSFORMERS, ids=named)
def test_features_without_history_may_be_nan(one: Any) -> None:
    gaps, filled = X.astype(float), X.astype(float)
    gaps.iloc[::7, 1] = np.nan
    filled.iloc[::7, 1] = 2.0
    found, wanted = clone(one).fit(gaps, Y).transform(gaps), clone(one).fit(filled, Y).transform(filled)
    assert np.allclose(np.nan_to_num(found, nan=2.0), wanted)


@pytest.mark.parametrize("one", SELECTORS, ids=named)
def test_selections_find_the_feature_that_carries_the_signal(one: Any) -> None:
    assert clone(one).fit(X, Y).get_feature_names_out()[0] == "feature_0"
    assert clone(one).fit(X, Y).transform(X).dtype == np.int8
    unknown = Y.where(ERAS != "0003")
    assert "feature_0" in clone(one).fit(X, unknown).get_feature_names_out()
    with pytest.raises(ValueError, match=r"missing in every row"):
        clone(one).fit(X, Y * np.nan)


def test_group_statistics_are_those_of_scipy_and_named() -> None:
    groups = feature_groups(SETS, X.columns)
    assert groups == {"wisdom": SETS["wisdom"], "rain": ["feature_4"]}
    found = GroupStatistics(groups, batch_rows=77).set_output(transform="pandas").fit_transform(X)
    own = X[SETS["wisdom"]].to_numpy(dtype=float)
    assert list(found.columns) == [f"{group}_{name}" for group in groups for name in ("mean", "std", "skew")]
    assert np.allclose(found["wisdom_mean"], own.mean(1), atol=1e-6)
    assert np.allclose(found["wisdom_std"], own.std(1), atol=1e-6)
    uneven = own.std(1) > 0
    assert np.allclose(found["wisdom_skew"][uneven], skew(own[uneven], axis=1), atol=1e-4)
    assert (found["wisdom_skew"][~uneven] == 0).all()
    assert (found["rain_std"] == 0).all()
    assert (found["rain_skew"] == 0).all()
    few = GroupStatistics({"wisdom": [0, 1]}, statistics=["std"]).fit(X.to_numpy())
    assert list(few.get_feature_names_out()) == ["wisdom_std"]


def test_groups_that_are_not_there_are_said() -> None:
    with pytest.raises(ValueError, match=r'"wisdm" is no group. Did you mean "wisdom"'):
        feature_groups(SETS, X.columns, ["wisdm"])
    with pytest.raises(ValueError, match=r"none of the 1 features is in wisdom"):
        feature_groups(SETS, ["feature_1"], ["wisdom"])
    assert feature_groups({}, ["a", "b"]) == {"all": ["a", "b"]}
    with pytest.raises(ValueError, match=r'group "rain": 1 of its 2 features are not in the data: absent'):
        GroupStatistics({"rain": SETS["rain"]}).fit(X)
    with pytest.raises(ValueError, match=r'statistics: "median"'):
        GroupStatistics(statistics=["median"]).fit(X)


def test_components_are_those_of_an_exact_pca() -> None:
    mixed = X.to_numpy() @ np.random.default_rng(1).normal(size=(12, 12)) * np.arange(12, 0, -1) ** 2.0
    found, exact = BatchPCA(3, batch_rows=100).fit(mixed), PCA(3).fit(mixed)
    assert np.abs(np.corrcoef(found.transform(mixed)[:, 0], exact.transform(mixed)[:, 0])[0, 1]) > 0.999
    assert list(found.get_feature_names_out()) == ["batchpca0", "batchpca1", "batchpca2"]
    assert BatchPCA(50).fit(X).transform(X).shape == (600, 12)


def test_a_steady_feature_is_preferred_to_one_that_is_strong_now_and_then() -> None:
    random = np.random.default_rng(5)
    eras = np.repeat(np.arange(10), 200)
    target = random.normal(size=2000)
    steady = 0.3 * target + random.normal(size=2000)
    fickle = np.where(eras % 2, 3.0, -1.5) * target + random.normal(size=2000)
    both = np.column_stack([fickle, steady])
    assert StableCorrelation(1).fit(both, target, eras=eras).get_support().tolist() == [False, True]
    assert TopCorrelation(1).fit(both, target).get_support().tolist() == [True, False]
    parts = StableCorrelation(1)
    for era in range(10):
        parts.partial_fit(both[eras == era], target[eras == era], eras=eras[eras == era])
    assert np.allclose(parts.scores_, StableCorrelation(1).fit(both, target, eras=eras).scores_)


def test_stability_needs_two_eras_and_one_label_per_row() -> None:
    with pytest.raises(ValueError, match=r"there is 1 era; how steady"):
        StableCorrelation().fit(X, Y, eras=["0001"] * len(X))
    with pytest.raises(ValueError, match=r"eras has 600 labels for 100 rows"):
        StableCorrelation().partial_fit(X[:100], Y[:100], eras=ERAS)


def test_shadows_keep_what_beats_chance_and_at_least_one() -> None:
    assert ShadowFeatures(rounds=10).fit(X, Y).get_feature_names_out().tolist() == ["feature_0"]
    noise = pd.Series(np.random.default_rng(2).normal(size=len(X)))
    assert ShadowFeatures(rounds=4, estimator=Ridge()).fit(X, noise).get_support().sum() == 1
    with pytest.raises(ValueError, match=r"KNeighborsRegressor has neither"):
        TopImportance(estimator=KNeighborsRegressor()).fit(X, Y)


def test_they_stand_in_a_pipeline() -> None:
    pipeline = make_pipeline(TopCorrelation(3), BatchPCA(2), Ridge()).fit(X, Y)
    assert pipeline.predict(X).shape == (600,)
