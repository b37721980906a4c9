"""`numebot compare`: is one model better than another, or is it chance?"""

from __future__ import annotations

from collections.abc import Mapping

import click

from numebot.app import open_app
from numebot.app.comparing import Match, compare_models
from numebot.cli.columns import Cell, aligned, print_lines, signed, terminal_width
from numebot.cli.output import as_document, set_up_logging
from numebot.cli.tournaments import tournament_option, wanted_tournaments
from numebot.core.scorecards import sparkline
from numebot.core.statistics import Comparison, Interval, Verdict

TREND_WIDTH = 30
"""Rounds that a trend shows at most."""


@click.command(short_help="Say whether model A is better than model B, or not yet distinguishable.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--metric", help="Default: season_score where both have it, else the metric that pays most.")
@click.option("--last", type=click.IntRange(min=2), help="Only the newest N common rounds. Default: all.")
@click.option("--running", is_flag=True, help="Count rounds that are not final, too, with their newest scores.")
@tournament_option
@click.option("--practice", is_flag=True, help="Look at the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the answer as JSON on stdout.")
def command(
    *,
    first: str,
    second: str,
    metric: str | None,
    last: int | None,
    running: bool,
    tournament: str | None,
    practice: bool,
    wants_json: bool,
) -> int:
    """Say whether model A is better than model B by the rounds that both have played. Asks no server.

    Rounds overlap: 64 that open day by day and last for sixty are worth about two. The interval of the difference
    takes that into account. "better" and "worse" mean that all of it lies on one side of zero. Otherwise it is said
    how many more rounds would show the difference with a chance of 80 %, if it stays what it is.

    \b
    --json prints tournament, metric, a, b, rounds, first_round, last_round, independent_rounds (how many rounds
    without overlap would tell as much), running (rounds that are not final), left_out (rounds whose times are not
    known), confidence, mean_a and mean_b and difference (each {"mean", "low", "high"}; low and high are null where too
    little is known), verdict (better, worse, not yet distinguishable), more_rounds (null: decided, or none in sight),
    pairs [{"round", "a", "b", "final"}].
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        match = compare_models(
            app.store, wanted_tournaments(app, tournament), first, second, metric=metric, last=last, running=running
        )
    if wants_json:
        click.echo(as_document(as_answer(match)))
    else:
        _show(match, running=running)
    return 0


def as_answer(match: Match) -> Mapping[str, object]:
    """Return a comparison for machines; the fields are documented in the command's help."""
    rows, result = match.pairs.rows, match.comparison
    means = match.means or (None, None)
    return {
        "tournament": match.first.tournament,
        "metric": match.metric,
        "a": match.first.name,
        "b": match.second.name,
        "rounds": len(rows),
        "first_round": rows[0].round_number if rows else None,
        "last_round": rows[-1].round_number if rows else None,
        "independent_rounds": result.difference.independent if result else 0.0,
        "running": sum(not pair.is_final for pair in rows),
        "left_out": match.pairs.undated,
        "confidence": result.difference.confidence if result else None,
        "mean_a": _interval_answer(means[0]),
        "mean_b": _interval_answer(means[1]),
        "difference": _interval_answer(result.difference if result else None),
        "verdict": (result.verdict if result else Verdict.UNDECIDED).value,
        "more_rounds": result.more_rounds if result else None,
        "pairs": [
            {"round": pair.round_number, "a": pair.first, "b": pair.second, "final": pair.is_final} for pair in rows
        ],
    }


def _interval_answer(interval: Interval | None) -> Mapping[str, float | None] | None:
    return None if interval is None else {"mean": interval.mean, "low": interval.low, "high": interval.high}


def _show(match: Match, *, running: bool) -> None:
    pairs, result = match.pairs.rows, match.comparison
    if result is None or match.means is None:
        hint = "" if running else " With --running those that are not final count, too."
        click.echo(f"{match.first.name} and {match.second.name} have no common round with {match.metric} yet.{hint}")
        return
    difference = result.difference
    title = (
        f"{match.first.name} and {match.second.name}, {match.metric}: {len(pairs)} common rounds, "
        f"{pairs[0].round_number} to {pairs[-1].round_number}, worth about {difference.independent:.1f} without overlap"
    )
    lines = [
        (match.first.name, match.means[0], [pair.first for pair in pairs]),
        (match.second.name, match.means[1], [pair.second for pair in pairs]),
        ("difference", difference, [pair.difference for pair in pairs]),
    ]
    head = ["", "mean", f"{difference.confidence:.0%} interval from", "to", "by round, oldest first"]
    rows = [
        [Cell(name), signed(one.mean), _end(one.low), _end(one.high), Cell(sparkline(each, width=TREND_WIDTH))]
        for name, one, each in lines
    ]
    print_lines([title, "", *aligned(head, rows, width=terminal_width()), ""])
    if match.pairs.undated:
        click.echo(f"{match.pairs.undated} rounds are left out: their times are not here. `numebot sync --full` helps.")
    click.echo(f"{match.first.name} is {_words(result)}")


def _end(value: float | None) -> Cell:
    return Cell("not known", is_right=True) if value is None else Cell(f"{value:+.4f}", is_right=True)


def _words(result: Comparison) -> str:
    if result.verdict is not Verdict.UNDECIDED:
        return f"{result.verdict.value}."
    if result.more_rounds is not None:
        return f"{result.verdict.value}: about {result.more_rounds} more rounds, if the difference stays what it is."
    if result.difference.low is None:
        return f"{result.verdict.value}: too few rounds, or equal scores."
    return f"{result.verdict.value}: a difference so small shows in no number of rounds that one could wait for."
