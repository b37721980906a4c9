"""Settings as people may see them: addresses lose their passwords."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from numebot.adapters.settings.model import SECRET_KEYS
from numebot.core.types import Tournament
from numebot.redaction import redact

if TYPE_CHECKING:
    from numebot.adapters.settings.load import LoadedSettings

MASK = "********"

_MAX_QUOTED = 80
_USER_IN_ADDRESS = re.compile(r"(?<=://)[^/\s]*@")


@dataclass(frozen=True)
class ShownSetting:
    """One line of `numebot config`; `value` is a text, a number or a list of texts, as JSON has them."""

    section: str
    key: str
    value: str | float | list[str]
    origin: str


def shown_settings(loaded: LoadedSettings) -> tuple[ShownSetting, ...]:
    """Return every setting in effect, in the order of the file."""
    shown = []
    for dotted, origin in loaded.origins.items():
        section, key = dotted.split(".")
        value = _plain(getattr(getattr(loaded.settings, section), key))
        shown.append(ShownSetting(section, key, redact(str(value)) if dotted in SECRET_KEYS else value, origin))
    return tuple(shown)


def _plain(value: object) -> str | float | list[str]:
    if isinstance(value, tuple):
        return [str(_plain(one)) for one in value]
    if isinstance(value, Tournament):
        return value.name.lower()
    if isinstance(value, int | float):
        return value
    return "" if value is None else without_password(str(value) if isinstance(value, Path) else f"{value}")


def without_password(text: str) -> str:
    """Mask user and password of every address in a text."""
    return _USER_IN_ADDRESS.sub(f"{MASK}@", text)


def quoted(value: object) -> str:
    """Return a value as messages show it: quoted when it is a text, cut when it is long, without passwords."""
    text = without_password(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"
