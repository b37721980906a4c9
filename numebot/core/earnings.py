"""What models earned and are about to earn: expected against what Numerai says, round by round and by month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from numebot.core.payouts import MetricKey, NotKnown, PayoutTerms, expected_payout, payout_terms, season_score
from numebot.core.results import PayoutSetting


@dataclass(frozen=True)
class RoundMoney:
    """What the store has about the money of one model in one round.

    `amount` is Numerai's word in NMR (None: none yet), settled or pending; `value` is what it was worth in `currency`.
    `at_risk` is NMR; `scores` are the newest ones; `resolves_on` is the UTC day on which the payout becomes final.
    """

    tournament: int
    round_number: int
    model_id: str
    model: str
    amount: Decimal | None = None
    is_settled: bool = False
    value: Decimal | None = None
    currency: str | None = None
    resolves_on: date | None = None
    at_risk: Decimal | None = None
    scores: Mapping[MetricKey, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class RoundTerms:
    """What the store has about how a round pays: its settings, and the factor that the round itself names."""

    settings: tuple[PayoutSetting, ...] = ()
    factor: str | None = None


@dataclass(frozen=True)
class Earning:
    """One model's money in one round: Numerai's word in `money`, and ours beside it.

    `expected` is NMR by the newest scores, `season_score` the Σ multiplier · score behind it; None where `reason` says
    what is missing.
    """

    money: RoundMoney
    expected: Decimal | None
    season_score: Decimal | None
    reason: str = ""

    @property
    def difference(self) -> Decimal | None:
        """Numerai's word less ours, in NMR; None while one of them is missing."""
        if self.money.amount is None or self.expected is None:
            return None
        return self.money.amount - self.expected


@dataclass(frozen=True)
class MonthTotal:
    """The money of the rounds that resolve in a month, one currency at a time. Amounts are NMR, values the currency's.

    `month` is "2026-11", None for rounds whose day is not known. `expected` sums up what the pending rounds are
    expected to pay; `unknown` counts those of them about which nothing can be said.
    """

    month: str | None
    currency: str | None
    settled: Decimal = Decimal(0)
    settled_value: Decimal = Decimal(0)
    pending: Decimal = Decimal(0)
    pending_value: Decimal = Decimal(0)
    expected: Decimal = Decimal(0)
    unknown: int = 0


def earnings(rows: Iterable[RoundMoney], rounds: Mapping[int, RoundTerms]) -> list[Earning]:
    """Put our own reckoning beside each row. `rounds` are of the same tournament, by number."""
    terms = {number: payout_terms(one.settings, one.factor) for number, one in rounds.items()}
    nothing = payout_terms((), None)
    return [_earning(row, terms.get(row.round_number, nothing)) for row in rows]


def month_totals(found: Sequence[Earning]) -> list[MonthTotal]:
    """Return the totals, newest month first; rounds without a day come last."""
    groups: dict[tuple[str, str], list[Earning]] = {}
    for one in found:
        month = f"{one.money.resolves_on:%Y-%m}" if one.money.resolves_on else ""
        groups.setdefault((month, one.money.currency or ""), []).append(one)
    ordered = sorted(groups.items(), key=lambda item: item[0], reverse=True)
    return [_total(month or None, currency or None, rows) for (month, currency), rows in ordered]


def _earning(row: RoundMoney, terms: PayoutTerms | NotKnown) -> Earning:
    expected = expected_payout(row.at_risk, row.scores, terms)
    score = terms if isinstance(terms, NotKnown) else season_score(row.scores, terms)
    return Earning(
        row,
        None if isinstance(expected, NotKnown) else expected,
        None if isinstance(score, NotKnown) else score,
        expected.reason if isinstance(expected, NotKnown) else "",
    )


def _total(month: str | None, currency: str | None, found: Sequence[Earning]) -> MonthTotal:
    settled = [one.money for one in found if one.money.is_settled]
    running = [one for one in found if not one.money.is_settled]
    return MonthTotal(
        month,
        currency,
        settled=_sum(row.amount for row in settled),
        settled_value=_sum(row.value for row in settled),
        pending=_sum(one.money.amount for one in running),
        pending_value=_sum(one.money.value for one in running),
        expected=_sum(one.expected for one in running),
        unknown=sum(one.money.amount is None and one.expected is None for one in running),
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))
