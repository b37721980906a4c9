"""`numebot config` on a real process: what goes to stdout, what to stderr, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from numebot.cli import COMMANDS
from numebot.cli.config import command

ROOT = Path(__file__).parents[2]
PUBLIC, SECRET = "PUBLICCANARY", "SECRETCANARY"


def config(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMEBOT_", "NUMERAI_"))}
    return subprocess.run(
        [sys.executable, "-m", "numebot", "config", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
        env={**kept, "NUMEBOT_HOME": str(home), **variables},
    )


def test_every_setting_is_shown_on_one_line_of_a_pipe_with_its_origin(tmp_path: Path) -> None:
    folder = "/srv/" + "long/" * 40 + "data"
    (tmp_path / ".env").write_text(f"NUMERAI_DATA_FOLDER={folder}\n")
    answer = config(tmp_path, COLUMNS="40", NUMEBOT_LOG__LEVEL="DEBUG")
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert answer.returncode == 0
    assert ["paths.data_folder", folder, ".env", "line", "1"] in lines
    assert ["log.level", "DEBUG", "environment", "NUMEBOT_LOG__LEVEL"] in lines
    assert ["submission.deadline_margin_s", "120", "default"] in lines
    assert ["SECRET_KEY", "not", "set"] in lines
    assert "chmod 600" in answer.stderr


def test_a_key_is_shown_by_its_source_alone_and_bad_keeping_is_warned_of(tmp_path: Path) -> None:
    secret = tmp_path / ".secret"
    secret.write_text(f"PUBLIC_ID={PUBLIC}\nSECRET_KEY={SECRET}\n")
    secret.chmod(0o644)
    answer = config(tmp_path)
    assert ["SECRET_KEY", "********", ".secret"] in [line.split() for line in answer.stdout.splitlines()]
    assert f"chmod 600 {secret}" in answer.stderr
    assert f"chmod 600 {secret}" not in answer.stdout
    document = json.loads(config(tmp_path, "--json").stdout)
    assert document["api_key"] == {"public_id": "********", "secret_key": "********", "from": ".secret"}
    assert [f"chmod 600 {secret}" in warning for warning in document["warnings"]] == [True]
    assert not {PUBLIC, SECRET} & set(f"{answer.stdout} {answer.stderr} {document}".replace("'", " ").split())


def test_json_holds_every_value_in_its_own_type(tmp_path: Path) -> None:
    document = json.loads(config(tmp_path, "--json").stdout)
    assert document["home"] == str(tmp_path)
    assert document["settings"]["submission"]["deadline_margin_s"] == {"value": 120, "from": "default"}
    assert document["settings"]["tournament"]["play"] == {"value": ["classic"], "from": "default"}
    assert document["api_key"] is None


def test_problems_of_settings_and_key_end_with_code_2_and_say_everything(tmp_path: Path) -> None:
    (tmp_path / ".secret").write_text(f"SECRET_KEY={SECRET}\n")
    (tmp_path / ".env").write_text("NUMEBOT_LOG__LEVEL=LOUD\n")
    answer = config(tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert ".env line 1, NUMEBOT_LOG__LEVEL" in answer.stderr
    assert ".secret line 1, SECRET_KEY: is only half of the key" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert SECRET not in answer.stderr


def test_an_unusable_env_file_is_said_once(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    answer = config(tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.count(".env: is a folder") == 1


def test_values_with_brackets_survive_a_terminal(tmp_path: Path) -> None:
    no_key = dict.fromkeys(("NUMERAI_PUBLIC_ID", "NUMERAI_SECRET_KEY"))
    terminal = {"FORCE_COLOR": "1", "COLUMNS": "90"}
    settings = {"NUMEBOT_HOME": str(tmp_path), "NUMERAI_DATA_FOLDER": "/srv/[bold]x"}
    answer = CliRunner(env={**no_key, **terminal, **settings}).invoke(command, [], catch_exceptions=False)
    assert "/srv/[bold]x" in answer.stdout


def test_the_one_line_help_is_the_one_of_the_command_list() -> None:
    assert command.get_short_help_str(limit=200) == COMMANDS["config"]
