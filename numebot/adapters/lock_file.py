"""requirements.txt, the lock: which versions of which libraries numebot was tested with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_LINE = re.compile(r"([A-Za-z0-9][\w.-]*)==([^\s;\\]+)\s*(?:;\s*([^\\]*))?")


def locked_libraries(path: Path) -> Mapping[str, frozenset[str]]:
    """Return the versions that the lock has for each library, by its name in lower case; {} without a lock.

    One that some machines alone need (a marker that is not about the version of Python) has none: it may be absent.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    versions: dict[str, set[str]] = {}
    optional: set[str] = set()
    for name, version, marker in _LINE.findall(text):
        versions.setdefault(_plain(name), set()).add(version)
        if marker and not marker.strip().startswith("python_full_version"):
            optional.add(_plain(name))
    return {name: frozenset() if name in optional else frozenset(found) for name, found in versions.items()}


def plain_names(installed: Mapping[str, str]) -> Mapping[str, str]:
    """Return the installed versions by names as the lock writes them."""
    return {_plain(name): version for name, version in installed.items()}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
