"""`numebot run`: one pass by hand. Reads the options; what it does is in playing.py, which takes its time to load."""

from __future__ import annotations

import os

import click

from numebot.adapters.children import end_with_parent
from numebot.adapters.runner.nursery import shared_nursery


@click.command(short_help="Play the open round by hand: download, predict, check, upload, confirm.")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--practice", is_flag=True, help="Play on this machine alone: no account, nothing leaves it.")
@click.option("--dry-run", is_flag=True, help="Do everything but the upload; each line that would leave says so.")
@click.option("--force", is_flag=True, help="Make a new submission even where one is confirmed or rejected.")
@click.option("--wait", "wait_s", type=click.FloatRange(min=0), default=0, metavar="SECONDS",
              help="Wait so long for another numebot to end that is at work.")  # fmt: skip
@click.option("--scheduled", is_flag=True,
              help="For timers: only what is due, only rounds of [schedule] play, no table at the end.")  # fmt: skip
@click.option("--will-predict", is_flag=True, hidden=True)
@click.option("--json", "wants_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(
    *,
    models: tuple[str, ...],
    practice: bool,
    dry_run: bool,
    force: bool,
    wait_s: float,
    scheduled: bool,
    will_predict: bool,
    wants_json: bool,
) -> int:
    """Bring every enabled model (or just the MODELs named) of the open round to "confirmed".

    Exit code 0: all of them are confirmed, or no round is open. 1: something is not confirmed. 2: wrong use or
    configuration.
    """
    end_with_parent(os.environ)
    if will_predict:
        # The daemon has looked already: the plugins' libraries load on one core while ours do on another.
        shared_nursery().warm_up()
    from numebot.cli.playing import play

    return play(
        models,
        practice=practice,
        dry_run=dry_run,
        force=force,
        wait_s=wait_s,
        scheduled=scheduled,
        wants_json=wants_json,
    )
