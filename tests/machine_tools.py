"""Programs that some tests need besides Python, and what happens where one is missing."""

from __future__ import annotations

import os
import shutil

import pytest


def needs(tool: str, package: str) -> str:
    """Return the path of a program; call it in the test or in a fixture: `strace = needs("strace", "strace")`.

    Where it is missing the test is skipped and says what to type; with CI=true it fails: scripts/test installs it.
    """
    found = shutil.which(tool)
    if found:
        return found
    reason = f"{tool} is not on this machine. On Debian or Ubuntu: sudo apt-get install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (scripts/machine-tools does it when it runs as root)")
    pytest.skip(reason)


def needed(tool: str, package: str) -> pytest.MarkDecorator:
    """Return the same as a mark for whole tests; with CI=true they run whatever is missing, and fail."""
    is_missing = shutil.which(tool) is None and os.environ.get("CI") != "true"
    return pytest.mark.skipif(is_missing, reason=f"needs `{tool}`: sudo apt-get install {package}")
