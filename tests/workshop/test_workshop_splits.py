from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score

from numebot.workshop import EraGroups, EraKFold, WalkForward
from tests.fakes import made_up_rows

ROWS = made_up_rows([f"{era:04d}" for era in range(1, 41)], 20)
X, Y, ERAS = ROWS.filter(like="feature"), ROWS["target"], ROWS["era"]
SPLITTERS = [EraKFold(4, embargo=8), WalkForward(3, embargo=8), EraGroups(2, chunk=10, embargo=4, purge=2)]


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_scikit_learn_accepts_them(cv: Any) -> None:
    scores = cross_val_score(Ridge(), X, Y, groups=ERAS, cv=cv)
    assert len(scores) == cv.get_n_splits()
    assert np.mean(scores) > 0.05
    search = GridSearchCV(Ridge(), {"alpha": [1.0, 1e6]}, cv=cv).fit(X, Y, groups=ERAS)
    assert search.best_params_ == {"alpha": 1.0}
    for train, test in cv.split(X, Y, ERAS):
        assert not set(ERAS.iloc[train]) & set(ERAS.iloc[test])
        assert len(train) % 20 == len(test) % 20 == 0


def test_a_fold_leaves_the_embargo_out() -> None:
    train, test = next(EraKFold(4, embargo=8).split(X, Y, ERAS))
    assert (ERAS.iloc[test].max(), ERAS.iloc[train].min()) == ("0010", "0019")
    _, (train, _), *_ = EraKFold(4, embargo=8, purge=2).split(X, Y, ERAS)
    assert "0008" in set(ERAS.iloc[train])
    assert "0009" not in set(ERAS.iloc[train])


def test_rows_in_any_order_are_split_by_their_era() -> None:
    mixed = ROWS.sample(frac=1, random_state=1)
    train, test = next(EraKFold(4, embargo=8).split(mixed, None, mixed["era"]))
    assert set(mixed["era"].iloc[test]) == {f"{era:04d}" for era in range(1, 11)}
    assert len(train) == 22 * 20


def test_bad_input_is_said() -> None:
    with pytest.raises(ValueError, match=r"EraKFold needs the eras: groups=data.eras"):
        next(EraKFold().split(X))
    with pytest.raises(ValueError, match=r"3 eras for 800 rows"):
        next(EraKFold().split(X, None, ["1", "2", "3"]))
    with pytest.raises(ValueError, match=r"there are 1 era \(0001\)"):
        next(WalkForward().split(X, None, ["0001"] * len(X)))
    with pytest.raises(ValueError, match=r"at least 99 eras; there are 40 eras"):
        next(EraKFold(99).split(X, Y, ERAS))
    assert "embargo=8" in repr(EraKFold(4, embargo=8))
    assert clone(Ridge()) is not None
