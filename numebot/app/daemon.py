"""The daemon's parts: what a wake-up works with, and how its children are started."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import time, timedelta
from pathlib import Path

from numebot.adapters.children import Child, start_child
from numebot.adapters.registry import read_registry
from numebot.adapters.systemd import KeepAwake
from numebot.app.app import App
from numebot.app.opening import HANDED_KEY_VARIABLE, handed
from numebot.core.chores import Chore
from numebot.core.openings import Opening, parse_opening
from numebot.core.retraining import parse_retraining
from numebot.core.scoring import RESULTS_CHORE
from numebot.core.types import ModelConfig
from numebot.wakeups import Lookout, WakeUps, WakeUpTools, Work
from numebot.wakeups.trainings import Trainings
from numebot.wakeups.wakeups import Awake, Rhythm

logger = logging.getLogger(__name__)


class Asleep:
    """Lets the machine sleep as it likes."""

    def hold(self) -> None:
        """Do nothing."""

    def release(self) -> None:
        """Do nothing."""


def wake_ups(
    app: App,
    *,
    environ: Mapping[str, str],
    is_stopping: Callable[[], bool],
    is_wanted: Callable[[], bool],
    sign_of_life: Callable[[], None],
) -> WakeUps:
    """Return the daemon's work on this app. `environ` is that of the children, without any key.

    Raises: AccessDenied without a key; ConfigError, LocalTrouble when the database is not usable.
    """
    settings = app.settings
    _ = app.key
    app.store.claim_for(app.server_name)
    if settings.api.total_timeout_s >= settings.daemon.wakeup_seconds:
        logger.warning(
            "[api] total_timeout_s (%g) is not below [daemon] wakeup_seconds (%g): a server that answers slowly will "
            "count as a hang, which ends the daemon to be started anew.",
            settings.api.total_timeout_s,
            settings.daemon.wakeup_seconds,
        )
    lookout = Lookout(
        app.server, app.store, app.clock, play=settings.schedule.play, has_net=settings.schedule.safety_net
    )
    awake: Awake = KeepAwake("a round is open and not confirmed") if settings.daemon.keep_awake else Asleep()
    start = _starter(app, environ)
    stop_s = settings.daemon.stop_seconds
    trainings = Trainings(start, app.clock, stop_s=stop_s, is_wished=lambda: _is_ever_trained(app))
    tools = WakeUpTools(
        lookout=lookout,
        store=app.store,
        work=Work(start, app.clock, stop_s=stop_s, is_stopping=is_stopping),
        clock=app.clock,
        awake=awake,
        configs=lambda: _configs(app),
        tournaments=[int(one) for one in settings.tournament.play],
        rhythm=Rhythm(
            openings=openings(app),
            poll_s=settings.schedule.poll_seconds,
            idle_s=settings.schedule.idle_seconds,
            pass_s=settings.daemon.pass_minutes * 60,
        ),
        chores=chores(app),
        trainings=trainings,
        sign_of_life=sign_of_life,
        is_wanted=is_wanted,
        is_stopping=is_stopping,
    )
    return WakeUps(tools, pid=os.getpid(), started_at=app.clock.now())


def openings(app: App) -> tuple[Opening, ...]:
    """Return when rounds are expected, by the settings."""
    return tuple(parse_opening(text) for text in app.settings.schedule.openings)


def chores(app: App) -> Sequence[Chore]:
    """Return what is done beside the rounds."""
    daemon = app.settings.daemon
    hour, minute = app.settings.housekeeping.backup_at.split(":")
    at = time(int(hour), int(minute))
    backup = Chore("backup", ("db", "backup"), at=at)
    if not app.store.can_back_up:
        logger.warning("No daily backup: pg_dump is not on this machine. Its server's owner has to make them.")
    return (
        *((backup,) if app.store.can_back_up else ()),
        Chore("housekeeping", ("db", "prune"), at=at),
        Chore(RESULTS_CHORE, ("sync", "--scheduled"), every=timedelta(hours=daemon.results_hours), budget_s=1800.0),
        # Often, as an upgrade may come at any time before a round; it is quick when nothing changed.
        Chore("replay", ("models", "replay", "--changed"), every=timedelta(hours=1)),
    )


def child_environ(environ: Mapping[str, str], home: Path, settings: Mapping[str, object]) -> dict[str, str]:
    """Return the environment of the children: ours, the same home, and settings that were made for this run."""
    return {**environ, "NUMEBOT_HOME": str(home), **{name: str(value) for name, value in settings.items()}}


def _configs(app: App) -> Sequence[ModelConfig]:
    settings = app.settings
    registry = read_registry(
        settings.paths.model_configs, home=app.loaded.home, plugins_folder=settings.models.plugins_folder
    )
    return registry.models


def _is_ever_trained(app: App) -> bool:
    default = app.settings.schedule.retrain
    return any(not parse_retraining(config.retrain or default).is_never for config in _configs(app) if config.enabled)


def _starter(app: App, environ: Mapping[str, str]) -> Callable[[Sequence[str]], Child]:
    """Return what starts a child. A secret that no file holds is handed over through a pipe."""
    secret = handed(app)
    child_environment = {**environ, **({} if secret is None else {HANDED_KEY_VARIABLE: "1"})}

    def start(arguments: Sequence[str]) -> Child:
        return start_child(arguments, child_environment, app.clock, secret=secret or b"")

    return start
