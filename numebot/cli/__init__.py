"""Entrance 1: the command line. A command parses, calls one function and prints.

Each command lives in a module of its own that is imported only when it is called, so `--help` needs none of the heavy
libraries; the one-line helps stand here for that reason (a test compares them with the commands').
Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong use or configuration.
"""

from __future__ import annotations

import gc
import importlib
import sys

import click

from numebot import __version__
from numebot.core.errors import ConfigError, NumebotError

COMMANDS = {
    "run": "Play the open round by hand: download, predict, check, upload, confirm.",
    "serve": "Run as a daemon: play every round as it opens, until told to stop.",
    "train": "Train a model and keep it as its newest version.",
    "evaluate": "Measure trained models era by era on validation data, with a report.",
    "sweep": "Try parameters of a model, and train the best.",
    "models": "List, make, check, switch and replay models.",
    "status": "Show the newest round and where each model stands.",
    "sync": "Bring scores, payouts, submissions and the leaderboards home from Numerai.",
    "scores": "Show how the models score, round by round.",
    "export": "Write a table of the database to a CSV or parquet file.",
    "ledger": "Show which rounds each model was on-time in, and what was missed and why.",
    "rounds": "Show the rounds: opening, deadline, how many of ours are on-time, payout factor.",
    "why": "Show what happened to a model in a round, and why.",
    "leaderboard": "Show where the models stand on the leaderboard, and how that changed.",
    "payouts": "Show what the models earned, and what the running rounds are expected to pay.",
    "compare": "Say whether model A is better than model B, or not yet distinguishable.",
    "doctor": "Look for what keeps rounds from being played, and say what to do.",
    "db": "Upgrade, check, back up and restore the database, tidy up the data folder.",
    "import": "Take over models and results from elsewhere.",
    "config": "Show the settings in effect and where each value comes from.",
    "practice": "Run a Numerai tournament on this machine, without an account.",
}
"""Command name → its one-line help. The module numebot.cli.<name> holds the command as `command`."""
GARBAGE_AFTER = 50_000
"""New objects that may come together before Python looks which of them are garbage; its own figure is 700."""
MODULES = {"import": "import_"}
"""Commands whose name is a word of Python, and their modules."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a user's day, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"numebot.cli.{MODULES.get(cmd_name, cmd_name)}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"numebot.cli.{cmd_name}.command is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="numebot")
def cli() -> None:
    """Play the Numerai tournament from this machine, unattended.

    round → data → predictions → checks → submission → scores

    New here? `numebot run --practice` plays a whole round against a tournament on this machine: no account needed,
    nothing leaves it.
    """


def main() -> None:
    """Run the command line and turn our errors into words and exit codes."""
    # What is loaded stays; looking through it for garbage again and again would be a tenth of a quick command's time.
    gc.set_threshold(GARBAGE_AFTER)
    try:
        code = cli(standalone_mode=False)
    except click.exceptions.Abort:
        _say("Interrupted. Nothing is lost: run the same command again.")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except ConfigError as error:
        _say(str(error))
        sys.exit(2)
    except NumebotError as error:
        _say(str(error))
        sys.exit(1)
    except OSError as error:
        # Files have their own words; what is left are the outputs: a full disk behind a redirection, a closed pipe.
        _say(f"{error.filename or 'the answer could not be written'}: {error.strerror or error}.")
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _say(message: str) -> None:
    click.echo(click.style("numebot: ", fg="red", bold=True) + message, err=True)
