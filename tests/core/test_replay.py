from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from numebot.core.replay import Replayed, Surroundings, Verdict, compared, in_words

IDS = [f"n{number:04d}" for number in range(1000)]
THEN = pd.Series((np.arange(1000) + 0.5) / 1000, index=IDS)


def test_the_same_in_any_order_is_the_same() -> None:
    assert compared(THEN, THEN.sample(frac=1, random_state=1)) == (Verdict.SAME, pytest.approx(1.0), 0.0)


def test_neighbours_may_swap() -> None:
    swapped = THEN.copy()
    swapped.iloc[[3, 4]] = THEN.iloc[[4, 3]].to_numpy()
    verdict, correlation, difference = compared(THEN, swapped)
    assert verdict is Verdict.SAME
    assert (correlation < 1, difference) == (True, pytest.approx(0.001))


def test_one_id_that_went_elsewhere_is_a_difference() -> None:
    moved = THEN.copy()
    moved.iloc[0] = 0.02
    verdict, correlation, _ = compared(THEN, moved)
    assert verdict is Verdict.DIFFERENT
    assert correlation > 0.999


def test_predictions_that_became_constant_are_a_difference() -> None:
    assert compared(THEN, THEN * 0 + 0.5)[0] is Verdict.DIFFERENT


def test_what_changed_is_named() -> None:
    now = Surroundings("3.12.1", {"numpy": "2.1", "scipy": "1.13", "torch": "2"}, "abc")
    assert now.changes_since(now.as_note()) == []
    before = {"python": "3.11.9", "libraries": {"numpy": "2.0", "scipy": "1.13"}, "code_sha256": "def"}
    assert now.changes_since(before) == ["Python 3.11.9 → 3.12.1", "numpy 2.0 → 2.1", "torch none → 2",
                                         "the plugin's file"]  # fmt: skip
    assert now.changes_since(None) == ["never replayed before"]
    assert now.changes_since({"libraries": "nonsense"})


def test_a_difference_is_told_with_its_cause() -> None:
    one = Replayed("alpha", 1404, Verdict.DIFFERENT, correlation=0.5, difference=0.25)
    assert in_words(one, ["numpy 2.0 → 2.1", "a", "b", "c"]) == (
        "replay of round 1404 since numpy 2.0 → 2.1, a, b and more: other predictions than those that were submitted "
        "(rank correlation 0.5000, largest difference 0.2500)"
    )
    broken = Replayed("alpha", 1404, Verdict.DIFFERENT, reason="it raised KeyError.")
    assert in_words(broken, []) == "replay of round 1404: it raised KeyError."
