from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from numebot.adapters.clock import SystemClock
from numebot.adapters.lease import lease
from numebot.cli import COMMANDS, cli

ROOT = Path(__file__).parents[2]


def numebot(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMERAI", "NUMEBOT"))}
    return subprocess.run(
        [sys.executable, "-m", "numebot", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**clean, **environ},
        cwd=ROOT,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An owner's folder without settings, keys or models."""
    (tmp_path / "model_configs.csv").write_text("numerai_name,model_code\nalpha,models.feature_mean\n")
    return {
        "NUMEBOT_HOME": str(tmp_path),
        "NUMERAI_DATA_FOLDER": str(tmp_path / "numerai_data"),
        "NUMEBOT_PATHS__PRACTICE_FOLDER": str(tmp_path / "practice"),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_the_group_and_of_the_command_agree(name: str) -> None:
    command = cli.get_command(cli.make_context("numebot", [], resilient_parsing=True), name)
    assert command is not None
    assert command.get_short_help_str(limit=200) == COMMANDS[name]


def test_a_command_that_is_none_is_wrong_use() -> None:
    result = CliRunner().invoke(cli, ["rnu"])
    assert result.exit_code == 2
    assert "rnu" in result.output


def test_without_a_key_run_ends_with_2_and_says_what_to_do(home: dict[str, str]) -> None:
    answer = numebot("run", **home)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert ".secret" in answer.stderr
    assert "upload_submission" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_half_a_key_is_an_error_and_never_shown(home: dict[str, str]) -> None:
    answer = numebot("run", **home, NUMERAI_PUBLIC_ID="CANARYCANARY")
    assert answer.returncode == 2
    assert "NUMERAI_SECRET_KEY" in answer.stderr
    assert "CANARY" not in answer.stderr + answer.stdout


def test_optimised_python_is_refused(home: dict[str, str]) -> None:
    answer = numebot("run", **home, PYTHONOPTIMIZE="1")
    assert answer.returncode == 2
    assert "-O" in answer.stderr


def test_a_data_folder_that_cannot_be_written_is_told_in_words(home: dict[str, str], tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    home["NUMERAI_DATA_FOLDER"] = str(blocked / "below")
    key = {"NUMERAI_PUBLIC_ID": "CANARYCANARY", "NUMERAI_SECRET_KEY": "CANARYSECRET"}
    answer = numebot("run", **home, **key)
    assert answer.returncode == 1
    assert str(blocked) in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "CANARY" not in answer.stderr + answer.stdout


def test_an_unreachable_server_is_1_and_not_closed(home: dict[str, str]) -> None:
    key = {"NUMERAI_PUBLIC_ID": "CANARYCANARY", "NUMERAI_SECRET_KEY": "CANARYSECRET"}
    quick = {f"NUMEBOT_API__{kind}_TIMEOUT_S": "1" for kind in ("TOTAL", "CONNECT", "READ")}
    answer = numebot("run", "--json", **home, **key, **quick, NUMEBOT_API_URL="http://127.0.0.1:9")
    assert answer.returncode == 1, answer.stderr
    assert json.loads(answer.stdout)["state"] == "unknown"
    assert "not the same as closed" in answer.stderr
    assert "CANARY" not in answer.stderr + answer.stdout


def test_two_runs_at_once_are_one_and_a_message(home: dict[str, str]) -> None:
    key = {"NUMERAI_PUBLIC_ID": "CANARYCANARY", "NUMERAI_SECRET_KEY": "CANARYSECRET"}
    with lease(Path(home["NUMERAI_DATA_FOLDER"]), "run", SystemClock()):
        answer = numebot("run", **home, **key, NUMEBOT_API_URL="http://127.0.0.1:9")
    assert answer.returncode == 1
    assert f"another numebot, process {os.getpid()} on" in answer.stderr


def test_status_does_not_tie_the_database_to_a_server(home: dict[str, str]) -> None:
    assert numebot("status", **home).returncode == 0
    assert numebot("status", **home, NUMEBOT_API_URL="http://127.0.0.1:9").returncode == 0


def test_an_answer_that_cannot_be_written_is_no_traceback(home: dict[str, str]) -> None:
    environ = {**os.environ, **home}
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "numebot", "status", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environ,
            text=True,
            cwd=ROOT,
            check=False,
        )
    assert answer.returncode != 0
    assert "Traceback" not in answer.stderr


def test_status_before_the_first_round_says_what_to_type(home: dict[str, str]) -> None:
    answer = numebot("status", **home)
    assert answer.returncode == 0, answer.stderr
    assert "numebot run" in answer.stdout


def test_status_needs_no_heavy_library(home: dict[str, str]) -> None:
    script = (
        "import sys\n"
        "sys.argv = ['numebot', 'status', '--json']\n"
        "from numebot.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'pandas', 'numpy', 'numerapi', 'lightgbm', 'xgboost', 'pyarrow', 'sklearn', 'requests', 'ariadne'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    environ = {**os.environ, **home}
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environ, cwd=ROOT, check=True
    )
    document = json.loads(answer.stdout)
    assert document == {
        "tournament": 8,
        "round": None,
        "opens_at": None,
        "closes_at": None,
        "models": [],
        "next_round": None,
        "daemon": dict.fromkeys(
            ("pid", "started_at", "finished_at", "next_look_at", "reason", "trouble", "states"), None
        )
        | {"is_alive": False},
    }
    assert answer.stderr.strip().endswith("[]")


def test_models_shows_each_row_and_its_problem(home: dict[str, str], tmp_path: Path) -> None:
    with (tmp_path / "model_configs.csv").open("a") as file:
        file.write("beta,models.feature_maen\n")
    answer = numebot("models", "--json", **home)
    assert answer.returncode == 1
    alpha, beta = json.loads(answer.stdout)
    assert alpha["problem"] is None
    assert 'Did you mean "models.feature_mean"' in beta["problem"]
    table = numebot("models", **home).stdout
    assert "alpha" in table
    assert "models.feature_maen" in table
