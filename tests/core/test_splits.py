from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numebot.core.splits import blocked_folds, dealt_folds, forward_folds


def eras(count: int, step: int = 1) -> list[str]:
    return [f"{1 + number * step:04d}" for number in range(count)]


@settings(max_examples=40, deadline=None)
@given(count=st.integers(20, 90), folds=st.integers(2, 6), purge=st.integers(0, 3), embargo=st.integers(0, 3))
def test_every_era_is_tested_once_and_never_near_what_was_learned_from(
    count: int, folds: int, purge: int, embargo: int
) -> None:
    found = blocked_folds(eras(count), folds, purge=purge, embargo=embargo)
    assert [era for fold in found for era in fold.test] == eras(count)
    for fold in found:
        first, last = int(fold.test[0]), int(fold.test[-1])
        assert all(int(era) < first - purge or int(era) > last + embargo for era in fold.train)
        assert len(fold.train) >= count - len(fold.test) - purge - embargo


def test_the_distance_is_counted_in_weeks_and_not_in_rows_of_the_list() -> None:
    (first, _) = blocked_folds(eras(10, step=25), 2, purge=16, embargo=16)
    assert len(first.train) == 5  # 25 weeks apart, none is too near
    (first, _) = blocked_folds(eras(40), 2, purge=16, embargo=16)
    assert first.train == tuple(eras(40)[36:])
    (first, _) = blocked_folds([f"2026-01-{day:02d}" for day in range(1, 31)], 2, purge=3, embargo=3)
    assert first.train[0] == "2026-01-19"


def test_walking_forward_never_learns_from_the_future() -> None:
    found = forward_folds(eras(60), 3, embargo=8)
    assert [fold.test[0] for fold in found] == ["0016", "0031", "0046"]
    assert [len(fold.train) for fold in found] == [7, 22, 37]
    assert [fold.train[0] for fold in forward_folds(eras(60), 3, embargo=8, window=5)] == ["0003", "0018", "0033"]
    assert [len(fold.test) for fold in forward_folds(eras(60), 3, embargo=8, test_eras=4)] == [4, 4, 4]
    for fold in found:
        assert int(fold.train[-1]) < int(fold.test[0]) - 8


def test_dealt_chunks_are_tested_once_and_in_every_period() -> None:
    found = dealt_folds(eras(120), 3, chunk=10, purge=2, embargo=2)
    assert sorted(era for fold in found for era in fold.test) == eras(120)
    assert all(int(fold.test[-1]) - int(fold.test[0]) > 80 for fold in found)
    shuffled = dealt_folds(eras(120), 3, chunk=10, purge=2, embargo=2, seed=1)
    assert shuffled != found
    assert shuffled == dealt_folds(eras(120), 3, chunk=10, purge=2, embargo=2, seed=1)


def test_eras_are_sorted_as_numbers() -> None:
    (first, second) = blocked_folds(["era10", "era9", "era2", "era1"], 2, purge=0, embargo=0)
    assert (first.test, second.test) == (("era1", "era2"), ("era9", "era10"))


def test_what_cannot_be_split_is_said() -> None:
    with pytest.raises(ValueError, match=r"at least 2 eras; there are 1 era \(0001\)"):
        blocked_folds(eras(1), 2, purge=0, embargo=0)
    with pytest.raises(ValueError, match=r"at least 9 eras; there are 5 eras \(0001 to 0005\)"):
        blocked_folds(eras(5), 9, purge=0, embargo=0)
    with pytest.raises(ValueError, match=r"at least 6 eras"):
        forward_folds(eras(5), 5, embargo=0)
    with pytest.raises(ValueError, match=r"fold 1 of 2, which tests 10 eras .0001 to 0010., has no era left"):
        blocked_folds(eras(20), 2, purge=16, embargo=16)
    with pytest.raises(ValueError, match=r"1 folds are no cross-validation"):
        blocked_folds(eras(20), 1, purge=0, embargo=0)
    with pytest.raises(ValueError, match=r"leave nothing to learn from"):
        forward_folds(eras(20), 4, embargo=0, test_eras=5)
    with pytest.raises(ValueError, match=r"at least 5 chunks of 10 eras; 30 eras"):
        dealt_folds(eras(30), 5, chunk=10, purge=0, embargo=0)
