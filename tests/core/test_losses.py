from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from numebot.core.ledger import Entry, KnownRound, Ledger, ModelLedger, OwnModel, Standing
from numebot.core.losses import Estimate, Scores, estimate
from numebot.core.results import RoundFacts
from numebot.core.types import Round

OPENS_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MODELS = {name: OwnModel(name, name) for name in "abcd"}
WEIGHTS = {1405: {"corr": 3.0, "mmc": 15.0}}


def ledger(**standings: Standing) -> Ledger:
    known = KnownRound(RoundFacts(Round(8, 1405, OPENS_AT, OPENS_AT + timedelta(hours=1))))
    models = [ModelLedger(MODELS[name], (Entry(1405, MODELS[name], one),)) for name, one in standings.items()]
    return Ledger(8, (known,), tuple(models))


LOST = ledger(a=Standing.MISSED, b=Standing.ON_TIME, c=Standing.ON_TIME, d=Standing.MISSED)


def cost(scores: Scores, of: Ledger = LOST) -> Estimate | None:
    return estimate(of.models[0].entries[0], of, scores, WEIGHTS)


def values(corr: float, mmc: float) -> dict[str, float]:
    return {"corr": corr, "mmc": mmc}


def test_the_other_models_of_that_round_come_first() -> None:
    scores = {
        (1405, "b"): values(0.01, 0.002),
        (1405, "c"): values(0.03, 0.004),
        (1405, "d"): values(9.0, 9.0),  # it was not on-time either
        (1404, "a"): values(0.5, 0.5),
    }
    found = cost(scores)
    assert found is not None
    assert found.metrics == pytest.approx({"corr": 0.02, "mmc": 0.003})
    assert found.score == pytest.approx(3 * 0.02 + 15 * 0.003)
    assert found.source == "median of 2 own other models in this round"


def test_what_is_late_is_scored_itself() -> None:
    late = ledger(a=Standing.LATE, b=Standing.ON_TIME)
    found = cost({(1405, "a"): values(-0.01, 0.0), (1405, "b"): values(1.0, 1.0)}, late)
    assert found is not None
    assert (found.score, found.source) == (pytest.approx(-0.03), "its own score, which is not paid")


def test_without_them_it_is_what_is_usual_for_it_nearby() -> None:
    near = {(number, "a"): values(corr, 0.0) for number, corr in ((1395, 0.01), (1404, 0.02), (1415, 0.06))}
    far = {(1394, "a"): values(9.0, 9.0), (1416, "a"): values(9.0, 9.0)}
    found = cost(near | far)
    assert found is not None
    assert (found.score, found.source) == (pytest.approx(0.06), "median of its 3 rounds around this one")


def test_a_half_known_score_is_none_and_nothing_is_made_up() -> None:
    assert cost({(1405, "b"): {"corr": 0.01}, (1404, "a"): {"mmc": 0.01}}) is None
    lost = LOST.models[0].entries[0]
    assert estimate(lost, LOST, {(1405, "b"): values(1, 1)}, {}) is None, "it is not known what the round pays for"
