"""`numebot why ROUND MODEL`: what happened, from the wake-up to the confirmation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from numebot.app import open_app
from numebot.app.standing import Cell, find_cell
from numebot.cli.ledger import MARKS
from numebot.cli.output import COLOURS, as_document, set_up_logging
from numebot.cli.tables import Styled, print_table, print_text
from numebot.cli.tournaments import tournament_option, wanted_tournaments
from numebot.core.submissions import as_json
from numebot.core.timeline import TRY, Moment, timeline
from numebot.core.types import Round, State, Submission


@click.command(short_help="Show what happened to a model in a round, and why.")
@click.argument("round_", metavar="ROUND")
@click.argument("model", metavar="MODEL")
@tournament_option
@click.option("--practice", is_flag=True, help="Look at the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the answer as JSON on stdout.")
def command(*, round_: str, model: str, tournament: str | None, practice: bool, wants_json: bool) -> int:
    """Show one timeline of MODEL in ROUND: each attempt, how long it took, what was said and what was decided.

    ROUND is a number, "current" (the newest one) or "last" (the newest one whose deadline is over). Times are UTC.
    Numerai's own words stand as they came.

    \b
    --json prints:
      {"tournament", "round", "model", "state", "reason", "opens_at", "deadline",
       "submission": {as in `numebot run --json`, with "next_attempt_at"} or null,
       "moments": [{"at", "since_opening_s", "until_deadline_s", "kind", "words", "decided", "took_s", "state"}]}
    "took_s" is how many seconds it took until "at"; null where it was not measured.
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        cell = find_cell(app.store, wanted_tournaments(app, tournament), round_, model, app.clock.now())
        facts, own = cell.known.facts, cell.entry.model
        events = app.store.timeline.events(facts.round, own.name, own.id)
        row = app.store.timeline.submission(facts.round, own.name, own.id)
    moments = timeline(facts.round, own.name, events, seen_at=cell.known.first_seen_at)
    if wants_json:
        click.echo(as_document(as_answer(cell, row, moments)))
    else:
        _show(cell, row, moments)
    return 0


def _show(cell: Cell, row: Submission | None, moments: Sequence[Moment]) -> None:
    round_, entry = cell.known.facts.round, cell.entry
    title = Styled(f"{cell.tournament.name.capitalize()}, round {round_.number}, {entry.model.name}: ", "bold")
    title.append(entry.standing.value, MARKS[entry.standing][1])
    title.append(f": {entry.reason}" if entry.reason else "")
    print_text(title)
    columns = ["UTC", "since opening", "to deadline", "took", "what"]
    print_table(columns, [_line(moment, round_) for moment in moments])
    if row is not None and row.next_attempt_at is not None:
        click.echo(f"Next attempt: {row.next_attempt_at:%a %Y-%m-%d %H:%M:%S} UTC, {row.attempts} failed so far.")


def _line(moment: Moment, round_: Round) -> list[str | Styled]:
    what = Styled(moment.words, _colour(moment))
    if moment.decided:
        what.append(f"\n→ {moment.decided}")
    return [
        f"{moment.at:%a %d %H:%M:%S}",
        _signed(moment.at, round_.opens_at),
        _signed(moment.at, round_.deadline),
        f"{moment.lasted_s:,.1f} s" if moment.lasted_s is not None else "",
        what,
    ]


def _colour(moment: Moment) -> str:
    if moment.kind == TRY:
        return "yellow"
    try:
        return COLOURS.get(State(moment.state or ""), "")
    except ValueError:
        return "red" if moment.kind == "alarm" else ""


def _signed(at: datetime, origin: datetime) -> str:
    """Return "+0:12:03" or "-0:47:57", the time from an origin; days where there are any."""
    seconds = round((at - origin).total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    days = f"{hours // 24} d " if hours >= 48 else ""
    hours = hours % 24 if days else hours
    return f"{'-' if seconds < 0 else '+'}{days}{hours}:{rest // 60:02d}:{rest % 60:02d}"


def as_answer(cell: Cell, row: Submission | None, moments: Sequence[Moment]) -> Mapping[str, object]:
    """Return the documented JSON."""
    round_, entry = cell.known.facts.round, cell.entry
    again = row.next_attempt_at if row is not None else None
    submission = {**as_json(row), "next_attempt_at": again.isoformat() if again else None} if row else None
    return {
        "tournament": int(cell.tournament),
        "round": round_.number,
        "model": entry.model.name,
        "state": entry.standing.value,
        "reason": entry.reason,
        "opens_at": round_.opens_at.isoformat(),
        "deadline": round_.deadline.isoformat(),
        "submission": submission,
        "moments": [moment.as_json(round_) for moment in moments],
    }
