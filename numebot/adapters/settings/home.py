"""Where numebot's own files lie: config/numebot.toml, .env, .secret and model_configs.csv."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_config_path

from numebot.core.errors import ConfigError

SETTINGS_FILE = Path("config/numebot.toml")

_CHECKOUT = Path(__file__).resolve().parents[3]


def find_home(environ: Mapping[str, str], cwd: Path) -> Path:
    """Return the folder that settings, secrets and the table of models are read from, as an absolute path.

    NUMEBOT_HOME decides; else the current folder if it holds config/numebot.toml; else the checkout that this package
    lies in. A numebot that was installed without its checkout uses the user's configuration folder, which need not
    exist: every setting has a default.
    Raises: ConfigError when NUMEBOT_HOME is not a folder.
    """
    wanted = environ.get("NUMEBOT_HOME", "")
    if wanted:
        home = cwd / Path(wanted).expanduser()
        if not home.is_dir():
            raise ConfigError(
                f'environment, NUMEBOT_HOME: "{wanted}" is not a folder. It must be the folder that holds '
                f"{SETTINGS_FILE}, .secret and model_configs.csv; nothing was started."
            )
        return home.resolve()
    for folder in (cwd, _CHECKOUT):
        if (folder / SETTINGS_FILE).is_file():
            return folder.resolve()
    return user_config_path("numebot").absolute()


def short_name(path: Path, home: Path) -> str:
    """Return how messages call a file: relative to home when it lies inside, else in full."""
    return str(path.relative_to(home)) if path.is_relative_to(home) else str(path)
