"""`numebot scores`: how the models do, round by round."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence

import click

from numebot.app import open_app
from numebot.app.standings import DailyValues, Standings, read_standings
from numebot.cli.columns import print_lines, terminal_width
from numebot.cli.output import as_document, say, set_up_logging
from numebot.cli.score_answers import COLUMNS, as_answer, as_rows
from numebot.cli.score_tables import detail, overview
from numebot.cli.tournaments import tournament_option, wanted_tournaments
from numebot.core.scorecards import ModelScores
from numebot.core.types import Tournament


@click.command(short_help="Show how the models score, round by round.")
@click.argument("models", nargs=-1)
@click.option("--metric", help="Only this metric, with its daily values.")
@click.option(
    "--last", type=click.IntRange(min=1), help="The newest rounds. Default: the running and 20 resolved ones."
)
@tournament_option
@click.option("--practice", is_flag=True, help="Those of the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the answer as JSON on stdout.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print a line per model, round and metric as CSV on stdout.")
def command(
    *,
    models: Sequence[str],
    metric: str | None,
    last: int | None,
    tournament: str | None,
    practice: bool,
    wants_json: bool,
    wants_csv: bool,
) -> int:
    """Show the newest value of each metric: of MODELs round by round, otherwise one line per model.

    Running rounds and resolved ones stand apart; beside a value stands its percentile. A model may be named as it was
    called before. Asks no server: `numebot sync` brings the scores.

    \b
    --json, for each tournament (a list of several):
      tournament                    number in the API
      models[]                      by name
        name, model_id, listed      listed: the account still has it
        former_names[]
        rounds[]                    oldest first
          round, resolved           resolved: final
          scores[]                  metric, version, day, value, percentile;
                                    value is null while there are no returns
        means.resolved[]            metric, version, mean, rounds (with a value)
        means.running[]             the same
    """
    if wants_json and wants_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        tournaments = wanted_tournaments(app, tournament)
        found = read_standings(app.store.scores, tournaments, models, metric=metric, last=last)
    if wants_json:
        answers = [as_answer(number, cards) for number, cards in found.cards.items()]
        click.echo(as_document(answers[0] if len(answers) == 1 else answers))
    elif wants_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(row for number, cards in found.cards.items() for row in as_rows(number, cards))
    else:
        _show(found, is_detailed=bool(models), metric=metric)
    return 0


def _show(found: Standings, *, is_detailed: bool, metric: str | None) -> None:
    if not found.cards:
        say("No model is known yet. `numebot sync` brings the account's models and their scores home.")
    width = terminal_width()
    for number, cards in found.cards.items():
        title = Tournament(number).name.capitalize() + (f", {metric}" if metric else "")
        if is_detailed or len(cards) == 1:
            for card in cards:
                print_lines(detail(card, title=title, width=width, daily=_daily_of(found.daily, card)))
        else:
            print_lines(overview(cards, title=title, width=width))


def _daily_of(daily: DailyValues, card: ModelScores) -> DailyValues:
    return {key: values for key, values in daily.items() if key[0] == (card.model.tournament, card.model.id)}
