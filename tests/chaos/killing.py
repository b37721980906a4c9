"""`numebot run` in a process of its own, to be killed at a chosen moment of its life."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numebot.adapters.clock import SystemClock
from numebot.practice.faults import Fault, Kind

CLOCK = SystemClock()
LONGEST_S = 120.0
COUNTER = Fault(Kind.SLOW, seconds=0)
"""Harms nobody; the switchboard counts the requests that it sees."""


@dataclass(frozen=True)
class Life:
    """How long an undisturbed process needed until its first request, and from then until its end, in seconds."""

    startup_s: float
    work_s: float


@contextmanager
def numebot_run(bot: Any, log: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a running `numebot run`; it is dead or done at the end of the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "numebot", "run"],
            env={**os.environ, **bot.environ(), **environ},
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def requests_seen(bot: Any) -> int:
    """Return how many requests came since `COUNTER` was switched on."""
    return sum(switched.seen for switched in bot.server.faults.switched() if switched.fault == COUNTER)


def waited(process: subprocess.Popen[bytes], until: float) -> bool:
    """Let the process live until that monotonic second; False when it ended by itself before."""
    while process.poll() is None:
        left = until - CLOCK.monotonic()
        if left <= 0:
            return True
        CLOCK.wait(min(left, 0.01))
    return False


def saw_first_request(process: subprocess.Popen[bytes], bot: Any, before: int) -> bool:
    """Wait for the first request of the process; False when it ended without one."""
    limit = CLOCK.monotonic() + LONGEST_S
    while requests_seen(bot) == before:
        if process.poll() is not None or CLOCK.monotonic() > limit:
            return False
        CLOCK.wait(0.002)
    return True


def measured(bot: Any, log: Path) -> Life:
    """Let one process live its whole life."""
    before, began = requests_seen(bot), CLOCK.monotonic()
    with numebot_run(bot, log) as process:
        assert saw_first_request(process, bot, before), log.read_text()
        asked = CLOCK.monotonic()
        assert process.wait(LONGEST_S) == 0, log.read_text()
    return Life(asked - began, CLOCK.monotonic() - asked)


def kill_at(bot: Any, log: Path, life: Life, moment: float) -> float | None:
    """Start a process and kill it; return the seconds of its work when it came to its end before that.

    `moment` 0 is its first request and 1 the end of an undisturbed life; -1 is its birth.
    """
    before, began = requests_seen(bot), CLOCK.monotonic()
    with numebot_run(bot, log) as process:
        until = began + (1 + moment) * life.startup_s
        if moment >= 0:
            assert saw_first_request(process, bot, before), log.read_text()
            began = CLOCK.monotonic()
            until = began + moment * life.work_s
        if not waited(process, until):
            assert process.returncode in (0, 1), log.read_text()
            return CLOCK.monotonic() - began
        process.kill()
        assert process.wait() == -signal.SIGKILL
        return None


def states_after_a_kill(bot: Any, number: int, models: Sequence[str]) -> Counter[str]:
    """Count the states of the round's rows, read from a copy: recovering the database is numebot's own task."""
    database = bot.data_folder / "numebot.db"
    with tempfile.TemporaryDirectory() as folder:
        for path in database.parent.glob(f"{database.name}*"):
            shutil.copy(path, folder)
        connection = sqlite3.connect(Path(folder) / database.name)
        try:
            query = "SELECT model, state FROM submissions WHERE round_number = ?"
            rows = dict(connection.execute(query, (number,)).fetchall())
        except sqlite3.OperationalError:
            rows = {}  # killed before there was a table
        finally:
            connection.close()
    return Counter(rows.get(model, "none") for model in models)


def unfinished_files(bot: Any) -> list[Path]:
    """Return what killed writers left below the data folder."""
    return sorted(bot.data_folder.rglob("*.part"))
