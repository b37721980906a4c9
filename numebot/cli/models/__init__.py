"""`numebot models`: the rows of model_configs.csv, and the plugin author's kit."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "list": "List the models, their code, and whether they are trained.",
    "new": "Write a plugin from a template, with its test and its row.",
    "check": "Check whether a plugin keeps the contract.",
    "enable": "Switch models on in model_configs.csv.",
    "disable": "Switch models off in model_configs.csv.",
    "rollback": "Make an earlier trained version of a model current.",
    "replay": "Predict past rounds again and compare with what was submitted.",
}
"""Command name → its one-line help; a test compares them with the commands'."""

_MODULES = {"list": "listing", "enable": "switch", "disable": "switch"}


class _Group(click.Group):
    """Imports a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"numebot.cli.models.{_MODULES.get(cmd_name, cmd_name)}")
        command = vars(module)["disable" if cmd_name == "disable" else "command"]
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Group, invoke_without_command=True, short_help="List, make, check, switch and replay models.")
@click.option("--practice", is_flag=True, help="List the models of the practice tournament.")
@click.option("--json", "wants_json", is_flag=True, help="Print the list as JSON on stdout.")
@click.pass_context
def command(ctx: click.Context, *, practice: bool, wants_json: bool) -> int:
    """List every row of model_configs.csv: its code, whether it is enabled and trained, and what is wrong with it.

    The commands make, check, switch and replay models. Exit code 0: no enabled row has a problem. 1: at least one has.
    """
    if ctx.invoked_subcommand is None:
        from numebot.cli.models.listing import list_models  # a command of the group may need none of it

        return list_models(practice=practice, wants_json=wants_json)
    if practice or wants_json:
        raise click.UsageError(f"write the options behind the command: numebot models {ctx.invoked_subcommand} ...")
    return 0
