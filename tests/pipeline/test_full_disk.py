"""A disk that fills up in the middle of a round: told in words, and the round goes on when there is space."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
mount -t tmpfs -o size=700k tmpfs "$NUMERAI_DATA_FOLDER"
"$PYTHON" -m numebot run --json > "$ANSWERS/full.json"; echo "$?"
mount -o remount,size=200m "$NUMERAI_DATA_FOLDER"
"$PYTHON" -m numebot run --json > "$ANSWERS/free.json"; echo "$?"
"""


def has_namespaces() -> bool:
    command = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    return shutil.which("unshare") is not None and subprocess.run(command, check=False).returncode == 0


@pytest.mark.skipif(
    not has_namespaces(), reason="needs `unshare` and user namespaces (sysctl kernel.unprivileged_userns_clone=1)"
)
def test_a_round_on_a_full_disk_goes_on_when_space_is_back(numebot: Callable[..., Any], tmp_path: Path) -> None:
    bot = numebot()
    bot.configs("alpha")
    bot.data_folder.mkdir()
    environ = {**os.environ, **bot.environ(), "PYTHON": sys.executable, "ANSWERS": str(tmp_path)}
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT]
    answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert answer.stdout.split() == ["1", "0"], answer.stderr
    assert "warning: round" in answer.stderr  # and no colour codes in a pipe
    assert "Traceback" not in answer.stderr
    (full,) = json.loads((tmp_path / "full.json").read_text())["models"]
    assert full["state"] == "failed"
    assert "disk" in full["error"]
    assert "free" in full["error"]
    (free,) = json.loads((tmp_path / "free.json").read_text())["models"]
    assert free["state"] == "confirmed"
    assert [entry.filename for entry in bot.accepted("alpha")] == [free["filename"]]
