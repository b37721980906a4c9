"""What a round pays, by the round's own settings: stake · clip(factor · Σ multiplier · score, ±clip).

Nothing here knows a round number, a metric or a multiplier: they change, and the store keeps what each round was told.
What the store does not have is said in words and never made up. Money is NMR as Decimal, to the wei. Source:
docs.numer.ai, staking and payouts; the same formula holds for every tournament and time, with other settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext

from numebot.core.results import PayoutSetting

WEI = Decimal("1E-18")
"""The smallest amount of NMR."""

MetricKey = tuple[str, str]
"""Name and version of a metric."""


@dataclass(frozen=True)
class PayoutTerms:
    """How a round pays. `clip` is the largest payout as a share of the stake; `multipliers` are by metric."""

    multipliers: Mapping[MetricKey, Decimal]
    factor: Decimal
    clip: Decimal


@dataclass(frozen=True)
class NotKnown:
    """Why a figure cannot be told, for a person."""

    reason: str


def payout_terms(settings: Sequence[PayoutSetting], round_factor: str | None) -> PayoutTerms | NotKnown:
    """Return how a round pays, from its settings and the payout factor that the round itself names (API text).

    The round's factor counts where there is one; the settings repeat it.
    """
    paying = [one for one in settings if one.is_payout]
    if not settings:
        return NotKnown("no payout settings of this round are here")
    if not paying:
        return NotKnown("its settings name no metric that pays")
    if any(one.multiplier is None for one in paying):
        return NotKnown("a metric that pays came without its multiplier")
    factors = {_exact(one.payout_factor) for one in paying if one.payout_factor is not None}
    factor = _only(factors) if round_factor is None else _decimal(round_factor)
    if factor is None:
        return NotKnown("its payout factor is not told yet" if not factors else "its payout factor is not clear")
    clip = _only({_exact(one.clip) for one in paying if one.clip is not None})
    if clip is None:
        return NotKnown("its settings name no clip, or several")
    multipliers = {(one.metric, one.version): _exact(one.multiplier) for one in paying if one.multiplier is not None}
    return PayoutTerms(multipliers, factor, clip)


def season_score(scores: Mapping[MetricKey, float | None], terms: PayoutTerms) -> Decimal | NotKnown:
    """Return Σ multiplier · score, without factor and clip; the API has it under the same name.

    A score without a version is taken for one of any version.
    """
    total = Decimal(0)
    for key, multiplier in terms.multipliers.items():
        value = scores.get(key, scores.get((key[0], "")))
        if value is None:
            return NotKnown(f"{key[0]} has no score yet")
        total += multiplier * _exact(value)
    return total


def expected_payout(
    at_risk: Decimal | None, scores: Mapping[MetricKey, float | None], terms: PayoutTerms | NotKnown
) -> Decimal | NotKnown:
    """Return what a round pays (burns, when negative) with `at_risk` NMR at stake and these scores, to the wei."""
    if at_risk is None:
        return NotKnown("what was at stake is not known")
    if at_risk == 0:
        return Decimal(0)
    if isinstance(terms, NotKnown):
        return terms
    score = season_score(scores, terms)
    if isinstance(score, NotKnown):
        return score
    share = max(-terms.clip, min(terms.clip, terms.factor * score))
    with localcontext() as context:
        context.prec = 60  # a stake with all its wei times a score: the default of 28 digits would round before the wei
        return (at_risk * share).quantize(WEI, rounding=ROUND_HALF_EVEN)


def _exact(number: float) -> Decimal:
    """Return a number by its shortest decimal text: binary rounding must not reach the wei."""
    return Decimal(repr(float(number)))


def _decimal(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _only(values: set[Decimal]) -> Decimal | None:
    """Return the one value there is; None when there is none, or more than one."""
    return next(iter(values)) if len(values) == 1 else None
