"""`numebot models new|check|enable|disable` in real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from numebot.adapters.plugin_files.files import kinds
from numebot.adapters.plugin_files.kinds import KINDS
from numebot.cli import models

ROOT = Path(__file__).parents[2]
NEEDS_NO_LIBRARY = [name for name in kinds() if KINDS[name].library is None]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "model_configs.csv").write_text("# mine\nnumerai_name,model_code\nalpha,models.feature_mean\n")
    return tmp_path


def numebot(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMERAI", "NUMEBOT"))}
    own = {"NUMEBOT_HOME": str(home), "NUMERAI_DATA_FOLDER": str(home / "numerai_data")}
    return subprocess.run(
        [sys.executable, "-m", "numebot", *arguments],
        capture_output=True, text=True, timeout=300, env={**clean, **own, **variables}, cwd=home, check=False,
    )  # fmt: skip


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder, check=False)


@pytest.mark.parametrize("name", models.COMMANDS)
def test_the_help_of_the_group_and_of_the_command_agree(name: str) -> None:
    command = models.command.get_command(models.command.make_context("models", [], resilient_parsing=True), name)
    assert command is not None
    assert command.get_short_help_str(limit=200) == models.COMMANDS[name]


def test_alone_it_lists_as_ever(home: Path) -> None:
    alone, listed = numebot(home, "models", "--json"), numebot(home, "models", "list", "--json")
    assert (alone.returncode, alone.stdout) == (0, listed.stdout)
    assert [row["name"] for row in json.loads(alone.stdout)] == ["alpha"]
    assert not (home / "numerai_data" / "numebot.db").exists()


@pytest.mark.sampled(0.3)
@pytest.mark.parametrize("kind", NEEDS_NO_LIBRARY)
@pytest.mark.slow
def test_a_new_plugin_keeps_the_contract_and_passes_its_test(home: Path, kind: str) -> None:
    answer = numebot(home, "models", "new", "my-model", "--from", kind)
    assert answer.returncode == 0, answer.stderr
    plugin, test = map(Path, answer.stdout.split())
    name = f"my_model{KINDS[kind].suffix}"
    assert (plugin, test) == (home / "models" / name, home / "models" / "test_my_model.py")
    rows = json.loads(numebot(home, "models", "--json").stdout)
    assert [(row["name"], row["enabled"], row["problem"]) for row in rows] == [
        ("alpha", True, None), ("my-model", False, None),
    ]  # fmt: skip
    first, header, row, *_ = (home / "model_configs.csv").read_text().splitlines()
    assert (first, row) == ("# mine", "alpha,models.feature_mean")
    assert header.startswith("numerai_name,model_code,enabled")
    tested = pytest_in(home, str(test))
    assert tested.returncode == 0, tested.stdout
    checked = numebot(home, "models", "check", "my-model")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "BROKEN" not in checked.stdout


def test_torch_is_a_plugin_for_who_has_it(home: Path) -> None:
    answer = numebot(home, "models", "new", "deep", "--from", "torch")
    assert answer.returncode == 0, answer.stderr
    compile((home / "models" / "deep.py").read_text(), "deep.py", "exec")
    tested = pytest_in(home, "models/test_deep.py")
    if "1 passed" not in tested.stdout:
        assert "pip install torch" in tested.stdout
        assert "1 skipped" in tested.stdout
        checked = numebot(home, "models", "check", "deep")
        assert checked.returncode == 1
        assert "No module named 'torch'" in checked.stdout


def test_a_private_folder_gets_the_plugin_when_there_is_one(home: Path) -> None:
    (home / "private").mkdir()
    private = {"NUMEBOT_MODELS__PLUGINS_FOLDER": str(home / "private")}
    answer = numebot(home, "models", "new", "mine", **private)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == [str(home / "private" / "mine.py"), str(home / "private" / "test_mine.py")]
    assert pytest_in(home, "private/test_mine.py").returncode == 0
    checked = numebot(home, "models", "check", "mine", **private)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_program_is_a_plugin_in_a_private_folder_too(home: Path) -> None:
    (home / "private").mkdir()
    private = {"NUMEBOT_MODELS__PLUGINS_FOLDER": str(home / "private")}
    answer = numebot(home, "models", "new", "mine", "--from", "command", **private)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == [str(home / "private" / "mine.sh"), str(home / "private" / "test_mine.py")]
    assert "numebot train" not in answer.stderr
    assert pytest_in(home, "private/test_mine.py").returncode == 0
    checked = numebot(home, "models", "check", "mine", **private)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (home / "private" / "mine.sh").write_text("exit 4\n")
    broken = numebot(home, "models", "check", "mine", **private)
    assert broken.returncode == 1
    assert "exit code 4" in broken.stdout


def test_nothing_is_overwritten(home: Path) -> None:
    assert numebot(home, "models", "new", "mine").returncode == 0
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    again = numebot(home, "models", "new", "mine", "--from", "xgboost")
    assert again.returncode == 2
    assert "line 4" in again.stderr
    (home / "models" / "other.py").write_text("# precious")
    other = numebot(home, "models", "new", "other")
    assert other.returncode == 2
    assert "not overwritten" in other.stderr
    (home / "models" / "other.py").unlink()
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["random", "example_xgboost", "../evil", "a b"])
def test_a_name_that_would_be_mistaken_is_refused(home: Path, name: str) -> None:
    answer = numebot(home, "models", "new", name)
    assert answer.returncode == 2, answer.stdout
    assert "Traceback" not in answer.stderr
    assert not (home / "models").exists()


@pytest.mark.slow
def test_what_is_written_into_a_checkout_passes_its_own_checks(tmp_path: Path) -> None:
    for name in ("numebot", "models"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests" / "models").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "model_configs.csv").write_text("numerai_name,model_code\n")
    for kind in kinds():
        answer = numebot(tmp_path, "models", "new", f"new_{kind}", "--from", kind)
        assert answer.returncode == 0, answer.stderr
    written = [str(path) for path in tmp_path.rglob("*new_*.py")]
    assert len(written) == 2 * len(kinds()) - 1, "a program is no Python"
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *written], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert linted.returncode == 0, linted.stdout
    formed = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", *written],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert formed.returncode == 0, formed.stdout
    # In the checkout, so that what mypy knows of numebot already is not found out anew.
    apart = [shutil.copy(path, tmp_path) for path in written if not Path(path).name.startswith("test_")]
    typed = subprocess.run(
        [sys.executable, "-m", "mypy", *apart], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert typed.returncode == 0, typed.stdout


def test_models_are_switched_on_and_off(home: Path) -> None:
    off = numebot(home, "models", "disable", "alpha")
    assert (off.returncode, off.stdout) == (0, "alpha: disabled\n")
    assert (home / "model_configs.csv").read_text() == (
        "# mine\nnumerai_name,model_code,enabled\nalpha,models.feature_mean,False\n"
    )
    assert numebot(home, "models", "disable", "alpha").stdout == "alpha: was disabled already\n"
    on = numebot(home, "models", "enable", "alpha")
    assert (on.returncode, on.stdout) == (0, "alpha: enabled\n")
    unknown = numebot(home, "models", "enable", "alpah", "alpha")
    assert unknown.returncode == 2
    assert 'Did you mean "alpha"' in unknown.stderr


def test_a_row_without_code_is_not_enabled(home: Path) -> None:
    with (home / "model_configs.csv").open("a") as file:
        file.write("beta,\n")
    answer = numebot(home, "models", "enable", "alpha", "beta")
    assert answer.returncode == 2
    assert "beta (line 4)" in answer.stderr
    assert "enabled" not in (home / "model_configs.csv").read_text()


BAD = {
    "constant": ("return pd.Series(1.0, index=live.index)", "numbers are not all equal"),
    "random": ("return np.random.rand(len(live))", "same input, same output"),
    "writes": ("live[:] = 0\n        return np.arange(len(live))", "input stays untouched"),
    "nan": ("return live.mean(axis=1).where(live.iloc[:, 0] > 0)", "numbers are finite"),
    "short": ("return np.zeros(3)", "one number per id"),
    "raises": ("raise KeyError('feature_x')", "works at all"),
    "position": ("return np.arange(len(live), dtype=float)", "ids keep their numbers in any order"),
}


@pytest.mark.sampled(0.3)
@pytest.mark.parametrize("name", BAD)
def test_a_broken_promise_is_named_and_ends_with_1(home: Path, name: str) -> None:
    body, promise = BAD[name]
    (home / "bad.py").write_text(
        "import numpy as np\nimport pandas as pd\nfrom numebot.plugin import Model\n\n\n"
        f"class Bad(Model):\n    def predict(self, live):\n        {body}\n"
    )
    (home / "model_configs.csv").write_text("numerai_name,model_code\nbad,bad.py\n")
    answer = numebot(home, "models", "check", "bad", "--json")
    assert answer.returncode == 1, answer.stderr
    (report,) = json.loads(answer.stdout)
    assert not report["kept"]
    assert promise in [one["promise"] for one in report["findings"] if one["kept"] is False]
