"""The doctor's visit with the parts of this numebot; what is broken must not keep it from looking at the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from numebot.adapters.environment import wipe_variable
from numebot.adapters.registry.code import CodeFinder
from numebot.adapters.settings import ApiKey, find_home, load_api_key, load_settings
from numebot.app.app import App
from numebot.app.opening import KEY_VARIABLES, open_app
from numebot.core.diagnosis import Point, ok, problem, warning
from numebot.core.errors import ConfigError, NumebotError
from numebot.doctor import visit
from numebot.doctor.account import key_point
from numebot.redaction import redact


@dataclass(frozen=True)
class Visit:
    """What was found; `clean` takes secrets out of a text."""

    points: Sequence[Point]
    clean: Callable[[str], str] = redact


def examine(environ: Mapping[str, str], *, practice: bool, is_offline: bool) -> Visit:
    """Look at everything that rounds depend on. Never raises for what it finds."""
    points = visit.of_machine()
    with ExitStack() as stack:
        try:
            app, about_key = _opened(environ, stack, practice=practice)
        except ConfigError as error:
            advice = "Correct it, then call the doctor again: nothing that needs settings was looked at."
            return Visit([*points, problem("settings", " ".join(error.problems), advice)])
        points += [_settings_point(app), *about_key]
        return Visit([*points, *_of_app(app, is_offline=is_offline, practice=practice)], app.clean)


def _opened(environ: Mapping[str, str], stack: ExitStack, *, practice: bool) -> tuple[App, list[Point]]:
    """Return the app also where its key is not usable, and what is to be said of the key. Raises: ConfigError."""
    if practice:
        return stack.enter_context(open_app(practice=True, starts_server=False, environ=environ)), []
    home = find_home(environ, Path.cwd())
    loaded = load_settings(home, environ)
    key: ApiKey | None = None
    trouble: str | None = None
    warnings: tuple[str, ...] = ()
    try:
        found = load_api_key(home, environ)
        key, warnings = found.key, found.warnings
    except ConfigError as error:
        trouble = " ".join(error.problems)
    for name in KEY_VARIABLES:
        wipe_variable(name)
    app = App(loaded, key)
    stack.callback(app.close)
    return app, [key_point(key.source if key else None, trouble, warnings, home / ".secret")]


def _settings_point(app: App) -> Point:
    if app.warnings:
        return warning("settings", " ".join(app.warnings), "Do what it says there.")
    return ok("settings", f"read from {app.loaded.home}")


def _of_app(app: App, *, is_offline: bool, practice: bool) -> list[Point]:
    folder, seen = app.data_folder, visit.seen
    finder = CodeFinder(app.loaded.home, app.settings.models.plugins_folder)
    default_mb = app.settings.models.default_memory_limit_mb
    points = seen("data folder", lambda: visit.of_folder(folder))
    database, is_usable = visit.of_database(folder / "numebot.db")
    points.append(database)
    store = None
    if is_usable:
        try:
            store = app.store
        except NumebotError as error:
            points.append(problem("database", str(error), "Do what it says there."))
    breaches = visit.breaches_of(store) if store else []
    points += seen("models", lambda: visit.of_models(lambda: app.registry, app.artifacts, finder, breaches, default_mb))
    points += seen("service", lambda: visit.of_service(folder, store, app.clock.now(), practice=practice))
    if is_offline or practice:
        return points + visit.without_network()
    tournament = app.settings.tournament.play[0]
    return points + seen(
        "network", lambda: visit.of_network(app.server, app.clock, has_key=app.has_key, tournament=tournament)
    )
