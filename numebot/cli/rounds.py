"""`numebot rounds`: the rounds, one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import click

from numebot.app import open_app
from numebot.app.standing import answer_ledger, span_of
from numebot.cli.output import as_document, set_up_logging
from numebot.cli.tables import Styled, print_table
from numebot.cli.tournaments import tournament_option, wanted_tournaments
from numebot.core.round_lines import RoundLine, round_lines
from numebot.core.rounds import spoken
from numebot.core.types import Tournament

WORTH_A_COLOUR = timedelta(minutes=1)
"""A later opening than this is shown in yellow."""


@click.command(short_help="Show the rounds: opening, deadline, how many of ours are on-time, payout factor.")
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="So many of the newest rounds.")
@tournament_option
@click.option("--practice", is_flag=True, help="Show the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the answer as JSON on stdout.")
def command(*, last: int, tournament: str | None, practice: bool, wants_json: bool) -> int:
    """Show the newest rounds, newest first. Times are UTC.

    "opened late" compares with the opening that Numerai had announced one round earlier. States: open, closed (no score
    yet), scoring, resolving, resolved.

    \b
    --json prints, for each tournament:
      {"tournament", "rounds": [{"round", "state", "opens_at", "opened_late_s", "deadline", "scores_at", "resolves_at",
                                 "on_time", "wanted", "payout_factor"}]}
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        found: dict[Tournament, Sequence[RoundLine]] = {}
        now = app.clock.now()
        for one in wanted_tournaments(app, tournament):
            # One more than is shown: it tells when the oldest of them should have opened.
            span = span_of(app.store, one, last=last + 1, month=None)
            ledger = answer_ledger(app.store, one, span, now).ledger if span is not None else None
            found[one] = round_lines(ledger, now)[-last:][::-1] if ledger is not None else ()
    if wants_json:
        answers = [
            {"tournament": int(one), "rounds": [_as_answer(line) for line in lines]} for one, lines in found.items()
        ]
        click.echo(as_document(answers[0] if len(answers) == 1 else answers))
        return 0
    for one, lines in found.items():
        _show(one, lines)
    return 0


def _show(tournament: Tournament, lines: Sequence[RoundLine]) -> None:
    name = tournament.name.capitalize()
    if not lines:
        click.echo(f"{name}: no round is known. `numebot sync` reads them.")
        return
    columns = ["round", "opened", "late by", "deadline", "resolves", "state", "on-time", "payout factor"]
    print_table(columns, [_row(line) for line in lines], title=f"{name}, times in UTC")


def _row(line: RoundLine) -> list[str | Styled]:
    facts = line.known.facts
    return [
        str(line.known.number),
        f"{facts.round.opens_at:%a %Y-%m-%d %H:%M:%S}",
        _lateness(line.opened_late),
        f"{facts.round.deadline:%a %Y-%m-%d %H:%M:%S}",
        f"{facts.resolves_at:%Y-%m-%d}" if facts.resolves_at else "",
        line.state,
        _on_time(line),
        facts.payout_factor or "",
    ]


def _lateness(late: timedelta | None) -> str | Styled:
    if late is None:
        return ""
    return Styled(spoken(late), "yellow") if late >= WORTH_A_COLOUR else spoken(late)


def _on_time(line: RoundLine) -> str | Styled:
    if not line.wanted:
        return ""
    less = "cyan" if line.state == "open" else "red"
    return Styled(f"{line.on_time}/{line.wanted}", "green" if line.on_time == line.wanted else less)


def _as_answer(line: RoundLine) -> Mapping[str, object]:
    facts = line.known.facts
    return {
        "round": line.known.number,
        "state": line.state,
        "opens_at": _time(facts.round.opens_at),
        "opened_late_s": line.opened_late.total_seconds() if line.opened_late is not None else None,
        "deadline": _time(facts.round.deadline),
        "scores_at": _time(facts.scores_at),
        "resolves_at": _time(facts.resolves_at),
        "on_time": line.on_time,
        "wanted": line.wanted,
        "payout_factor": facts.payout_factor,
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
