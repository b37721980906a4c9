"""`numebot db`: the database and the files around it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from numebot.adapters.children import end_with_parent
from numebot.adapters.housekeeping import backup_path
from numebot.app import open_app
from numebot.app.pruning import prune_data_folder
from numebot.cli.output import say, set_up_logging

PRACTICE = click.option("--practice", is_flag=True, help="That of the practice tournament instead.")


@click.group(short_help="Upgrade, check, back up and restore the database, tidy up the data folder.")
def command() -> None:
    """Look after the database and the data folder. The daemon does backup and prune once a day by itself."""


@command.command()
@PRACTICE
def upgrade(*, practice: bool) -> int:
    """Bring the database to the form of this numebot, after a backup. Every command does that when it opens it."""
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        before, now = app.store.opened_at_schema, app.store.schema
        told = "new" if before is None else "up to date" if before == now else f"upgraded from schema {before}"
        click.echo(f"{app.store.place}: schema {now}, {told}")
        return 0


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
            say(f"{app.store.place}: damaged.{app.what_to_restore()}")
            return 1
        click.echo(f"{app.store.place}: whole")
        return 0


@command.command()
@click.argument("destination", required=False, type=click.Path(dir_okay=False, path_type=Path))
@PRACTICE
def backup(destination: Path | None, *, practice: bool) -> int:
    """Write a consistent copy of the database to DESTINATION, by default into backups/ of the data folder.

    The daemon may be at work meanwhile. A PostgreSQL is copied by pg_dump, if that is here.
    """
    end_with_parent(os.environ)
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        named = backup_path(app.data_folder, app.clock.now()).with_suffix(app.store.backup_suffix)
        path = destination or named
        app.store.backup(path)
        click.echo(f"{path}: {path.stat().st_size:,} bytes, checked")
        return 0


@command.command()
@click.argument("backup", required=False, type=click.Path(dir_okay=False, path_type=Path))
@PRACTICE
def restore(backup: Path | None, *, practice: bool) -> int:
    """Put BACKUP in the place of the database, by default the newest one that is whole.

    It is checked first, and what it replaces stays beside it. Stop the daemon before; nothing is done while any numebot
    is at work. What Numerai confirmed since then is taken over from there by the next pass.
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        chosen, kept = app.restore(backup)
        problems = app.store.problems()  # opened, so that an older schema is upgraded here and now
        click.echo(f"{app.store.place}: restored from {chosen}, schema {app.store.schema}, checked")
        if kept.exists():
            click.echo(f"What it replaced is now {kept}")
        return 1 if problems else 0


@command.command()
@PRACTICE
def prune(*, practice: bool) -> int:
    """Remove files of rounds that are long over, leftovers and old backups, as [housekeeping] in the settings says.

    With disk_budget_gb also what else is old, until the data folder is within it. Results, the database, and what the
    newest rounds and the models need stay. Nothing is done while a round is being played.
    """
    end_with_parent(os.environ)
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        with app.at_work("prune"):
            done = prune_data_folder(app)
        click.echo(f"{app.data_folder}: {done.files:,} files removed, {done.freed_bytes:,} bytes freed")
        if done.excess_bytes > 0:
            say(f"{app.data_folder}: {done.excess_bytes:,} bytes above disk_budget_gb; all that is left is needed.")
        return 0
