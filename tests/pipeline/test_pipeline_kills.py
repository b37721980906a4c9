"""kill -9 at each border of the step machine, then a second start: one accepted submission, none missing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from numebot.core.types import State

Make = Callable[..., Any]

BORDERS = ["predicted", "checked", "uploaded", "submitted", "confirmed"]


@pytest.mark.sampled(0.3)
@pytest.mark.parametrize("border", [f"{when}{state}" for state in BORDERS for when in ("before:", "")])
def test_a_kill_at_any_border_leaves_one_submission_after_the_next_run(numebot: Make, border: str) -> None:
    bot = numebot()
    bot.configs("alpha")
    environ = {**os.environ, **bot.environ(), "NUMEBOT_CRASH_AT": border}
    killed = subprocess.run([sys.executable, "-m", "numebot", "run"], env=environ, capture_output=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    result = bot.run()
    assert [row.state for row in result.submissions] == [State.CONFIRMED]
    assert [entry.filename for entry in bot.accepted("alpha")] == [result.submissions[0].filename]
    with sqlite3.connect(bot.data_folder / "numebot.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
