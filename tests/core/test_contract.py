from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from numebot.core.contract import breach_of
from numebot.core.features import FeatureSets
from numebot.core.types import TrainedVersion

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def trained(*features: str, on: str = "v5.9") -> TrainedVersion:
    return TrainedVersion("alpha", "1", Path(), on, features, "target", {}, {}, None, {}, "", NOW)


def sets(version: str) -> FeatureSets:
    return FeatureSets(version, {"small": ("a",), "other": ("b",)})


def test_any_set_may_hold_a_feature() -> None:
    assert breach_of(trained("a", "b"), sets("v5.10")) is None


def test_what_is_absent_is_named() -> None:
    breach = breach_of(trained("c", "a", "d"), sets("v5.10"))
    assert breach is not None
    assert (breach.absent, breach.needed) == (("c", "d"), 3)
    assert "2 of its 3 features are not in data version v5.10: c, d." in str(breach)
    assert "numebot train alpha" in str(breach)


@pytest.mark.parametrize("version", ["v5.9", "v5.8", "v4.10"])
def test_a_version_that_is_not_newer_breaks_nothing(version: str) -> None:
    assert breach_of(trained("c"), sets(version)) is None
