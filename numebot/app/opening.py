"""From the current folder to a numebot: the settings, the key, and the practice tournament where one is wanted."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from numebot.adapters.clock import SystemClock
from numebot.adapters.environment import wipe_variable
from numebot.adapters.registry import read_registry
from numebot.adapters.settings import ApiKey, find_home, load_api_key, load_settings
from numebot.app.app import App
from numebot.core.errors import ConfigError, Damaged, NumebotError
from numebot.durable import write_whole
from numebot.practice.first_day import MAKING_TAKES, MAKING_WITHIN_S, MODEL_CONFIGS

DATABASE_VARIABLE = "NUMEBOT_STORE__URL"
KEY_VARIABLES = (
    "NUMERAI_PUBLIC_ID",
    "NUMERAI_SECRET_KEY",
    "PUBLIC_ID",
    "SECRET_KEY",
    "CREDENTIALS_DIRECTORY",
    DATABASE_VARIABLE,
)
"""Taken out of the environment once they are read, with the way to them: plugins and children get none of it."""

REREAD_SOURCES = (".secret", ".env")
"""Files that a child reads for itself, so that a new key counts without a restart."""
HANDED_KEY_VARIABLE = "NUMEBOT_KEY_ON_STDIN"
"""Set for a child that gets the key of its parent, and the address of its database."""


@contextmanager
def open_app(
    *,
    practice: bool = False,
    starts_server: bool = True,
    environ: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[App]:
    """Yield the app for the settings found from the current folder.

    With `practice` it plays on this machine alone; commands that only look need no server for that. `say` is told what
    takes its time before there is an app.
    Raises: ConfigError with everything that is wrong in the settings.
    """
    if sys.flags.optimize:
        raise ConfigError(
            "Python runs with -O (or PYTHONOPTIMIZE is set), which removes checks inside libraries. "
            "Start numebot without it; nothing was done."
        )
    environ = dict(os.environ) if environ is None else environ
    home = find_home(environ, Path.cwd())
    with ExitStack() as stack:
        if practice:
            app = stack.enter_context(_practice_app(home, environ, say if starts_server else None))
        else:
            warnings: tuple[str, ...] = ()
            handed_over = _handed(environ)
            if handed_over:
                key: ApiKey | None = handed_over[0]
                loaded = load_settings(home, environ, {"store.url": handed_over[1]})
            else:
                loaded = load_settings(home, environ)
                found = load_api_key(home, environ)
                key, warnings = found.key, found.warnings
            app = App(loaded, key, warnings=warnings, crash_at=environ.get("NUMEBOT_CRASH_AT", ""))
        for name in KEY_VARIABLES:
            wipe_variable(name)  # from here on nobody can read the key but through the app
        stack.callback(app.close)
        try:
            yield app
        except NumebotError as error:
            hint = app.what_to_restore() if isinstance(error, Damaged) else ""
            error.args = (app.clean(str(error)) + hint, *error.args[1:])
            raise


def handed(app: App) -> bytes | None:
    """Return what a child reads from its standard input: key and database, which never stand in its environment.

    None when it finds both in files as we did.
    """
    is_in_files = app.key.source in REREAD_SOURCES and not app.loaded.origins["store.url"].startswith("environment")
    if is_in_files:
        return None
    return json.dumps([app.key.public_id, app.key.secret_key, app.key.source, app.settings.store.url]).encode()


def _handed(environ: Mapping[str, str]) -> tuple[ApiKey, str] | None:
    """Return the key and the database's address that the parent hands over; None when it hands over none."""
    if environ.get(HANDED_KEY_VARIABLE) != "1":
        return None
    try:
        public_id, secret_key, source, url = json.loads(sys.stdin.buffer.read())
    except (ValueError, TypeError):
        raise ConfigError(
            f"{HANDED_KEY_VARIABLE} is set, but standard input holds no key. Only the daemon sets it, for a child: "
            "unset it. Nothing was started."
        ) from None
    return ApiKey(str(public_id), str(secret_key), str(source)), str(url)


@contextmanager
def _practice_app(home: Path, environ: Mapping[str, str], say: Callable[[str], None] | None) -> Iterator[App]:
    """Yield an app that plays on this machine, in a data folder of its own; with `say` the tournament is started."""
    ordinary = load_settings(home, environ).settings
    folder = ordinary.paths.practice_folder
    configs = folder / "model_configs.csv"
    if not configs.exists():
        write_whole(configs, MODEL_CONFIGS)
    data_folder = str(folder / "numerai_data")
    overrides = {"paths.data_folder": data_folder, "paths.model_configs": str(configs), "store.url": ""}
    if say is None:
        yield App(load_settings(home, environ, {**overrides, "api.url": "http://127.0.0.1"}), None)
        return
    from numebot.practice.options import PracticeOptions
    from numebot.practice.process import practice_process

    names = [row.name for row in read_registry(configs, home=home).models]
    options = PracticeOptions(
        folder=folder / "server",
        seed=ordinary.practice.seed,
        scale=ordinary.practice.scale,
        window_minutes=ordinary.practice.window_minutes,
        opens_now=True,
        models=tuple(names),
    )
    say(f"Practice: a Numerai on this machine, in {folder}. No account is used and nothing leaves the machine.")
    if not (options.folder / "market").exists():
        say(f"Practice: making its data, scale {options.scale}, once; that takes {MAKING_TAKES[options.scale]} ...")
    with practice_process(options, clock=SystemClock(), ready_within_s=MAKING_WITHIN_S[options.scale]) as address:
        loaded = load_settings(home, environ, {**overrides, "api.url": address.url})
        app = App(loaded, ApiKey(address.public_id, address.secret_key, "the practice tournament"))
        app.overrides = {
            "NUMERAI_DATA_FOLDER": loaded.settings.paths.data_folder,
            "MODEL_CONFIGS_PATH": configs,
            "NUMEBOT_API_URL": address.url,
        }
        yield app
