"""`numebot practice play`: a season, and what shows it afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sampled(0.5)

ROOT = Path(__file__).parents[1]


def numebot(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMERAI", "NUMEBOT"))}
    settings = {
        "NUMEBOT_HOME": str(home),
        "NUMEBOT_PATHS__PRACTICE_FOLDER": str(home / "practice"),
        "NUMEBOT_PRACTICE__SCALE": "tiny",
        "NUMEBOT_API__READ_TIMEOUT_S": "60",
        "NUMEBOT_API__TOTAL_TIMEOUT_S": "120",
    }
    command = [sys.executable, "-m", "numebot", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, cwd=ROOT,
                          env={**kept, **settings})  # fmt: skip


@pytest.mark.slow
def test_a_season_is_played_synced_and_shown(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "numebot.toml").touch()
    answer = numebot(tmp_path, "practice", "play", "--rounds", "5", "--json")
    assert answer.returncode == 0, answer.stderr
    season = json.loads(answer.stdout)
    assert season["last_round"] - season["first_round"] == 4
    assert season["on_time"] + season["late"] + season["missed"] == 5 * 2
    assert season["sync"]["done"]
    read = {part["part"]: part["read"] for part in season["sync"]["parts"]}
    assert read["scores"] > 50
    again = numebot(tmp_path, "sync", "--practice", "--json")
    assert again.returncode == 0, again.stderr
    news = {part["part"]: part["new"] for part in json.loads(again.stdout)["parts"]}
    assert (news["scores"], news["payouts"], news["submissions"]) == (0, 0, 0)
    shown = json.loads(numebot(tmp_path, "status", "--practice", "--json").stdout)
    assert shown["round"] == season["last_round"] + 1
    more = numebot(tmp_path, "practice", "play", "--rounds", "1", "--json")
    assert json.loads(more.stdout)["first_round"] == season["last_round"] + 1, more.stderr


def test_a_season_of_no_rounds_is_refused(tmp_path: Path) -> None:
    answer = numebot(tmp_path, "practice", "play", "--rounds", "0")
    assert answer.returncode == 2
    assert "--rounds" in answer.stderr
    assert not (tmp_path / "practice").exists()
