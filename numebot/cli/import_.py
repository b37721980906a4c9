"""`numebot import`: models and results from elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from numebot.app import App, open_app
from numebot.cli.output import set_up_logging
from numebot.importing.node import import_node
from numebot.importing.original import import_original, look_at
from numebot.importing.pickles import import_pickle
from numebot.importing.rows import Place

PRACTICE = click.option("--practice", is_flag=True, help="Into the practice tournament.")


@click.group(short_help="Take over models and results from elsewhere.")
def command() -> None:
    """Take over what you have already. What it comes from is only read; new rows are off until you enable them."""


@command.command("pickle")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", required=True, help="The Numerai model that it becomes.")
@click.option("--python", default="", help="The Python that wrote it, e.g. 3.12, where you know it.")
@PRACTICE
def pickle_(file: Path, *, model: str, python: str, practice: bool) -> int:
    """Take over a pickle made for Numerai's Model Upload: copy it, pin its sha256, add its row.

    It is read as data and not run. Exit code 0: it can run here. 1: the row is there, and something keeps it from that.
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        done = import_pickle(file, model, place=place_of(app), registry=app.registry, python=python)
    click.echo(f"{model}: {done.path}, sha256 {done.sha256}")
    click.echo("Its row is new and off: set enabled to True." if done.is_new else "Its row was there.", err=True)
    click.echo("Numerai refuses uploads while a pickle is assigned to the model: unassign it there first.", err=True)
    for problem in done.problems:
        click.echo(problem, err=True)
    return 1 if done.problems else 0


@command.command("numebot")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--data-folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="If .env is wrong.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@PRACTICE
def original(path: Path, *, data_folder: Path | None, dry_run: bool, practice: bool) -> int:
    """Take over the original numebot from its folder PATH: key, models, scores, statuses, old predictions.

    Nothing is written there, and doing it again changes nothing. Each model has to be trained anew: its old file knows
    features that are no more. Exit code 0: done, whatever was not understood.
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        report = import_original(
            look_at(path.resolve(), data_folder),
            place=place_of(app),
            registry=app.registry,
            store=app.store,
            has_key=app.has_key,
            dry_run=dry_run,
        )
        parts = {"imported": report.imported, "to be trained again": report.retrain, "left": report.not_understood}
        for title, lines in parts.items():
            click.echo(f"{title}{' (dry run, nothing was done)' if dry_run else ''}:")
            for line in lines or ["nothing"]:
                click.echo(f"  {app.clean(line)}")
    return 0


@command.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", required=True, help="The Numerai model that it becomes.")
@click.option("--model-id", default="", help="Which one it is, where the node predicts for several.")
@click.option("--python", default="", help="The Python to run it with, e.g. /usr/bin/python3.12.")
@PRACTICE
def node(path: Path, *, model: str, model_id: str, python: str, practice: bool) -> int:
    """Take over a node folder of numerai-cli: an environment with its requirements, and a row.

    The folder stays as it is and is used from where it lies. pip fetches the requirements from the internet.
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        done = import_node(
            path.resolve(), model, place=place_of(app), registry=app.registry, model_id=model_id, python=python
        )
    click.echo(f"{model}: {path} with {done.python}")
    click.echo("Its row is new and off: set enabled to True." if done.is_new else "Its row was there.", err=True)
    click.echo("Remove the model's webhook on numer.ai, or the node in the cloud submits as well.", err=True)
    return 0


def place_of(app: App) -> Place:
    """Return where an app keeps what an import adds."""
    settings = app.settings
    return Place(settings.paths.model_configs, app.loaded.home, app.data_folder, settings.models.plugins_folder)
