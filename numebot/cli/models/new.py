"""`numebot models new`: a plugin from a template."""

from __future__ import annotations

import click

from numebot.adapters.plugin_files.kinds import KINDS
from numebot.app import open_app
from numebot.cli.output import say, set_up_logging


@click.command("new", short_help="Write a plugin from a template, with its test and its row.")
@click.argument("name")
@click.option("--from", "kind", type=click.Choice(list(KINDS)), default="sklearn", show_default=True,
              help="What to begin with.")  # fmt: skip
@click.option("--practice", is_flag=True, help="Write the row for the practice tournament.")
def command(*, name: str, kind: str, practice: bool) -> int:
    """Write a plugin for the Numerai model NAME: its file, a test that passes, and its row in model_configs.csv.

    The file goes into the private folder of plugins where the settings name one, else into models/. The row is not
    enabled: train the model first, where it learns. Nothing is ever overwritten.
    """
    from numebot.kit.making import make_plugin  # loads pandas

    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        new = make_plugin(
            name,
            kind,
            known=app.registry.models if app.settings.paths.model_configs.exists() else (),
            configs=app.settings.paths.model_configs,
            home=app.loaded.home,
            plugins_folder=app.settings.models.plugins_folder,
        )
        click.echo(new.path)
        click.echo(new.test_path)
        flag = " --practice" if practice else ""
        say(f"{name} has a row in {app.settings.paths.model_configs}; it is not enabled yet. Next:")
        for step in ("models check", "train", "models enable"):
            if step != "train" or KINDS[kind].learns:
                say(f"  numebot {step} {name}{flag}")
    return 0
