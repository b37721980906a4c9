"""`numebot payouts`: what the models earned and are about to earn."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal

import click

from numebot.app import open_app
from numebot.cli.columns import EMPTY, Cell, aligned, print_lines, signed, terminal_width
from numebot.cli.output import as_document, set_up_logging
from numebot.cli.tournaments import tournament_option, wanted_tournaments
from numebot.core.earnings import Earning, MonthTotal, earnings, month_totals
from numebot.core.errors import ConfigError
from numebot.core.known_models import chosen_models
from numebot.core.types import Tournament

FIELDS = (
    "tournament", "round", "model", "model_id", "state", "at_risk", "season_score", "expected", "amount", "difference",
    "value", "currency", "resolves_on", "note",
)  # fmt: skip


@click.command(short_help="Show what the models earned, and what the running rounds are expected to pay.")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many rounds to show.")
@tournament_option
@click.option("--practice", is_flag=True, help="Show the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the answer as JSON on stdout.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print the rounds as CSV on stdout.")
def command(
    *, models: tuple[str, ...], last: int, tournament: str | None, practice: bool, wants_json: bool, wants_csv: bool
) -> int:
    """Show the payouts of the newest rounds, settled and pending, beside what numebot expects. Asks no server.

    Expected is stake at risk times clip(payout factor times the sum of multiplier times newest score), by the settings
    of each round. Amounts are NMR. Totals are by the month in which rounds resolve, over the rounds that are shown.

    \b
    --json prints {"rounds": […], "totals": […]}. Amounts are decimal texts in NMR, to the wei; null: not known.
    rounds: tournament, round, model, model_id, state (settled, pending, or running before Numerai names an amount),
      at_risk, season_score (the sum of multiplier times score), expected, amount (Numerai's), difference (amount less
      expected), value (of amount, in currency), currency, resolves_on, note (why nothing is expected)
    totals: month, currency, settled, settled_value, pending, pending_value, expected (of pending rounds), unknown
      (pending rounds about which nothing is known)
    """
    if wants_json and wants_csv:
        raise ConfigError("payouts: --json and --csv exclude each other; choose one.")
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        played = wanted_tournaments(app, tournament)
        known = [model for number in played for model in app.store.money.models(number)]
        wanted = chosen_models(known, models) if models else known
        found: list[Earning] = []
        for number in played:
            ids = [model.id for model in wanted if model.tournament == number]
            page = app.store.money.page(number, model_ids=ids, last=last)
            found += earnings(page.rows, page.terms)
    totals = month_totals(found)
    if wants_json:
        answer = {"rounds": [as_answer(one) for one in found], "totals": [_total_answer(total) for total in totals]}
        click.echo(as_document(answer))
    elif wants_csv:
        writer = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(as_answer(one) for one in found)
    else:
        _show(found, totals)
    return 0


def as_answer(one: Earning) -> Mapping[str, object]:
    """Return a round of a model for machines; the fields are documented in the command's help."""
    money = one.money
    return {
        "tournament": money.tournament,
        "round": money.round_number,
        "model": money.model,
        "model_id": money.model_id,
        "state": _state(one),
        "at_risk": _text(money.at_risk),
        "season_score": _text(one.season_score),
        "expected": _text(one.expected),
        "amount": _text(money.amount),
        "difference": _text(one.difference),
        "value": _text(money.value),
        "currency": money.currency,
        "resolves_on": money.resolves_on.isoformat() if money.resolves_on else None,
        "note": one.reason or None,
    }


def _total_answer(total: MonthTotal) -> Mapping[str, object]:
    return {
        "month": total.month,
        "currency": total.currency,
        "settled": _text(total.settled),
        "settled_value": _text(total.settled_value),
        "pending": _text(total.pending),
        "pending_value": _text(total.pending_value),
        "expected": _text(total.expected),
        "unknown": total.unknown,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def _state(one: Earning) -> str:
    if one.money.is_settled:
        return "settled"
    return "running" if one.money.amount is None else "pending"


def _show(found: Sequence[Earning], totals: Sequence[MonthTotal]) -> None:
    if not found:
        click.echo("No payout and no stake is here yet. `numebot sync` brings them home.")
        return
    several = len({one.money.tournament for one in found}) > 1
    head = ["round", "model", "state", "at risk", "score", "expected", "Numerai", "difference", "value", "", "resolves"]
    rows = [[*_cells(one, several=several), Cell(one.reason)] for one in found]
    print_lines(["Payouts in NMR", "", *aligned([*head, ""], rows, keep=2, width=terminal_width()), ""])
    head = ["month", "settled", "value", "pending", "value", "", "expected", "nothing known of"]
    lines = aligned(head, [_total_cells(total) for total in totals], width=terminal_width())
    print_lines(["By the month in which rounds resolve", "", *lines])


def _cells(one: Earning, *, several: bool) -> list[Cell]:
    money = one.money
    tournament = f" ({Tournament(money.tournament).name.lower()})" if several else ""
    return [
        Cell(str(money.round_number)),
        Cell(f"{money.model}{tournament}"),
        Cell(_state(one)),
        _stake(money.at_risk),
        _amount(one.season_score),
        _amount(one.expected),
        _amount(money.amount),
        _amount(one.difference),
        _amount(money.value, digits=2),
        Cell(money.currency or ""),
        EMPTY if money.resolves_on is None else Cell(money.resolves_on.isoformat()),
    ]


def _total_cells(total: MonthTotal) -> list[Cell]:
    return [
        Cell(total.month or "not known"),
        _amount(total.settled),
        _amount(total.settled_value, digits=2),
        _amount(total.pending),
        _amount(total.pending_value, digits=2),
        Cell(total.currency or ""),
        _amount(total.expected),
        Cell(str(total.unknown or ""), is_right=True),
    ]


def _amount(amount: Decimal | None, *, digits: int = 4) -> Cell:
    return signed(None if amount is None else float(amount), digits=digits)


def _stake(amount: Decimal | None) -> Cell:
    return Cell("·" if amount is None else f"{amount:.2f}", is_right=True)
