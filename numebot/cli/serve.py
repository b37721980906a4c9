"""`numebot serve`: the daemon."""

from __future__ import annotations

import os

import click

from numebot.adapters.children import kill_family
from numebot.adapters.lease import DAEMON_LOCK, lease
from numebot.adapters.process_guard import Guard
from numebot.adapters.systemd import Notifier
from numebot.app import open_app
from numebot.app.daemon import child_environ, openings, wake_ups
from numebot.cli.output import say, set_up_logging
from numebot.daemon import Daemon
from numebot.wakeups import WakeUps

STOP_MARGIN_S = 2.0
"""What the way out may take beside the grace of a pass: 18 s in all at the most, and systemd waits for 20."""


@click.command(short_help="Run as a daemon: play every round as it opens, until told to stop.")
@click.option("--practice", is_flag=True, help="Play on this machine alone: no account, nothing leaves it.")
def command(*, practice: bool) -> int:
    """Look for open rounds, and bring every enabled model of each to "confirmed", until SIGTERM or Ctrl-C.

    SIGUSR1 makes it look at once. `numebot status` shows what it does. Exit code 0: it was told to stop. 1: it gave up
    and wants to be started anew (systemd does that). 2: wrong configuration.
    """
    notifier = Notifier.from_environment(os.environ)
    with open_app(practice=practice, say=say) as app:
        set_up_logging(app)
        with lease(app.data_folder, "serve", app.clock, name=DAEMON_LOCK):
            limits = app.settings.daemon
            stop_limit_s = limits.stop_seconds + STOP_MARGIN_S
            guard = Guard(app.clock, limit_s=limits.wakeup_seconds, stop_limit_s=stop_limit_s, end=end_now)
            daemon = Daemon(app.clock, notifier, guard, openings=openings(app))
            environ = child_environ(os.environ, app.loaded.home, app.overrides)

            def made() -> WakeUps:
                return wake_ups(
                    app,
                    environ=environ,
                    is_stopping=daemon.is_stopping,
                    is_wanted=daemon.is_wanted,
                    sign_of_life=guard.sign_of_life,
                )

            with daemon.signals():
                work = daemon.when_usable(made, limit_s=limits.wakeup_seconds)
                if work is None:
                    return 0
                if practice:
                    say("Practice: training the models that need it ...")
                    work.do("train", "--missing")
                say(f"numebot serve: looking for rounds, data in {app.data_folder}. Ctrl-C or SIGTERM ends it.")
                return daemon.run(work)


def end_now(code: int) -> None:
    """End this process without any ado, and its children before it. Never returns."""
    kill_family(os.getpid())
    os._exit(code)
