"""`numebot ledger`: was everything submitted?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

import click

from numebot.app import open_app
from numebot.app.standing import LedgerAnswer, answer_ledger, only_models, span_of
from numebot.cli.output import as_document, set_up_logging
from numebot.cli.tables import Styled, print_table, print_text
from numebot.cli.tournaments import tournament_option, wanted_tournaments
from numebot.core.ledger import Entry, ModelLedger, Standing, monthly
from numebot.core.losses import Estimate
from numebot.core.types import Tournament

MARKS = {
    Standing.ON_TIME: ("●", "green"),
    Standing.LATE: ("L", "yellow"),
    Standing.QUEUED: ("Q", "yellow"),
    Standing.MISSED: ("M", "red"),
    Standing.SKIPPED: ("-", "bright_black"),
    Standing.OPEN: ("○", "cyan"),
    Standing.BEFORE: ("·", "bright_black"),
}
"""One character and colour per round."""
SHOWN_LOST = 10
"""So many losses are told below the grid; --missed tells them all."""
SHOWN_MONTHS = 3


@click.command(short_help="Show which rounds each model was on-time in, and what was missed and why.")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--last", type=click.IntRange(min=1), default=30, show_default=True, help="So many of the newest rounds.")
@click.option("--month", type=click.DateTime(["%Y-%m"]), metavar="YYYY-MM", help="The rounds that opened in a month.")
@click.option("--missed", is_flag=True, help="Only what earned nothing, each with its reason.")
@tournament_option
@click.option("--practice", is_flag=True, help="Show the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the answer as JSON on stdout.")
def command(
    *,
    models: tuple[str, ...],
    last: int,
    month: datetime | None,
    missed: bool,
    tournament: str | None,
    practice: bool,
    wants_json: bool,
) -> int:
    """Show rounds × models: on-time, late, queued, missed or skipped, with the reason, streaks and shares.

    Numerai's list counts (`numebot sync` reads it), our own record says why. What a loss cost is an estimate: the
    score in the round's payout metrics, times their multipliers, that the other own models or the usual self earned.

    \b
    --json prints, for each tournament:
      {"tournament", "rounds": [numbers],
       "models": [{"model", "model_id", "share_on_time", "streak", "counts": {state: n}, "months": {"YYYY-MM": share},
                   "rounds": [{"round", "state", "reason"}]}],
       "not_on_time": [{"round", "model", "model_id", "state", "reason",
                        "estimate": {"score", "metrics": {name: value}, "source"} or null}]}
    Shares are 0 to 1, null where nothing counts. --missed leaves "models" out.
    """
    since = month.replace(tzinfo=UTC) if month is not None else None
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        answers = []
        for one in wanted_tournaments(app, tournament):
            span = span_of(app.store, one, last=last, month=since)
            if span is not None:
                answers.append(only_models(answer_ledger(app.store, one, span, app.clock.now()), models))
            elif not wants_json:
                when = f" in {since:%Y-%m}" if since else ""
                click.echo(f"{one.name.capitalize()}: no round is known{when}. `numebot sync` reads them.")
    if wants_json:
        documents = [as_answer(answer, only_missed=missed) for answer in answers]
        click.echo(as_document(documents[0] if len(documents) == 1 else documents))
        return 0
    for answer in answers:
        if not missed:
            _show_grid(answer)
        _show_lost(answer, None if missed else SHOWN_LOST)
    return 0


def _show_grid(answer: LedgerAnswer) -> None:
    ledger = answer.ledger
    name = Tournament(ledger.tournament).name.capitalize()
    first, last = ledger.rounds[0], ledger.rounds[-1]
    title = f"{name}, rounds {first.number} to {last.number}, opened {first.facts.round.opens_at:%a %Y-%m-%d} to "
    title += f"{last.facts.round.opens_at:%a %Y-%m-%d}"
    months = list(monthly(ledger, ()))[-SHOWN_MONTHS:]
    rows: list[list[str | Styled]] = [
        [
            one.model.name if one.model.is_listed else f"{one.model.name} (gone)",
            _grid(one.entries),
            _percent(one.share_on_time),
            _streak(one),
            *(_percent(monthly(ledger, one.entries)[month]) for month in months),
        ]
        for one in ledger.models
    ]
    print_table(["model", _numbers(answer), "on-time", "streak", *months], rows, title=title)
    print_text(_legend(answer))


def _grid(entries: Sequence[Entry]) -> Styled:
    grid = Styled()
    # In runs: a table measures every piece of every cell.
    for standing, run in groupby(entry.standing for entry in entries):
        mark, colour = MARKS[standing]
        grid.append(mark * len(list(run)), colour)
    return grid


def _numbers(answer: LedgerAnswer) -> str:
    """Return the first and the last round's number, above their places in the grid."""
    first, last, width = answer.ledger.rounds[0].number, answer.ledger.rounds[-1].number, len(answer.ledger.rounds)
    space = width - len(str(first)) - len(str(last))
    return f"{first}{' ' * space}{last}" if space > 0 else "rounds"


def _legend(answer: LedgerAnswer) -> Styled:
    met = {entry.standing for one in answer.ledger.models for entry in one.entries}
    legend = Styled()
    for standing, (mark, colour) in MARKS.items():
        if standing in met:
            legend.append(mark, colour)
            legend.append(f" {'before numebot' if standing is Standing.BEFORE else standing.value}   ")
    return legend


def _percent(share: float | None) -> str | Styled:
    if share is None:
        return ""
    return Styled(f"{share:.0%}" if share in (0, 1) else f"{share:.1%}", "green" if share == 1 else "yellow")


def _streak(one: ModelLedger) -> str:
    """Return the streak; one that fills the whole span may be longer."""
    counted = sum(one.counts[standing] for standing in (Standing.LATE, Standing.QUEUED, Standing.MISSED))
    return f"{one.streak}+" if one.streak and not counted else str(one.streak)


def _show_lost(answer: LedgerAnswer, most: int | None) -> None:
    lost = answer.ledger.lost()
    name = Tournament(answer.ledger.tournament).name.capitalize()
    if not lost:
        click.echo(f"{name}: nothing was missed in these rounds.")
        return
    opened = {known.number: known.facts.round.opens_at for known in answer.ledger.rounds}
    rows: list[list[str | Styled]] = [
        [
            str(entry.round_number),
            f"{opened[entry.round_number]:%a %Y-%m-%d}",
            entry.model.name,
            Styled(entry.standing.value, MARKS[entry.standing][1]),
            entry.reason or "",
            _cost(answer.estimate(entry)),
        ]
        for entry in lost[:most]
    ]
    print_table(["round", "opened", "model", "state", "reason", "it would have scored (estimate)"], rows)
    if most is not None and len(lost) > most:
        click.echo(f"{len(lost) - most} more: numebot ledger --missed")


def _cost(estimate: Estimate | None) -> str | Styled:
    if estimate is None:
        return "not known"
    colour = "green" if estimate.score > 0 else "red" if estimate.score < 0 else ""
    cost = Styled(f"{estimate.score:+.4f}", colour)
    return cost.append(f", {estimate.source}")


def as_answer(answer: LedgerAnswer, *, only_missed: bool = False) -> Mapping[str, object]:
    """Return the documented JSON of one tournament's ledger."""
    ledger = answer.ledger
    models = [
        {
            "model": one.model.name,
            "model_id": one.model.id,
            "share_on_time": one.share_on_time,
            "streak": one.streak,
            "counts": {standing.value: one.counts[standing] for standing in Standing},
            "months": monthly(ledger, one.entries),
            "rounds": [
                {"round": entry.round_number, "state": entry.standing.value, "reason": entry.reason}
                for entry in one.entries
            ],
        }
        for one in ledger.models
    ]
    return {
        "tournament": ledger.tournament,
        "rounds": [known.number for known in ledger.rounds],
        **({} if only_missed else {"models": models}),
        "not_on_time": [_lost_as_json(entry, answer.estimate(entry)) for entry in ledger.lost()],
    }


def _lost_as_json(entry: Entry, estimate: Estimate | None) -> Mapping[str, object]:
    cost = {"score": estimate.score, "metrics": estimate.metrics, "source": estimate.source} if estimate else None
    return {
        "round": entry.round_number,
        "model": entry.model.name,
        "model_id": entry.model.id,
        "state": entry.standing.value,
        "reason": entry.reason,
        "estimate": cost,
    }
