"""Another program holds the database for longer than numebot waits: a clear word, and the next run confirms."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from numebot.core.types import State
from tests.chaos.promises import accepted, assert_kept
from tests.chaos.strace import NUMEBOT_RUN

pytestmark = pytest.mark.slow
Make = Callable[..., Any]

STEPS_TO_HOLD = ("checked", "uploaded", "submitted")
DEFAULT_PATIENCE_S = 10
"""What [store] busy_timeout_s is when nobody changed it."""


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Hold the write lock as a backup or a careless browser of the database does."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def run(bot: Any) -> tuple[subprocess.CompletedProcess[str], float]:
    began = time.perf_counter()
    environ = {**os.environ, **bot.environ()}
    done = subprocess.run(NUMEBOT_RUN, env=environ, capture_output=True, text=True, check=False, timeout=240)
    return done, time.perf_counter() - began


def test_runs_beside_a_held_database_say_so_and_the_next_one_confirms(
    numebot: Make, is_full: bool, figures: Callable[..., None]
) -> None:
    bot = numebot()
    bot.configs("alpha")
    if is_full:
        settings = bot.home / "config" / "numebot.toml"
        settings.write_text(settings.read_text().replace("busy_timeout_s = 0.2", ""))
    patience_s = DEFAULT_PATIENCE_S if is_full else 0.2
    bot.run(dry_run=True)  # so that there is a database to hold
    held_for_s = 60 if is_full else 2
    runs = []
    with held(bot.data_folder / "numebot.db"):
        began = time.perf_counter()
        while time.perf_counter() - began < held_for_s:
            runs.append(run(bot))
    for done, took_s in runs:
        assert done.returncode == 1, done.stderr
        assert "another process holds the database" in done.stderr
        assert "run again when it is free" in done.stderr
        assert "Traceback" not in done.stderr
        assert took_s > patience_s
    assert bot.accepted("alpha") == []
    figures("held database", held_s=held_for_s, runs=len(runs), slowest_run_s=f"{max(t for _, t in runs):.1f}")
    done, _ = run(bot)
    assert done.returncode == 0, done.stderr
    (row,) = bot.rows()
    assert_kept(bot, row.round_number, ["alpha"])


def test_a_database_that_is_held_in_the_middle_of_a_round_costs_that_run_alone(
    numebot: Make, practice: Make, is_full: bool
) -> None:
    """The lock is taken when the run has just said that a step is done, so the next change finds it held."""
    server = practice(models=STEPS_TO_HOLD)
    for step in STEPS_TO_HOLD if is_full else STEPS_TO_HOLD[1:2]:
        hold_after(numebot(server), step)


def hold_after(bot: Any, step: str) -> None:
    bot.configs(step)  # the model is called like the step
    bot.run(dry_run=True)
    environ = {**os.environ, **bot.environ()}
    with subprocess.Popen(NUMEBOT_RUN, env=environ, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        said = ""
        for line in child.stderr:
            said += line
            if f"{step} {step}" in line:
                break
        with held(bot.data_folder / "numebot.db"):
            said += child.stderr.read()
            child.wait(timeout=60)
            (row,) = bot.rows()
    assert "Traceback" not in said
    number = row.round_number
    if child.returncode == 0:
        # It was quicker than the lock: then it really must be done.
        assert_kept(bot, number, [step])
        return
    assert child.returncode == 1, said
    assert "another process holds the database" in said
    sent = [entry.filename for entry in accepted(bot, step, number)]
    assert sent in ([], [row.filename]), "what was sent must be known here"
    (row,) = bot.run().submissions
    assert row.state is State.CONFIRMED, row
    assert_kept(bot, number, [step])
    assert sent in ([], [row.filename])
