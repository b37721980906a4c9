"""`numebot practice`: a Numerai tournament on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import click
import platformdirs

from numebot.app import open_app
from numebot.cli.output import as_document, set_up_logging
from numebot.cli.sync import as_answer, show_report, sync_progress
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


@click.group(invoke_without_command=True)
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
@click.pass_context
def command(
    context: click.Context, /, folder: Path | None, ready_json: bool, until_eof: bool, **settings: object
) -> None:
    """Run a Numerai tournament on this machine, without an account.

    Rounds open and close, files are served, submissions are validated, scored and ranked: all of it made up, on
    127.0.0.1 only. Nothing leaves the machine. It remembers its rounds and submissions and goes on where it ended.

    It is a tournament of its own, in a folder of its own: `numebot run --practice` starts another one for itself and
    needs none of this. `numebot practice play` plays a season of that other one.
    """
    if context.invoked_subcommand is not None:
        return
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


@command.command(short_help="Play a season quickly and bring its results home.")
@click.option("--rounds", type=click.IntRange(1, 500), default=70, show_default=True, help="How many rounds to play.")
@click.option("--json", "wants_json", is_flag=True, help="Print the result as JSON on stdout.")
def play(*, rounds: int, wants_json: bool) -> int:
    """Play a season of the tournament that `numebot run --practice` plays, without waiting, and sync its results.

    The clock of that tournament is moved from round to round; scores come in, rounds become final, payouts are settled.
    What is uploaded are blurred example predictions under the names of your practice models, some late, some not at
    all. After it `status`, `sync` and all that shows results have something to show with --practice. It stays in the
    practice folder; [practice] scale = "tiny" takes well under a minute, and nothing can be learned from its data.

    
    --json prints an object:
      first_round, last_round   the numbers of the rounds that were played
      on_time, late, missed     how many submissions there were of each kind, over all models
      sync                      the last sync, as `numebot sync --json` prints it
    """
    from numebot.app.season import play_season  # pandas: not for a tournament that only runs

    with open_app(practice=True, say=_say) as app, sync_progress() as progress:
        set_up_logging(app)
        season = play_season(app, rounds, progress=progress)
    sync = as_answer(season.report)
    if wants_json:
        names = ("first_round", "last_round", "on_time", "late", "missed")
        click.echo(as_document({**{name: getattr(season, name) for name in names}, "sync": sync}))
    else:
        click.echo(
            f"Played rounds {season.first_round} to {season.last_round}: {season.on_time} submissions on time, "
            f"{season.late} late, {season.missed} left out on purpose. Round {season.last_round + 1} is open."
        )
        show_report(season.report)
    return 0 if season.report.is_done else 1


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
