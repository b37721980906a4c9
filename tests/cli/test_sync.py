"""`numebot sync` as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from numebot.practice.faults import Fault, Kind

ROOT = Path(__file__).parents[2]


def sync(bot: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMERAI", "NUMEBOT"))}
    return subprocess.run(
        [sys.executable, "-m", "numebot", "sync", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**clean, **bot.environ()},
        cwd=ROOT,
        check=False,
    )


def test_it_prints_a_line_per_part_and_ends_with_0(numebot: Callable[..., Any]) -> None:
    answer = sync(numebot())
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    parts = ("rounds", "payout settings", "submissions", "scores", "payouts", "account", "leaderboard",
             "account leaderboard", "history", "NMR price")  # fmt: skip
    assert [line.partition(":")[0] for line in lines] == [f"classic {part}" for part in parts]
    assert "new or changed" in lines[0]


def test_a_part_that_fails_makes_it_1_and_is_named(numebot: Callable[..., Any]) -> None:
    bot = numebot()
    bot.server.faults.switch_on(Fault(Kind.RETRY_AFTER, operation="v2Leaderboard", seconds=60))
    answer = sync(bot, "--json", "--full")
    assert answer.returncode == 1
    told = json.loads(answer.stdout)
    assert (told["tournament"], told["done"]) == (8, False)
    (failed,) = [part for part in told["parts"] if not part["done"]]
    assert failed["part"] == "leaderboard"
    assert "too many requests" in failed["error"]
    assert "The next sync repeats it" in answer.stderr
    assert bot.server.secret_key not in answer.stdout + answer.stderr


def test_without_a_key_it_is_wrong_configuration(numebot: Callable[..., Any]) -> None:
    bot = numebot()
    bot.key = ("", "")
    answer = sync(bot)
    assert answer.returncode == 2
    assert ".secret" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_scheduled_one_asks_for_nothing_when_nothing_can_be_new(numebot: Callable[..., Any]) -> None:
    bot = numebot()
    first = sync(bot, "--scheduled", "--json")
    assert first.returncode == 0, first.stderr
    assert "never read" in first.stderr
    assert json.loads(first.stdout)["done"]
    again = sync(bot, "--scheduled", "--json")
    assert json.loads(again.stdout) == {"tournament": 8, "done": True, "skipped": True, "parts": []}
    assert "nothing new" in again.stderr
    with bot.app() as app:
        noted = app.store.noted("next:results")
        assert noted is not None
        assert timedelta() < datetime.fromisoformat(noted["at"]) - app.clock.now() <= timedelta(hours=6)
    bot.server.world.advance(timedelta(days=1))
    assert not json.loads(sync(bot, "--scheduled", "--json").stdout)["skipped"]


def test_where_the_scoring_is_not_told_a_scheduled_one_reads_as_ever(numebot: Callable[..., Any]) -> None:
    bot = numebot()
    bot.server.faults.switch_on(Fault(Kind.UNKNOWN_FIELD, operation="pipelineStatus", field="scoredAt"))
    for _ in range(2):
        answer = sync(bot, "--scheduled", "--json")
        assert answer.returncode == 0, answer.stderr
        assert not json.loads(answer.stdout)["skipped"]
