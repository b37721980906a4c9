"""What this numebot runs on: Python and the libraries that are installed beside it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import distributions


def python_version() -> str:
    """Return the version of this Python and its machine, e.g. "3.11.9 x86_64"."""
    return f"{sys.version.split()[0]} {platform.machine()}"


def installed_libraries() -> Mapping[str, str]:
    """Return the version of every installed library, by its name in lower case."""
    found: dict[str, str] = {}
    for one in distributions():
        name = one.metadata["Name"]
        if name:
            found.setdefault(str(name).lower(), str(one.version))  # the first on the path is the one that is imported
    return dict(sorted(found.items()))
