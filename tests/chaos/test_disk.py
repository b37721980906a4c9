"""A disk that is full or fails at any moment: a clear word, exit code 1, nothing lost, and the next run confirms."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from numebot.core.types import State
from tests.chaos.promises import assert_kept
from tests.chaos.strace import NUMEBOT_RUN, under_strace
from tests.machine_tools import needed
from tests.pipeline.test_full_disk import has_namespaces

pytestmark = pytest.mark.slow
Make = Callable[..., Any]


@dataclass(frozen=True)
class Fault:
    """The `count`th system call of this name fails; `path` limits it to one file of the data folder."""

    call: str
    error: str
    count: int
    path: str = ""

    def options(self, folder: Path) -> list[str]:
        at = ["-P", str(folder / self.path)] if self.path else []
        return [*at, "-e", f"trace={self.call}", "-e", f"inject={self.call}:error={self.error}:when={self.count}"]


WAL = "numebot.db-wal"
MOMENTS = {"fdatasync": 26, "fsync": 16, "pwrite64": 60, "write": 16}
"""About how often a pass over one round asks for each; a fault beyond the last call hits nothing and is no fault."""
SAMPLE = [Fault("fsync", "EIO", 4)]
ALL = [
    *(Fault("fdatasync", "EIO", count) for count in range(1, MOMENTS["fdatasync"])),
    *(Fault("fsync", "EIO", count) for count in range(1, MOMENTS["fsync"])),
    *(Fault("fsync", "ENOSPC", count) for count in range(2, MOMENTS["fsync"], 3)),
    *(Fault("pwrite64", "ENOSPC", count, WAL) for count in range(1, MOMENTS["pwrite64"], 4)),
    *(Fault("pwrite64", "EIO", count, WAL) for count in range(3, MOMENTS["pwrite64"], 8)),
    *(Fault("write", "ENOSPC", count) for count in range(1, MOMENTS["write"])),
    *(Fault("write", "EIO", count) for count in range(2, MOMENTS["write"], 3)),
]


@needed("strace", "strace")
def test_a_failing_call_costs_a_run_and_nothing_else(
    numebot: Make, practice: Make, tmp_path: Path, is_full: bool, chance: random.Random, figures: Callable[..., None]
) -> None:
    faults = ALL if is_full else [*SAMPLE, Fault("fdatasync", "EIO", chance.randrange(1, MOMENTS["fdatasync"]))]
    server = practice(models=tuple(f"model_{index}" for index in range(len(faults))))
    hits = alarms = 0
    for index, fault in enumerate(faults):
        bot, model, log = numebot(server), f"model_{index}", tmp_path / "inject.strace"
        bot.configs(model)
        options = ["-y", "-o", str(log), *fault.options(bot.data_folder)]
        done = under_strace(NUMEBOT_RUN, None, *options, environ=bot.environ())
        if str(bot.data_folder) not in injected_at(log):
            continue  # not reached, or it was a line on stderr
        hits += 1
        alarms += done.returncode == 1
        assert_told(bot, model, done, str(fault))
        assert_recovers(bot, model, str(fault))
    figures("failing disk calls", tried=len(faults), hits=hits, alarms=alarms, missing=0, doubled=0)
    assert hits >= len(faults) / 2
    assert alarms


def injected_at(log: Path) -> str:
    """The file whose call was made to fail; "" when there was none."""
    found = re.search(r"<([^>]*)>.*\(INJECTED\)", log.read_text(errors="replace"))
    return found[1] if found else ""


def assert_told(bot: Any, model: str, done: subprocess.CompletedProcess[str], fault: str) -> None:
    """Exit code 0 only for a round that is confirmed; else 1 and a word about the disk."""
    assert "Traceback" not in done.stderr, f"{fault}: {done.stderr}"
    if done.returncode == 0:
        (row,) = bot.rows()
        assert_kept(bot, row.round_number, [model])
        return
    assert done.returncode == 1, f"{fault}: {done.returncode} {done.stderr}"
    assert str(bot.data_folder) in done.stderr, f"{fault}: {done.stderr}"
    assert re.search("disk|I/O|Input/output|space", done.stderr), f"{fault}: {done.stderr}"


def assert_recovers(bot: Any, model: str, fault: str) -> None:
    """The next run on a healthy disk confirms, and never a second submission."""
    before = [entry.filename for entry in bot.accepted(model)]
    (row,) = bot.run().submissions
    assert row.state is State.CONFIRMED, f"{fault}: {row}"
    assert_kept(bot, row.round_number, [model])
    assert before in ([], [row.filename]), fault


FILL = """
mount -t tmpfs -o size="$SIZE" tmpfs "$NUMERAI_DATA_FOLDER"
"$PYTHON" -m numebot run --json > "$ANSWERS/full.json"; echo "$?"
mount -o remount,size=200m "$NUMERAI_DATA_FOLDER"
"$PYTHON" -m numebot run --json > "$ANSWERS/free.json"; echo "$?"
"""
SIZES = ["3m"]
ALL_SIZES = [f"{kilobytes}k" for kilobytes in (4, 12, 40, 80, 120, 300, 1000, 2700, 2800, *range(3000, 3500, 50))]
FULL = re.compile("disk is full|free some space|are free", re.IGNORECASE)


@needed("unshare", "util-linux")
@pytest.mark.skipif(
    os.environ.get("CI") != "true" and not has_namespaces(),
    reason="needs user namespaces (sysctl kernel.unprivileged_userns_clone=1)",
)
def test_a_disk_of_any_size_costs_a_run_and_nothing_else(
    numebot: Make, practice: Make, tmp_path: Path, is_full: bool, figures: Callable[..., None]
) -> None:
    sizes = ALL_SIZES if is_full else SIZES
    server = practice(models=tuple(f"model_{index}" for index in range(len(sizes))))
    alarms = 0
    for index, size in enumerate(sizes):
        bot, model = numebot(server), f"model_{index}"
        bot.configs(model)
        bot.data_folder.mkdir()
        environ = {**os.environ, **bot.environ(), "PYTHON": sys.executable, "ANSWERS": str(tmp_path), "SIZE": size}
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", FILL]
        answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=240)
        full, free = answer.stdout.split()
        assert (full in ("0", "1"), free) == (True, "0"), f"{size}: {answer.stderr}"
        assert "Traceback" not in answer.stderr, f"{size}: {answer.stderr}"
        alarms += full == "1"
        assert full == "0" or FULL.search(answer.stderr), f"{size}: {answer.stderr}"
        (row,) = json.loads((tmp_path / "free.json").read_text())["models"]
        assert [entry.filename for entry in bot.accepted(model)] == [row["filename"]], size
    figures("full disks", sizes=len(sizes), alarms=alarms, missing=0, doubled=0)
    assert alarms
