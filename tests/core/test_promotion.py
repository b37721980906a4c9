from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from numebot.core.promotion import verdict
from numebot.core.types import TrainedVersion


def old(corr: float = 0.02, **metrics: float) -> TrainedVersion:
    figures = {"corr_mean": corr, "validation_eras": 100.0, **metrics}
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return TrainedVersion("a", "1", Path(), "v5.3", ("f",), "target_ender_60", {}, {}, None, figures, "", now)


def new(corr: float) -> dict[str, float]:
    return {"corr_mean": corr, "validation_eras": 100.0}


@pytest.mark.parametrize(("corr", "expected"), [(0.03, True), (0.0151, True), (0.0149, False), (math.nan, False)])
def test_a_version_is_promoted_unless_it_falls_below_by_more_than_the_margin(corr: float, expected: bool) -> None:
    assert verdict(new(corr), "target_ender_60", old(), margin=0.005).is_promoted is expected


def test_what_was_not_measured_does_not_take_the_place_of_what_was() -> None:
    found = verdict({"validation_eras": 0.0}, "target_ender_60", old(), margin=0.005)
    assert not found.is_promoted
    assert "it was not measured" in found.words
    assert verdict({"validation_eras": 0.0}, "target_ender_60", None, margin=0.005).is_promoted
    assert verdict(new(-1), "target_ender_60", old(validation_eras=0), margin=0.005).is_promoted


def test_other_targets_are_not_compared() -> None:
    found = verdict(new(-1), "target_ender_20", old(), margin=0.005)
    assert found.is_promoted
    assert found.words == "not compared with version 1, which learned target_ender_60"


def test_the_owner_has_the_last_word() -> None:
    found = verdict(new(-1), "target_ender_60", old(), margin=0.005, is_overruled=True)
    assert found.is_promoted
    assert found.words.endswith("overruled by --promote")
