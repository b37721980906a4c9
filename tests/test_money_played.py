"""Payouts as the practice tournament reckons them, and as numebot does from the settings that it was told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from numebot.cli import cli
from numebot.core.payouts import expected_payout, payout_terms
from numebot.core.results import PayoutSetting
from numebot.core.standing import ModelRound
from numebot.practice.scores.payouts import payout, payout_rule
from numebot.results import sync_results

scores_st = st.floats(-0.2, 0.2, allow_nan=False)


@given(
    st.sampled_from([(8, 1100), (8, 1342), (8, 1343), (11, 1400), (12, 1400)]),
    st.decimals(0, 100_000, places=18),
    st.tuples(scores_st, scores_st),
)
def test_both_reckon_the_same_in_every_regime(
    place: tuple[int, int], stake: Decimal, values: tuple[float, float]
) -> None:
    rule = payout_rule(*place)
    settings = [
        PayoutSetting(
            *place, metric, "v1", True, float(multiplier), clip=float(rule.clip), payout_factor=float(rule.factor)
        )
        for metric, multiplier in rule.multipliers.items()
    ]
    scores = dict(zip(rule.multipliers, values, strict=True))
    ours = expected_payout(stake, {(name, "v1"): value for name, value in scores.items()}, payout_terms(settings, None))
    theirs = payout(stake, dict(scores), rule)
    assert isinstance(ours, Decimal)
    assert theirs is not None
    # They round at 28 digits on the way.
    assert abs(ours - theirs) <= Decimal("1E-18") + abs(ours) * Decimal("1E-27")


@pytest.mark.slow
def test_a_round_that_was_played_pays_what_was_expected(numebot: Callable[..., Any]) -> None:
    bot = numebot(models=("alpha", "beta"))
    bot.run()
    for days, state in ((10, "pending"), (90, "settled")):
        bot.server.world.advance(timedelta(days=days))
        with bot.app() as app:
            assert sync_results(app.results_tools(), 8).is_done
            app.store.standing.remember_at_risk(at_risk(bot))
        result = CliRunner().invoke(cli, ["payouts", "--json"], env=bot.environ(), standalone_mode=False)
        assert result.exception is None
        rows = json.loads(result.stdout)["rounds"]
        assert [row["model"] for row in rows] == ["alpha", "beta"]
        for row in rows:
            assert (row["state"], row["note"]) == (state, None)
            assert Decimal(row["amount"]) != 0
            assert abs(Decimal(row["difference"])) <= Decimal("1E-17")


def at_risk(bot: Any) -> list[ModelRound]:
    """What the tournament has at risk for each model in the rounds that it played."""
    world, now = bot.server.world, bot.server.clock.now()
    return [
        ModelRound(8, result.round.number, model.id, result.at_risk_nmr)
        for model in world.account.models()
        for result in world.scorebook.results(model, now)
    ]
