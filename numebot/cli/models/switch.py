"""`numebot models enable` and `disable`: the enabled column of model_configs.csv."""

from __future__ import annotations

import click

from numebot.app import open_app
from numebot.cli.output import say, set_up_logging
from numebot.kit.switching import switch

NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME...")
PRACTICE = click.option("--practice", is_flag=True, help="In the table of the practice tournament.")


@click.command("enable", short_help="Switch models on in model_configs.csv.")
@NAMES
@PRACTICE
def command(*, names: tuple[str, ...], practice: bool) -> int:
    """Write that each NAME is enabled. Nothing else in model_configs.csv changes, not even a blank."""
    return _switch(names, wish=True, practice=practice)


@click.command("disable", short_help="Switch models off in model_configs.csv.")
@NAMES
@PRACTICE
def disable(*, names: tuple[str, ...], practice: bool) -> int:
    """Write that each NAME is not enabled. Nothing else in model_configs.csv changes, not even a blank."""
    return _switch(names, wish=False, practice=practice)


def _switch(names: tuple[str, ...], *, wish: bool, practice: bool) -> int:
    word = "enabled" if wish else "disabled"
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        changed = {row.line for row in switch(app.settings.paths.model_configs, app.registry.models, names, wish=wish)}
        for config in app.registry.models:
            if config.name in names:
                click.echo(f"{config.name}: {word if config.line in changed else f'was {word} already'}")
            if config.name in names and wish and config.problem:
                say(config.problem)
    return 0
