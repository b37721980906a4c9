"""`numebot practice` as a person and as another process use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from numebot.cli.practice import command, default_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tiny(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options of a small tournament, its data shared with the other tests."""
    market = tmp_path_factory.getbasetemp() / "practice-market"
    return ["--port", "0", "--scale", "tiny", "--folder", str(tmp_path), "--market", str(market)]


def test_it_says_what_it_is_and_where_and_ends_with_its_input(tiny: list[str]) -> None:
    arguments = [*tiny, "--models", "a, b", "--until-eof"]
    script = "from numebot.cli.practice import command; command()"
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments, "--ready-json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as running:
        assert running.stdout is not None
        ready = json.loads(running.stdout.readline())
        _, said = running.communicate(timeout=20)
    assert running.returncode == 0
    assert set(ready) == {"url", "public_id", "secret_key"}
    told = ("nothing leaves this machine", "NUMEBOT_API_URL=", "NUMERAI_DATA_FOLDER=", "is open, deadline")
    for words in (*told, ready["url"], ready["public_id"]):
        assert words in said
    assert "a, b, practice_signals" in said


def test_the_terminate_signal_ends_it_cleanly(tiny: list[str]) -> None:
    script = "from numebot.cli.practice import command; command()"
    arguments = [*tiny, "--ready-json"]
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(
            [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            assert running.stdout.readline().startswith(b"{")
            os.kill(running.pid, number)
            assert running.wait(timeout=20) == 0
            assert b"it goes on where it stopped" in running.stderr.read()


def test_an_end_while_the_data_are_made_is_not_waited_for(tmp_path: Path) -> None:
    script = "from numebot.cli.practice import command; command()"
    arguments = ["--port", "0", "--scale", "full", "--folder", str(tmp_path), "--until-eof"]
    answer = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 1
    assert b"Starting" in answer.stderr
    assert b"Traceback" not in answer.stderr


def test_wrong_options_are_refused_before_anything_starts(tmp_path: Path) -> None:
    for arguments in (
        ["--port", "70000"],
        ["--window", "0"],
        ["--speed", "-1"],
        ["--open-late", "-5"],
        ["--scale", "huge"],
        ["--faults", str(tmp_path / "gone.toml")],
        ["--data", str(tmp_path / "gone")],
    ):
        answer = CliRunner().invoke(command, ["--folder", str(tmp_path / "folder"), *arguments])
        assert answer.exit_code == 2
        assert arguments[0] in answer.output
    assert not (tmp_path / "folder").exists()


def test_its_folder_is_its_own_and_not_that_of_run_practice() -> None:
    assert default_folder().parts[-3:] == ("numebot", "practice", "standalone")


def test_the_help_is_the_one_in_the_list_of_commands() -> None:
    assert command.get_short_help_str(100) == "Run a Numerai tournament on this machine, without an account."
