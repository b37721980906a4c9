"""What a score pays: the published formulas of each time, in NMR as Decimal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from numebot.core.types import Tournament

_WEI = Decimal("0.000000000000000001")


@dataclass(frozen=True)
class PayoutRule:
    """Stake · clip(factor · Σ multiplier · score, ±clip), from the round `first_round` on.

    `multipliers` are by display name. `rounds_per_stake` says over how many rounds in flight a stake is spread: the
    stake at risk in one round is that part of it.
    """

    first_round: int
    multipliers: Mapping[str, Decimal]
    clip: Decimal
    factor: Decimal
    rounds_per_stake: int = 1


_RULES: dict[int, tuple[PayoutRule, ...]] = {
    Tournament.CLASSIC: (
        PayoutRule(1343, {"corr60": Decimal(3), "mmc60": Decimal(15)}, Decimal(1), Decimal(1), rounds_per_stake=64),
        PayoutRule(1172, {"v2_corr20": Decimal("0.75"), "mmc": Decimal("2.25")}, Decimal("0.05"), Decimal("0.089")),
        PayoutRule(0, {"v2_corr20": Decimal("0.5"), "mmc": Decimal(2)}, Decimal("0.05"), Decimal("0.089")),
    ),
    Tournament.SIGNALS: (
        PayoutRule(0, {"alpha": Decimal("0.3"), "mpc": Decimal("0.8")}, Decimal("0.017"), Decimal(1)),
    ),
    Tournament.CRYPTO: (PayoutRule(0, {"corr": Decimal("0.1"), "mmc": Decimal(1)}, Decimal(1), Decimal(1)),),
}
"""Newest first. Sources: docs.numer.ai, staking pages of 2024-01, 2025-09, 2026-01 and 2026-08; the factor before 1343
is what was seen in August 2026, when the stake threshold divided it."""


def payout_rule(tournament: int, round_number: int) -> PayoutRule:
    """Return the rule that pays a round."""
    rules = _RULES[Tournament(tournament)]
    return next(rule for rule in rules if round_number >= rule.first_round)


def payout_score(scores: Mapping[str, float | None], rule: PayoutRule) -> float | None:
    """Return Σ multiplier · score, before factor and clip: the season score. None while one of them is unknown."""
    total = 0.0
    for name, multiplier in rule.multipliers.items():
        value = scores.get(name)
        if value is None:
            return None
        total += float(multiplier) * value
    return total


def payout(stake_at_risk: Decimal, scores: Mapping[str, float | None], rule: PayoutRule) -> Decimal | None:
    """Return what a round pays (or burns, when negative) in NMR, to the wei; None while a paying score is unknown."""
    total = Decimal(0)
    for name, multiplier in rule.multipliers.items():
        value = scores.get(name)
        if value is None:
            return None
        total += multiplier * Decimal(repr(value))
    share = max(-rule.clip, min(rule.clip, rule.factor * total))
    return (stake_at_risk * share).quantize(_WEI)
