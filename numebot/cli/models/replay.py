"""`numebot models replay`: past rounds once more, compared with what was submitted."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from numebot.adapters.children import end_with_parent
from numebot.app import open_app
from numebot.cli.output import answers_only_on_stdout, as_document, say, set_up_logging
from numebot.cli.tables import Styled, print_table
from numebot.core.account import choose
from numebot.core.replay import Replayed, Verdict

COLOURS = {Verdict.SAME: "green", Verdict.DIFFERENT: "red", Verdict.SKIPPED: "yellow"}


@click.command("replay", short_help="Predict past rounds again and compare with what was submitted.")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--last", type=click.IntRange(1, 60), help="How many rounds: 3, and 1 with --changed.")
@click.option("--changed", is_flag=True, help="Every enabled model whose Python, libraries or plugin changed.")
@click.option("--practice", is_flag=True, help="In the practice tournament.")
@click.option("--json", "wants_json", is_flag=True, help="Print the rounds as JSON on stdout.")
def command(*, names: tuple[str, ...], last: int | None, changed: bool, practice: bool, wants_json: bool) -> int:
    """Run the last rounds of each NAME again, with the version that predicted then, from the files on this machine.

    Exit code 0: all is as it was. 1: a round came out differently. With --changed, which the daemon does by itself,
    a difference goes into the timeline once, and the exit code is 0.
    """
    if bool(names) == changed:
        raise click.UsageError("name one or more models, or say --changed.")
    last = last or (1 if changed else 3)
    end_with_parent(os.environ)
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        configs = choose(app.registry.models, names)
        with answers_only_on_stdout():
            if changed:
                rounds = app.replayer.replay_changed(configs, last=last)
            else:
                rounds = [one for config in configs for one in app.replayer.replay(config, last=last)]
    if wants_json:
        click.echo(as_document([_as_answer(one) for one in rounds]))
    elif rounds:
        print_table(["model", "round", "version", "", "rank corr", "max diff", "why"], [_row(one) for one in rounds])
    else:
        say("nothing changed since the last replay." if changed else "no round of these models is there to replay.")
    return 1 if not changed and any(one.verdict is Verdict.DIFFERENT for one in rounds) else 0


def _as_answer(one: Replayed) -> Mapping[str, object]:
    return {
        "model": one.model,
        "round": one.round_number,
        "trained_version": one.trained_version,
        "verdict": one.verdict.value,
        "rank_correlation": one.correlation,
        "max_difference": one.difference,
        "reason": one.reason or None,
    }


def _row(one: Replayed) -> list[str | Styled]:
    return [
        one.model,
        str(one.round_number),
        one.trained_version or "-",
        Styled(one.verdict.value, COLOURS[one.verdict]),
        "-" if one.correlation is None else f"{one.correlation:.6f}",
        "-" if one.difference is None else f"{one.difference:.6f}",
        one.reason,
    ]
