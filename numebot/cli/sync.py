"""`numebot sync`: bring the results home."""

from __future__ import annotations

from collections.abc import Mapping

import click

from numebot.app import open_app
from numebot.cli.output import as_document, say, set_up_logging
from numebot.core.results import SyncReport
from numebot.core.types import Tournament
from numebot.results import sync_results


@click.command(short_help="Bring scores, payouts, submissions and the leaderboard home from Numerai.")
@click.option("--full", is_flag=True, help="Read everything that Numerai still has, not only what can have changed.")
@click.option("--practice", is_flag=True, help="Read the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(*, full: bool, practice: bool, wants_json: bool) -> int:
    """Bring home what is new: rounds, submissions, daily scores, payouts, and the leaderboard snapshot of the day.

    The parts are independent. One that fails is told and repeated by the next sync; it is safe to sync at any time, to
    interrupt it, and to do it again. Exit code 0: all parts landed. 1: one did not. 2: wrong use or configuration.
    """
    with open_app(practice=practice, say=say) as app:
        set_up_logging(app)
        tools = app.results_tools
        reports = []
        for tournament in app.settings.tournament.play:
            reports.append(sync_results(tools, tournament, full=full))
            if not wants_json:
                _show(reports[-1])
    if wants_json:
        answers = [as_answer(report) for report in reports]
        click.echo(as_document(answers[0] if len(answers) == 1 else answers))
    return 0 if all(report.is_done for report in reports) else 1


def as_answer(report: SyncReport) -> Mapping[str, object]:
    """Return a report for machines."""
    return {
        "tournament": report.tournament,
        "done": report.is_done,
        "parts": [
            {"part": part.part.value, "done": part.is_done, "read": part.read, "new": part.changed, "error": part.error}
            for part in report.parts
        ],
    }


def _show(report: SyncReport) -> None:
    name = Tournament(report.tournament).name.lower()
    for part in report.parts:
        counts = f"{part.read:,} rows read, {part.changed:,} new or changed"
        line = f"{name} {part.part.value}: {counts}"
        click.echo(line if part.error is None else f"{line}; not all of it: {part.error}")
