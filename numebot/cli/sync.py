"""`numebot sync`: bring the results home."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from numebot.app import open_app
from numebot.app.syncs import due_tournaments
from numebot.cli.output import as_document, say, set_up_logging
from numebot.core.results import SyncReport
from numebot.core.types import Tournament
from numebot.results import sync_results


@click.command(short_help="Bring scores, payouts, submissions and the leaderboards home from Numerai.")
@click.option("--full", is_flag=True, help="Read everything that Numerai still has, not only what can have changed.")
@click.option("--practice", is_flag=True, help="Read the practice tournament instead.")
@click.option("--scheduled", is_flag=True,
              help="For timers: only after a scoring, a payout, a failure, or on a new day.")  # fmt: skip
@click.option("--json", "wants_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(*, full: bool, practice: bool, scheduled: bool, wants_json: bool) -> int:
    """Bring home what is new: rounds, submissions, scores, payouts, the account, the leaderboards, the price of NMR.

    The parts are independent. One that fails is told and repeated by the next sync; it is safe to sync at any time, to
    interrupt it, and to do it again. Exit code 0: all parts landed. 1: one did not. 2: wrong use or configuration.

    \b
    --json prints an object, or a list of them where several tournaments are played:
      tournament   8 classic, 11 signals, 12 crypto
      done         true when every part landed
      skipped      with --scheduled: true when nothing new could be there; then parts is empty
      parts        in their order: part (its name), done, read (rows that came), new (rows that are new or have
                   changed), error (null, or what went wrong, in words)
    """
    with open_app(practice=practice, say=say) as app:
        set_up_logging(app)
        played = due_tournaments(app, say) if scheduled else app.settings.tournament.play
        reports = {}
        with sync_progress() as show:
            for tournament in played:
                reports[tournament] = sync_results(app.results_tools(show), tournament, full=full)
        if not wants_json:
            for report in reports.values():
                show_report(report)
        else:
            answers = [as_answer(reports.get(one) or SyncReport(one, ())) for one in app.settings.tournament.play]
            click.echo(as_document(answers[0] if len(answers) == 1 else answers))
    return 0 if all(report.is_done for report in reports.values()) else 1


def as_answer(report: SyncReport) -> Mapping[str, object]:
    """Return a report for machines; its fields are described in the command's help."""
    return {
        "tournament": int(report.tournament),
        "done": report.is_done,
        "skipped": not report.parts,
        "parts": [
            {"part": part.part.value, "done": part.is_done, "read": part.read, "new": part.changed, "error": part.error}
            for part in report.parts
        ],
    }


@contextmanager
def sync_progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield a function that draws how far the sync is, on a terminal; elsewhere it draws nothing."""
    if not sys.stderr.isatty():
        yield lambda part, done, of: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def show(part: str, done: int, of: int | None) -> None:
            bars.update(task, description=part, completed=done, total=of)

        yield show


def show_report(report: SyncReport) -> None:
    """Print a line per part."""
    name = Tournament(report.tournament).name.lower()
    for part in report.parts:
        counts = f"{part.read:,} rows read, {part.changed:,} new or changed"
        line = f"{name} {part.part.value}: {counts}"
        click.echo(line if part.error is None else f"{line}; not all of it: {part.error}")
