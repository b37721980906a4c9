"""`numebot models rollback`: another trained version plays from now on."""

from __future__ import annotations

import click

from numebot.app import open_app
from numebot.cli.output import say, set_up_logging
from numebot.core.account import choose
from numebot.core.errors import PluginError
from numebot.core.types import TrainedVersion


@click.command("rollback", short_help="Make an earlier trained version of a model current.")
@click.argument("name", metavar="NAME")
@click.option(
    "--to", "version", metavar="VERSION", default="", help="This one, also a later one; by default the previous."
)
@click.option("--practice", is_flag=True, help="A model of the practice tournament.")
def command(*, name: str, version: str, practice: bool) -> int:
    """Make the trained version before the current one the current one. No version is removed.

    Exit code 0: done. 1: there is no such version, or its files are not those that were trained.
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        (config,) = choose(app.registry.models, (name,))
        try:
            chosen = version or _version_of(app.artifacts.previous(config.name, config.tournament), name)
            trained = app.artifacts.mark(config.name, chosen, config.tournament)
        except PluginError as error:
            say(app.clean(str(error)))
            return 1
        corr = trained.metrics.get("corr_mean")
        told = "corr unknown" if corr is None else f"corr {corr:.4f}"
        click.echo(
            f"{name}: version {trained.version} is current ({told}, trained {trained.trained_at:%Y-%m-%d %H:%M})"
        )
    return 0


def _version_of(found: TrainedVersion | None, name: str) -> str:
    if found is None:
        raise PluginError(f"{name} has no version before the current one. Nothing was changed.")
    return found.version
