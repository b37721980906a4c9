"""What a score pays: the published formulas of each time, in NMR as Decimal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from numebot.core.types import Tournament

WEI_PER_NMR = Decimal(10) ** 18

STAKE_THRESHOLD_NMR = {Tournament.CLASSIC: 72_000.0, Tournament.SIGNALS: 36_000.0, Tournament.CRYPTO: 10_000.0}
"""What may be at risk in a round before the payout factor falls below 1."""


@dataclass(frozen=True)
class PayoutRule:
    """Stake · clip(factor · Σ multiplier · score, ±clip), from the round `first_round` on.

    `multipliers` are by display name; `clip` is a share of the stake at risk, 0.05 being five percent.
    `rounds_per_stake` says over how many rounds in flight a stake is spread: the stake at risk in one round is that
    part of it. `target` is what the rounds of this time are scored on, as the API names it.
    """

    first_round: int
    multipliers: Mapping[str, Decimal]
    clip: Decimal
    factor: Decimal
    target: str
    rounds_per_stake: int = 1

    def multiplier(self, display_name: str) -> Decimal:
        """Return what a metric counts: 0 unless it pays."""
        return self.multipliers.get(display_name, Decimal(0))


def _multipliers(**each: str) -> Mapping[str, Decimal]:
    return {name: Decimal(value) for name, value in each.items()}


_WHOLE = Decimal(1)
_FACTOR_OF_2026 = Decimal("0.089")
"""Seen in August 2026, when the stake threshold divided the payouts of Classic."""

_RULES: dict[int, tuple[PayoutRule, ...]] = {
    Tournament.CLASSIC: (
        PayoutRule(1343, _multipliers(corr60="3", mmc60="15"), _WHOLE, _WHOLE, "ender_60", rounds_per_stake=64),
        PayoutRule(1172, _multipliers(v2_corr20="0.75", mmc="2.25"), Decimal("0.05"), _FACTOR_OF_2026, "ender_20"),
        PayoutRule(0, _multipliers(v2_corr20="0.5", mmc="2"), Decimal("0.05"), _FACTOR_OF_2026, "cyrusd_20"),
    ),
    Tournament.SIGNALS: (PayoutRule(0, _multipliers(alpha="0.3", mpc="0.8"), Decimal("0.017"), _WHOLE, "alpha_20"),),
    Tournament.CRYPTO: (PayoutRule(0, _multipliers(corr="0.1", mmc="1"), _WHOLE, _WHOLE, "return_20"),),
}
"""Newest first. Sources: docs.numer.ai, staking pages of 2024-01, 2025-09, 2026-01 and 2026-08."""


def payout_rule(tournament: int, round_number: int) -> PayoutRule:
    """Return the rule that pays a round."""
    rules = _RULES[Tournament(tournament)]
    return next(rule for rule in rules if round_number >= rule.first_round)


def newest_rule(tournament: int) -> PayoutRule:
    """Return the rule of today."""
    return _RULES[Tournament(tournament)][0]


def stake_at_risk(stake_nmr: Decimal, rule: PayoutRule) -> Decimal:
    """Return what of a model's stake one round risks, in NMR to the wei."""
    return _to_the_wei(stake_nmr / rule.rounds_per_stake)


def payout_score(scores: Mapping[str, float | None], rule: PayoutRule) -> float | None:
    """Return Σ multiplier · score, before factor and clip: the season score. None while one of them is unknown."""
    parts = [(multiplier, scores.get(name)) for name, multiplier in rule.multipliers.items()]
    known = [float(multiplier) * value for multiplier, value in parts if value is not None]
    return sum(known) if len(known) == len(parts) else None


def payout(at_risk_nmr: Decimal, scores: Mapping[str, float | None], rule: PayoutRule) -> Decimal | None:
    """Return what a round pays (or burns, when negative) in NMR, to the wei; None while a paying score is unknown."""
    parts = [_share(scores.get(name), multiplier, rule) for name, multiplier in rule.multipliers.items()]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return _to_the_wei(at_risk_nmr * max(-rule.clip, min(rule.clip, sum(known, Decimal(0)))))


def metric_payout(at_risk_nmr: Decimal, display_name: str, value: float | None, rule: PayoutRule) -> Decimal | None:
    """Return one metric's part of a payout in NMR, before the clip; None for one that is unknown or does not pay."""
    share = _share(value, rule.multipliers[display_name], rule) if display_name in rule.multipliers else None
    return None if share is None else _to_the_wei(at_risk_nmr * share)


def _to_the_wei(amount_nmr: Decimal) -> Decimal:
    """Return an amount without what is smaller than the smallest unit of NMR."""
    return amount_nmr.quantize(1 / WEI_PER_NMR)


def _share(value: float | None, multiplier: Decimal, rule: PayoutRule) -> Decimal | None:
    """Return what a score pays per NMR at risk. By its decimal text: binary rounding must not reach the wei."""
    return None if value is None else rule.factor * multiplier * Decimal(repr(float(value)))
