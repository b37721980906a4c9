"""The units of numebot as systemd knows them, asked through systemctl."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

UNITS = ("numebot.service", "numebot-run.timer")
_PROPERTIES = ("Id", "LoadState", "ActiveState", "SubState", "UnitFileState")
_PATH = "/usr/local/bin:/usr/bin:/bin"
_TIMEOUT_S = 2.0


def units(path: str = _PATH, running: Path = Path("/run/systemd/system")) -> Sequence[tuple[str, str, str, str]] | None:
    """Return name, active, sub and file state of each unit that is installed, of the machine or of this user.

    None where no systemd runs, or it does not answer.
    """
    program = shutil.which("systemctl", path=path)
    if program is None or not running.exists():
        return None
    answers = [_asked([program, *scope]) for scope in ((), ("--user",))]
    if answers[0] is None:
        return None
    return [unit for answer in answers for unit in answer or ()]


def _asked(command: Sequence[str]) -> list[tuple[str, str, str, str]] | None:
    wanted = [f"--property={','.join(_PROPERTIES)}", "show", *UNITS]
    kept = {name: os.environ[name] for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS") if name in os.environ}
    try:
        answer = subprocess.run(
            [*command, *wanted], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True, errors="replace",
            env={"PATH": _PATH, "LC_ALL": "C", **kept},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    found = []
    for block in answer.stdout.strip().split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if unit.get("LoadState") not in (None, "not-found"):
            found.append((unit.get("Id", ""), *(unit.get(name) or "none" for name in _PROPERTIES[2:])))
    return [(name, active, sub, file) for name, active, sub, file in found]
