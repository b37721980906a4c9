"""How settings are called: the dotted key, the name of its variable, and what a misspelt one may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from types import MappingProxyType

from numebot.adapters.settings.model import Section, Settings


def _section(name: str) -> type[Section]:
    model: object = Settings.model_fields[name].annotation
    if isinstance(model, type) and issubclass(model, Section):
        return model
    raise TypeError(f"Settings.{name} is not a section")


SECTIONS = MappingProxyType({name: tuple(_section(name).model_fields) for name in Settings.model_fields})
"""Section → its keys."""

KEYS = tuple(f"{section}.{key}" for section, keys in SECTIONS.items() for key in keys)

_OWN_NAMES = {
    "paths.data_folder": "NUMERAI_DATA_FOLDER",
    "paths.model_configs": "MODEL_CONFIGS_PATH",
    "api.url": "NUMEBOT_API_URL",
}

_GENERIC = {key: f"NUMEBOT_{key.replace('.', '__').upper()}" for key in KEYS}

VARIABLES = MappingProxyType({_OWN_NAMES.get(key, _GENERIC[key]): key for key in KEYS})
"""Variable (in .env and in the environment) → dotted key. Each key has exactly one."""

PUBLIC_NAMES = ("NUMERAI_PUBLIC_ID", "PUBLIC_ID")
SECRET_NAMES = ("NUMERAI_SECRET_KEY", "SECRET_KEY")

RESERVED = frozenset(
    {
        "NUMEBOT_HOME",
        "NUMEBOT_CONFIG",
        "NUMEBOT_CRASH_AT",
        "NUMEBOT_SHARED_DATA",
        "NUMEBOT_PARENT",
        "NUMEBOT_KEY_ON_STDIN",
        "NUMEBOT_UNIT_FOLDER",
    }
)
"""Variables of the process alone: they are not settings and mean nothing inside a file."""


def allowed_in_words(key: str) -> str:
    """Return what a setting may be, as the end of the sentence "… is not"."""
    section, name = key.split(".")
    return _section(section).model_fields[name].description or "a legal value"


def did_you_mean(word: str, candidates: Iterable[str], *, otherwise: str = "", cutoff: float = 0.6) -> str:
    """Return " Did you mean …?" for the nearest candidate, or `otherwise` when none is near."""
    near = difflib.get_close_matches(word, list(candidates), n=1, cutoff=cutoff)
    return f" Did you mean {near[0]}?" if near else otherwise


def variable_meant(name: str) -> str:
    """Return the hint for a variable that numebot does not know."""
    for key, generic in _GENERIC.items():
        if name == generic:
            return f" This setting is called {_OWN_NAMES[key]}."
    known = [*VARIABLES, *PUBLIC_NAMES, *SECRET_NAMES, *RESERVED]
    hint = " config/numebot.toml lists every setting."
    return did_you_mean(name, known, otherwise=hint, cutoff=0.75)  # NUMEBOT_ alone makes all of them alike
