"""Payouts by a round's own settings, in both regimes, to the wei."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.core.payouts import NotKnown, PayoutTerms, expected_payout, payout_terms, season_score
from numebot.core.results import PayoutSetting

OLD = (
    PayoutSetting(8, 1300, "v2_corr20", "v1", True, 0.75, clip=0.05, payout_factor=0.089),
    PayoutSetting(8, 1300, "mmc", "v1", True, 2.25, clip=0.05, payout_factor=0.089),
    PayoutSetting(8, 1300, "fnc_v3", "v1", False, 0.0),
)
"""Ender-20 rounds of 2026: the threshold divides the payouts, five percent are the most."""
NEW = (
    PayoutSetting(8, 1343, "corr60", "v1", True, 3.0, clip=1.0, payout_factor=1.0),
    PayoutSetting(8, 1343, "mmc60", "v1", True, 15.0, clip=1.0, payout_factor=1.0),
)
"""Rounds on 60 days: factor 1, and all of a round's stake is at risk."""
STAKE = Decimal("100")
scores_st = st.floats(-1, 1, allow_nan=False)
stakes_st = st.decimals(0, 1_000_000, places=18)


def terms(settings: tuple[PayoutSetting, ...], factor: str | None = None) -> PayoutTerms:
    found = payout_terms(settings, factor)
    assert isinstance(found, PayoutTerms)
    return found


def reason(found: object) -> str:
    assert isinstance(found, NotKnown)
    return found.reason


def old(corr: float | None, mmc: float | None) -> dict[tuple[str, str], float | None]:
    return {("v2_corr20", "v1"): corr, ("mmc", "v1"): mmc, ("fnc_v3", "v1"): 0.5}


def new(corr: float | None, mmc: float | None) -> dict[tuple[str, str], float | None]:
    return {("corr60", "v1"): corr, ("mmc60", "v1"): mmc}


def test_the_old_regime_multiplies_with_its_factor_and_clips_at_five_percent() -> None:
    # 0.75 · 0.02 + 2.25 · 0.01 = 0.0375; times 0.089 is 0.0033375 of the stake
    assert season_score(old(0.02, 0.01), terms(OLD)) == Decimal("0.0375")
    assert expected_payout(STAKE, old(0.02, 0.01), terms(OLD, "0.089")) == Decimal("0.33375")
    assert expected_payout(STAKE, old(0.9, 0.9), terms(OLD)) == Decimal(5)
    assert expected_payout(STAKE, old(-0.9, -0.9), terms(OLD)) == Decimal(-5)


def test_the_new_regime_pays_three_times_corr_and_fifteen_times_mmc() -> None:
    # 3 · 0.01 + 15 · 0.004 = 0.09
    assert season_score(new(0.01, 0.004), terms(NEW)) == Decimal("0.09")
    assert expected_payout(STAKE, new(0.01, 0.004), terms(NEW, "1.0")) == Decimal(9)
    assert expected_payout(STAKE, new(-0.5, -0.5), terms(NEW)) == Decimal(-100)


def test_other_tournaments_are_other_settings() -> None:
    signals = (
        PayoutSetting(11, 1300, "alpha", "", True, 0.3, clip=0.017, payout_factor=1.0),
        PayoutSetting(11, 1300, "mpc", "", True, 0.8, clip=0.017, payout_factor=1.0),
    )
    score = {("alpha", ""): 0.02, ("mpc", ""): 0.005}
    assert expected_payout(STAKE, score, terms(signals)) == Decimal("1")
    assert expected_payout(STAKE, {**score, ("mpc", ""): 0.05}, terms(signals)) == Decimal("1.7")


def test_a_weekday_round_without_pay_pays_nothing() -> None:
    assert expected_payout(STAKE, old(0.02, 0.01), terms(OLD, "0")) == 0


def test_the_rounds_own_factor_counts_before_that_of_its_settings() -> None:
    assert terms(OLD, "0.0901").factor == Decimal("0.0901")
    assert terms(OLD).factor == Decimal("0.089")


def test_what_is_missing_is_said() -> None:
    bare = replace(NEW[0], payout_factor=None), replace(NEW[1], payout_factor=None)
    assert "no payout settings" in reason(payout_terms((), "1.0"))
    assert "no metric that pays" in reason(payout_terms(OLD[2:], "1.0"))
    assert "no metric that pays" in reason(payout_terms((replace(NEW[0], is_payout=None),), "1.0"))
    assert "factor is not told yet" in reason(payout_terms(bare, None))
    assert "factor is not clear" in reason(payout_terms((NEW[0], replace(NEW[1], payout_factor=0.5)), None))
    assert "factor is not clear" in reason(payout_terms(NEW, "soon"))
    assert "no clip, or several" in reason(payout_terms((NEW[0], replace(NEW[1], clip=0.05)), None))
    assert "no clip, or several" in reason(payout_terms(tuple(replace(one, clip=None) for one in NEW), None))
    assert "without its multiplier" in reason(payout_terms((NEW[0], replace(NEW[1], multiplier=None)), None))
    assert reason(season_score(new(0.1, None), terms(NEW))) == "mmc60 has no score yet"
    assert reason(expected_payout(STAKE, {}, terms(NEW))) == "corr60 has no score yet"
    assert "at stake is not known" in reason(expected_payout(None, new(0.1, 0.1), terms(NEW)))
    assert "no payout settings" in reason(expected_payout(STAKE, {}, payout_terms((), None)))


def test_without_a_stake_nothing_is_paid_whatever_else_is_not_known() -> None:
    assert expected_payout(Decimal(0), {}, payout_terms((), None)) == 0


def test_a_score_without_a_version_is_taken_for_any() -> None:
    unversioned = {("corr60", ""): 0.01, ("mmc60", ""): 0.004}
    assert expected_payout(STAKE, unversioned, terms(NEW)) == Decimal(9)
    other = {("corr60", "v2"): 0.01, ("mmc60", "v1"): 0.004}
    assert reason(expected_payout(STAKE, other, terms(NEW))) == "corr60 has no score yet"


@given(stakes_st, scores_st, scores_st, st.sampled_from([OLD, NEW]))
def test_a_payout_stays_within_the_clip_and_is_whole_wei(
    stake: Decimal, corr: float, mmc: float, settings: tuple[PayoutSetting, ...]
) -> None:
    how = terms(settings)
    paid = expected_payout(stake, {**old(corr, mmc), **new(corr, mmc)}, how)
    assert isinstance(paid, Decimal)
    assert abs(paid) <= stake * how.clip + Decimal("0.5E-18")  # rounded to the nearest wei
    assert paid == 0 or paid.as_tuple().exponent == -18


@given(stakes_st, scores_st, scores_st)
def test_gains_and_burns_mirror_each_other(stake: Decimal, corr: float, mmc: float) -> None:
    gain, burn = (expected_payout(stake, new(sign * corr, sign * mmc), terms(NEW)) for sign in (1, -1))
    assert isinstance(gain, Decimal)
    assert isinstance(burn, Decimal)
    assert gain == -burn


@given(st.integers(1, 10**24), scores_st)
def test_a_larger_stake_pays_in_proportion(wei: int, corr: float) -> None:
    one, ten = (
        expected_payout(Decimal(amount).scaleb(-18), old(corr, 0.0), terms(OLD)) for amount in (wei, 10 * wei)
    )
    assert isinstance(one, Decimal)
    assert isinstance(ten, Decimal)
    assert abs(ten - 10 * one) <= Decimal("6E-18")


@given(scores_st, scores_st)
def test_the_season_score_is_the_sum_of_multiplier_times_score(corr: float, mmc: float) -> None:
    score = season_score(old(corr, mmc), terms(OLD))
    assert isinstance(score, Decimal)
    assert float(score) == pytest.approx(0.75 * corr + 2.25 * mmc, abs=1e-12)
