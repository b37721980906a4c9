from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.ensemble import WeightedEnsemble
from numebot.plugin import check_model

IDS = pd.Index(["n1", "n2", "n3", "n4"], name="id")
LIVE = pd.DataFrame({"f": [0, 1, 2, 3]}, index=IDS)
FRAME = pd.DataFrame({"up": [1.0, 2, 3, 4], "down": [400.0, 300, 200, 100]}, index=IDS)


@pytest.mark.parametrize("mode", ["rank", "mean", "gaussian"])
def test_it_keeps_the_plugin_contract(mode: str) -> None:
    assert check_model(WeightedEnsemble) == []
    assert check_model(WeightedEnsemble(members={"a": 2, "b": -1}, mode=mode)) == []


def test_equal_weights_of_opposites_cancel_out_whatever_their_scale() -> None:
    assert WeightedEnsemble(members=["up", "down"]).combine(FRAME, LIVE).tolist() == [0.5] * 4
    bells = WeightedEnsemble(members=["up", "down"], mode="gaussian").combine(FRAME, LIVE)
    assert np.allclose(bells, 0)


def test_weights_and_the_plain_mean() -> None:
    ranks = WeightedEnsemble(members={"up": 3, "down": 1}).combine(FRAME, LIVE)
    assert np.allclose(ranks, [0.3125, 0.4375, 0.5625, 0.6875])
    assert WeightedEnsemble(members=["up", "down"], mode="mean").combine(FRAME, LIVE).tolist() == [
        200.5,
        151,
        101.5,
        52,
    ]
    turned = WeightedEnsemble(members={"up": 1, "down": -1}).combine(FRAME, LIVE)
    assert turned.is_monotonic_increasing


def test_the_others_take_over_the_weight_of_a_missing_member() -> None:
    left = WeightedEnsemble(members={"up": 3, "gone": 5}).combine(FRAME[["up"]], LIVE)
    assert left.tolist() == [0.125, 0.375, 0.625, 0.875]
    with pytest.raises(ValueError, match="members without predictions: gone"):
        WeightedEnsemble(members=["up", "gone"], on_missing="fail").combine(FRAME[["up"]], LIVE)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"mode": "best"}, 'mode: "best" is none of rank, mean, gaussian'),
        ({"on_missing": "cry"}, 'on_missing: "cry" is none of drop, fail'),
        ({"members": {"a": 0}}, "the weight of a is 0.0"),
        ({"members": {"a": float("nan")}}, "the weight of a is nan"),
    ],
)
def test_what_makes_no_sense_is_refused(parameters: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        WeightedEnsemble(**parameters)  # type: ignore[arg-type] # that is the point
