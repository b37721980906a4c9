"""`numebot db`: the database and the files around it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from numebot.adapters.children import end_with_parent
from numebot.adapters.housekeeping import backup_path, tidy
from numebot.app import open_app
from numebot.cli.output import say, set_up_logging

PRACTICE = click.option("--practice", is_flag=True, help="That of the practice tournament instead.")


@click.group(short_help="Check and back up the database, tidy up the data folder.")
def command() -> None:
    """Look after the database and the data folder. The daemon does backup and prune once a day by itself."""


@command.command()
@PRACTICE
def check(*, practice: bool) -> int:
    """Let the database check itself from end to end. Exit code 0: it is whole. 1: it is not."""
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        problems = app.store.problems()
        for problem in problems:
            say(problem)
        if problems:
            say(f"{app.store.place}: damaged. Stop numebot, move the file away and put the newest backup in its place.")
            return 1
        click.echo(f"{app.store.place}: whole")
        return 0


@command.command()
@click.argument("destination", required=False, type=click.Path(dir_okay=False, path_type=Path))
@PRACTICE
def backup(destination: Path | None, *, practice: bool) -> int:
    """Write a consistent copy of the database to DESTINATION, by default into backups/ of the data folder.

    The daemon may be at work meanwhile. To restore: stop numebot, copy the backup over numebot.db, start it again.
    """
    end_with_parent(os.environ)
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        path = destination or backup_path(app.data_folder, app.clock.now())
        app.store.backup(path)
        click.echo(f"{path}: {path.stat().st_size:,} bytes, checked")
        return 0


@command.command()
@PRACTICE
def prune(*, practice: bool) -> int:
    """Remove files of rounds that are long over, leftovers and old backups, as [daemon] in the settings says.

    Results, trained models and the database stay.
    """
    end_with_parent(os.environ)
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        keep = app.settings.daemon
        newest = max((r.number for t in app.settings.tournament.play if (r := app.store.newest_round(t))), default=0)
        with app.at_work("prune"):
            done = tidy(
                app.data_folder,
                newest_round=newest,
                keep_rounds=keep.keep_rounds,
                keep_backups=keep.keep_backups,
                now=app.clock.now(),
            )
        click.echo(f"{app.data_folder}: {done.files:,} files removed, {done.freed_bytes:,} bytes freed")
        return 0
