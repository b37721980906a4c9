from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from numebot.cli.output import as_document

ROOT = Path(__file__).parents[2]


def test_numbers_that_json_does_not_know_become_null() -> None:
    document = as_document({"sharpe": float("nan"), "rows": [float("inf"), 0.5], "text": "x"})
    assert json.loads(document) == {"sharpe": None, "rows": [None, 0.5], "text": "x"}


def test_an_unexpected_error_is_told_without_the_key(tmp_path: Path) -> None:
    script = (
        "from numebot.app import open_app\n"
        "from numebot.cli.output import set_up_logging\n"
        "with open_app() as app:\n"
        "    set_up_logging(app)\n"
        "    raise RuntimeError('the key is ' + app.key.secret_key)\n"
    )
    environ = {
        **os.environ,
        "NUMEBOT_HOME": str(tmp_path),
        "NUMERAI_PUBLIC_ID": "CANARYPUBLIC",
        "NUMERAI_SECRET_KEY": "CANARYSECRET",
    }
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environ, cwd=ROOT, check=False
    )
    assert answer.returncode == 1
    assert "RuntimeError: the key is ********" in answer.stderr
    assert "CANARY" not in answer.stderr


def test_the_key_is_taken_out_of_the_environment(tmp_path: Path) -> None:
    script = (
        "import os\n"
        "from numebot.app import open_app\n"
        "with open_app() as app:\n"
        "    assert app.key.secret_key == 'CANARYSECRET'\n"
        "    print(sorted(name for name, value in os.environ.items() if 'CANARY' in value))\n"
    )
    environ = {**os.environ, "NUMEBOT_HOME": str(tmp_path), "PUBLIC_ID": "CANARY"}
    environ |= {"NUMERAI_PUBLIC_ID": "CANARYPUBLIC", "NUMERAI_SECRET_KEY": "CANARYSECRET"}
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environ, cwd=ROOT, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_the_log_has_no_handler_without_the_filter(tmp_path: Path) -> None:
    script = (
        "import logging\n"
        "from numebot.app import open_app\n"
        "from numebot.cli.output import set_up_logging\n"
        "with open_app() as app:\n"
        "    set_up_logging(app)\n"
        "print([len(handler.filters) for handler in logging.getLogger().handlers])\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMEBOT_HOME": str(tmp_path)},
        cwd=ROOT,
        check=True,
    )
    assert answer.stdout.strip() == "[1]"
