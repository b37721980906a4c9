"""From the four places to one Settings: merged, checked, and all problems of all files said at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from numebot.adapters.settings.addresses import passwords_in
from numebot.adapters.settings.display import MASK, quoted
from numebot.adapters.settings.model import SECRET_KEYS, Settings, conflicts
from numebot.adapters.settings.names import KEYS, SECTIONS, allowed_in_words
from numebot.adapters.settings.sources import Found, command_line, dotenv_file, environment, settings_file
from numebot.core.errors import ConfigError

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class LoadedSettings:
    """The settings in effect and how they came about.

    `origins` says for each dotted key "config/numebot.toml line 12", ".env line 3", "environment NUMEBOT_LOG__LEVEL",
    "command line" or "default". `warnings` are texts for the owner; nothing of them stops the program.
    """

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...]
    home: Path


def load_settings(
    home: Path, environ: Mapping[str, str], overrides: Mapping[str, object] = _NOTHING
) -> LoadedSettings:
    """Read config/numebot.toml < .env < `environ` < `overrides` (dotted key → value; None means not given).

    Reads only: nothing is written, created or put into the environment. Paths come back absolute: relative ones are
    relative to `home`, also in `overrides`.
    Raises: ConfigError with every problem of every place, also of values that a better place would have replaced.
    """
    home = home.absolute()
    sources = (settings_file(home, environ), dotenv_file(home, environ), environment(environ), command_line(overrides))
    problems = [
        problem for source in sources for problem in (*source.problems, *_value_problems(source.found, home))
    ]
    _stop_at(problems)
    winners = {found.key: found for source in sources for found in source.found}
    settings = _validated(winners.values(), home)
    _stop_at([f"{winners[key].where if key in winners else key}: {text}" for key, text in conflicts(settings)])
    return LoadedSettings(
        settings=settings,
        origins=MappingProxyType({key: winners[key].origin if key in winners else "default" for key in KEYS}),
        warnings=(*(one for source in sources for one in source.warnings), *_badly_kept(winners, home)),
        home=home,
    )


def _badly_kept(winners: Mapping[str, Found], home: Path) -> list[str]:
    """Return what is wrong with where a password stands; the environment and the command line are nobody's file."""
    found = [winners[key] for key in SECRET_KEYS if key in winners and passwords_in(str(winners[key].value))]
    in_files = [one for one in found if not one.origin.startswith(("environment", "command line"))]
    try:
        is_open = (home / ".env").stat().st_mode & 0o077
    except OSError:
        is_open = 0
    return [
        f"{one.origin} holds the password of your database, and other users of this machine can read it. Type: "
        f"chmod 600 {home / '.env'}"
        if one.origin.startswith(".env")
        else f"{one.origin} holds the password of your database. Move the line to .env, which no repository keeps."
        for one in in_files
        if is_open or not one.origin.startswith(".env")
    ]


def _stop_at(problems: list[str]) -> None:
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigError(f"The settings have {count}; correct and run again. Nothing was started.", problems)


def _validated(found: Iterable[Found], home: Path) -> Settings:
    nested: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    for one in found:
        section, key = one.key.split(".")
        nested[section][key] = one.value
    return Settings.model_validate(nested, context={"home": home})


def _value_problems(found: tuple[Found, ...], home: Path) -> list[str]:
    try:
        _validated(found, home)
    except ValidationError as error:
        by_key = {one.key: one for one in found}
        details = error.errors(include_url=False, include_input=False)
        reasons = {".".join(str(part) for part in one["loc"][:2]): one.get("ctx", {}).get("error") for one in details}
        return [_in_words(by_key[key], reason) for key, reason in reasons.items()]
    return []


def _in_words(found: Found, reason: object) -> str:
    own_words = str(reason) if isinstance(reason, ValueError) else ""
    value = MASK if found.key in SECRET_KEYS else quoted(found.value)
    return f"{found.where}: {value} {own_words or f'is not {allowed_in_words(found.key)}'}."
