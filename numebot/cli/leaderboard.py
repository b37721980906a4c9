"""`numebot leaderboard`: where our models stand, and how that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import click

from numebot.app import App, open_app
from numebot.cli.columns import EMPTY, Cell, aligned, print_lines, signed, terminal_width
from numebot.cli.output import as_document, say, set_up_logging
from numebot.cli.tournaments import tournament_option, wanted_tournaments
from numebot.core.errors import ConfigError
from numebot.core.results import Leaderboard, LeaderboardRow
from numebot.core.scorecards import sparkline
from numebot.core.standings import OwnStanding, neighbours, own_standings
from numebot.core.types import Tournament

HISTORY = timedelta(days=90)
"""How far back ranks are read."""
TREND_WIDTH = 30
"""Snapshots that a trend shows at most."""


@click.command(short_help="Show where the models stand on the leaderboard, and how that changed.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The snapshot of this UTC day. Default: the newest.")
@click.option("--top", type=click.IntRange(min=0), default=5, show_default=True, help="How many of the best to show.")
@tournament_option
@click.option("--practice", is_flag=True, help="Show the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the answer as JSON on stdout.")
def command(*, day: datetime | None, top: int, tournament: str | None, practice: bool, wants_json: bool) -> int:
    """Show our models with their ranks, their neighbours and the top, from the snapshots in the store. Asks no server.

    Changes are ranks won (+) or lost (-) since the snapshot before, and since the one of about 30 days before.

    \b
    --json prints tournament, day, taken_at, size (lines of the whole board; the fields before are null without a
    snapshot) and
    models [{name, id, rank, staked, change, since, change_30_days, since_30_days, figures, ranks}], best rank first;
      rank is null for a model that the board does not have; ranks is [{"day", "rank"}] of 90 days, oldest first
    neighbours and top: [{rank, name, own, staked, figures}], by rank.
    Amounts are decimal texts in NMR; figures are the board's own numbers by the API's names.
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        wanted = day.date() if day else None
        answers = []
        for played, board in _snapshots(app, wanted_tournaments(app, tournament), wanted).items():
            standings = _standings(app, played, board) if board else []
            if wants_json:
                answers.append(_as_answer(played, board, standings, top))
            elif board is None:
                click.echo(_missing_words(app, played, wanted))
            else:
                _show(played, board, standings, top)
    if wants_json:
        click.echo(as_document(answers[0] if len(answers) == 1 else answers))
    return 0


def _snapshots(
    app: App, tournaments: Sequence[Tournament], day: date | None
) -> Mapping[Tournament, Leaderboard | None]:
    """Return the snapshots of a day. Raises: ConfigError when no tournament has one of the day that was named."""
    found = {tournament: app.store.boards.snapshot(tournament, day) for tournament in tournaments}
    if day is not None and not any(found.values()):
        raise ConfigError("\n".join(_missing_words(app, tournament, day) for tournament in tournaments))
    today = app.clock.now().date()
    for board in found.values():
        if board is not None and board.day > today:
            say(
                f"{Tournament(board.tournament).name.capitalize()}: the snapshot is of {board.day}, but by the clock "
                f"of this machine it is {today}. Check the clock: until then no other snapshot is kept."
            )
    return found


def _missing_words(app: App, tournament: Tournament, day: date | None) -> str:
    name = tournament.name.capitalize()
    if day is None:
        return f"{name}: no snapshot of the leaderboard is here yet. `numebot sync` takes one a day."
    nearest = " and ".join(one.isoformat() for one in app.store.boards.nearest_days(tournament, day))
    return f"{name}: there is no snapshot of {day}. The nearest ones: {nearest or 'none at all'}."


def _standings(app: App, tournament: Tournament, board: Leaderboard) -> Sequence[OwnStanding]:
    ranks = app.store.boards.ranks(tournament, since=board.day - HISTORY, until=board.day)
    return own_standings(board, app.store.boards.models(tournament), ranks)


def _as_answer(
    tournament: Tournament, board: Leaderboard | None, standings: Sequence[OwnStanding], top: int
) -> Mapping[str, object]:
    return {
        "tournament": int(tournament),
        "day": board.day.isoformat() if board else None,
        "taken_at": board.taken_at.isoformat() if board else None,
        "size": board.size if board else None,
        "models": [_standing_answer(one) for one in standings],
        "neighbours": [_line_answer(row) for row in neighbours(board)] if board else [],
        "top": [_line_answer(row) for row in board.rows if row.rank <= top] if board else [],
    }


def _standing_answer(one: OwnStanding) -> Mapping[str, object]:
    row = one.row
    return {
        "name": one.model.name,
        "id": one.model.id,
        "rank": row.rank if row else None,
        "staked": _amount(row),
        "change": one.change,
        "since": one.since.isoformat() if one.since else None,
        "change_30_days": one.month_change,
        "since_30_days": one.month_since.isoformat() if one.month_since else None,
        "figures": dict(row.figures) if row else {},
        "ranks": [{"day": point.day.isoformat(), "rank": point.rank} for point in one.ranks],
    }


def _line_answer(row: LeaderboardRow) -> Mapping[str, object]:
    return {
        "rank": row.rank,
        "name": row.model,
        "own": row.is_own,
        "staked": _amount(row),
        "figures": dict(row.figures),
    }


def _amount(row: LeaderboardRow | None) -> str | None:
    return None if row is None or row.staked is None else format(row.staked, "f")


def _show(tournament: Tournament, board: Leaderboard, standings: Sequence[OwnStanding], top: int) -> None:
    figures = sorted({name for row in board.rows for name, value in row.figures.items() if value is not None})
    head = ["rank", "model", "won", "since", "in 30 days", "ranks, up is better", "staked", *figures]
    _print(f"{tournament.name.capitalize()}, snapshot of {board.day}, {board.size:,} models", head,
           [_own_cells(one, figures) for one in standings])  # fmt: skip
    if not standings:
        click.echo("None of our models is known yet. `numebot sync` reads the account.")
    others = [("Neighbours", neighbours(board)), (f"Top {top}", [row for row in board.rows if row.rank <= top])]
    for title, rows in others:
        if rows:
            _print(title, ["rank", "model", "", "staked", *figures], [_cells(row, figures) for row in rows])


def _print(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    print_lines([title, "", *aligned(head, rows, keep=2, width=terminal_width()), ""])


def _own_cells(one: OwnStanding, figures: Sequence[str]) -> list[Cell]:
    trend = Cell(sparkline([-point.rank for point in one.ranks], width=TREND_WIDTH))
    if one.row is None:
        return [Cell("·", is_right=True), Cell(one.model.name), EMPTY, Cell("not on this board"), EMPTY, trend, EMPTY,
                *(EMPTY for _ in figures)]  # fmt: skip
    rank, name, _, *rest = _cells(one.row, figures)
    since = Cell(one.since.isoformat() if one.since else "")
    return [rank, name, signed(one.change, digits=0), since, signed(one.month_change, digits=0), trend, *rest]


def _cells(row: LeaderboardRow, figures: Sequence[str]) -> list[Cell]:
    staked = Cell("·" if row.staked is None else f"{row.staked:.2f}", is_right=True)
    values = [signed(row.figures.get(figure)) for figure in figures]
    return [Cell(f"{row.rank:,}", is_right=True), Cell(row.model), Cell("ours" if row.is_own else ""), staked, *values]
