from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from numebot.core.earnings import RoundMoney, RoundTerms, earnings, month_totals
from numebot.core.results import PayoutSetting

SETTINGS = (PayoutSetting(8, 1400, "corr60", "v1", True, 3.0, clip=1.0),)
TERMS = {1400: RoundTerms(SETTINGS, "1.0"), 1401: RoundTerms(SETTINGS, None)}
ROW = RoundMoney(
    8, 1400, "m1", "alpha", Decimal("2.9"), False, Decimal("30"), "USD", date(2027, 2, 1), Decimal(100),
    {("corr60", "v1"): 0.01},
)  # fmt: skip


def test_the_difference_is_numerais_word_less_ours() -> None:
    (found,) = earnings([ROW], TERMS)
    assert (found.expected, found.season_score, found.difference) == (Decimal(3), Decimal("0.03"), Decimal("-0.1"))
    assert found.reason == ""


def test_what_cannot_be_reckoned_has_a_reason_and_no_difference() -> None:
    rows = [replace(ROW, round_number=1401), replace(ROW, round_number=1402), replace(ROW, at_risk=None)]
    found = earnings(rows, TERMS)
    assert [one.reason for one in found] == [
        "its payout factor is not told yet",
        "no payout settings of this round are here",
        "what was at stake is not known",
    ]
    assert [one.difference for one in found] == [None] * 3
    assert [one.season_score for one in found] == [None, None, Decimal("0.03")]


def test_before_numerai_names_an_amount_there_is_ours_alone() -> None:
    (found,) = earnings([replace(ROW, amount=None)], TERMS)
    assert (found.expected, found.difference) == (Decimal(3), None)


def test_totals_are_by_month_and_currency() -> None:
    january, euros = date(2027, 1, 30), replace(ROW, currency="EUR", amount=Decimal(1), value=Decimal(9))
    rows = [
        ROW,
        replace(ROW, model="beta", is_settled=True, amount=Decimal("-1.5"), value=Decimal("-15")),
        replace(ROW, amount=None, value=None),
        replace(ROW, amount=None, value=None, at_risk=None),
        euros,
        replace(ROW, resolves_on=january),
        replace(ROW, resolves_on=None),
    ]
    totals = month_totals(earnings(rows, TERMS))
    assert [(total.month, total.currency) for total in totals] == [
        ("2027-02", "USD"),
        ("2027-02", "EUR"),
        ("2027-01", "USD"),
        (None, "USD"),
    ]
    first = totals[0]
    assert (first.settled, first.settled_value) == (Decimal("-1.5"), Decimal("-15"))
    assert (first.pending, first.pending_value) == (Decimal("2.9"), Decimal(30))
    assert (first.expected, first.unknown) == (Decimal(6), 1)
    assert month_totals([]) == []
