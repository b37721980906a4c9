"""`numebot practice`: a Numerai tournament on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import click
import platformdirs

from numebot.practice.first_day import MAKING_TAKES
from numebot.practice.guide import guide
from numebot.practice.options import PracticeOptions
from numebot.practice.process import PracticeAddress, ready_line
from numebot.practice.server import SCALES, PracticeServer

DEFAULT_PORT = 8812


def default_folder() -> Path:
    """Return where this tournament is kept when no folder is named.

    Never where real results lie, and beside the one that `numebot run --practice` starts for itself: both can run.
    """
    return platformdirs.user_data_path("numebot") / "practice" / "standalone"


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name for part in (value or "").split(",") if (name := part.strip()))


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any free one.")
@click.option("--seed", type=int, default=1, show_default=True, help="Other numbers make other data.")
@click.option(
    "--window",
    "window_minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="Minutes a round takes on-time submissions.",
)
@click.option(
    "--period",
    "period_minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=1440,
    show_default=True,
    help="Minutes from one round to the next.",
)
@click.option(
    "--open-late",
    "open_late_minutes",
    type=click.FloatRange(min=0),
    default=0,
    show_default=True,
    help="Minutes that a round opens behind its hour; the deadline slides along.",
)
@click.option(
    "--open-now", "opens_now", is_flag=True, help="Open the next round at once, unless one has time left to be played."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1,
    show_default=True,
    help="Practice seconds per real second.",
)
@click.option(
    "--validation-delay",
    "validation_delay_s",
    type=click.FloatRange(min=0),
    default=1,
    show_default=True,
    help="Practice seconds until a submission is validated.",
)
@click.option(
    "--faults", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file of what shall go wrong."
)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with real parquet files to serve instead of made-up ones.",
)
@click.option(
    "--scale",
    type=click.Choice(sorted(SCALES)),
    default="small",
    show_default=True,
    help="Size of the made-up data: full is the real one, gigabytes; tiny is for tests.",
)
@click.option("--models", callback=_names, metavar="A,B,…", help="Names of the Classic models in the account.")
@click.option("--rate-limits", "has_rate_limits", is_flag=True, help="Have Numerai's limits of requests a minute.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where rounds, uploads and data are kept; one tournament at a time. "
    "Default: practice/standalone in numebot's user data.",
)
@click.option(
    "--market",
    "market_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where made-up data are kept; several tournaments can share it. Default: in the folder.",
)
@click.option("--ready-json", is_flag=True, help="Print address and keys as one JSON line when ready.")
@click.option("--until-eof", is_flag=True, hidden=True, help="End when standard input ends.")
def command(folder: Path | None, ready_json: bool, until_eof: bool, **settings: object) -> None:
    """Run a Numerai tournament on this machine, without an account.

    Rounds open and close, files are served, submissions are validated, scored and ranked: all of it made up, on
    127.0.0.1 only. Nothing leaves the machine. It remembers its rounds and submissions and goes on where it ended.

    It is a tournament of its own, in a folder of its own: `numebot run --practice` starts another one for itself and
    needs none of this.
    """
    options = PracticeOptions(
        folder=folder or default_folder(),
        makes_files_first=True,
        **settings,  # type: ignore[arg-type]  # click has checked each
    )
    _say(f"numebot practice: in {options.folder}, nothing leaves this machine.")
    if options.data is None:
        takes = MAKING_TAKES[options.scale]
        _say(f"Starting; data that are not there yet are made first (scale {options.scale}: {takes}) …")
    # An early end must also work while the data are made; shells start background jobs with SIGINT ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    if until_eof:
        threading.Thread(target=_end_with_input, daemon=True).start()
    with PracticeServer(options, say=_say) as server:
        try:
            _serve(server, ready_json=ready_json)
        except KeyboardInterrupt:
            _say("Ending …")
    _say("The practice tournament has ended. Start it again and it goes on where it stopped.")


def _serve(server: PracticeServer, *, ready_json: bool) -> None:
    _say("\n" + guide(server.world, server.url) + "\nCtrl-C ends it.")
    if ready_json:
        click.echo(ready_line(PracticeAddress(server.url, server.public_id, server.secret_key)))
    threading.Event().wait()


def _say(text: str) -> None:
    click.echo(text, err=True)


def _end_with_input() -> None:
    # os.read and not sys.stdin.read: a buffered read keeps a lock that Python's own end would trip over
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
