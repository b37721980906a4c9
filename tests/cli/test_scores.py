"""`numebot scores` and `numebot export` as processes, beside a database that was filled before."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from numebot.adapters.store import Store
from numebot.core.results import Score
from numebot.core.types import AccountModel

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 16, 0, 30, tzinfo=UTC)
SCORE = Score(8, 1400, "m1", "corr60", 3, 0.0125, 0.75, "v1", NOW, False, "sub-1")

Numebot = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def numebot(tmp_path: Path) -> Numebot:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMERAI", "NUMEBOT"))}
    environ = {**clean, "NUMERAI_DATA_FOLDER": str(tmp_path), "HOME": str(tmp_path)}

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "numebot", *arguments]
        options = {"capture_output": True, "text": True, "timeout": 120, "cwd": ROOT, "check": False}
        return subprocess.run(command, env={**environ, **changes}, **options)  # type: ignore[call-overload]

    return run


@pytest.fixture
def filled(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/numebot.db")
    store.results.remember_listed(8, [AccountModel("m1", "old", 8), AccountModel("m2", "beta", 8)], now=NOW)
    store.results.remember_listed(8, [AccountModel("m1", "alpha", 8)], now=NOW + timedelta(days=1))
    store.results.remember_listed(11, [AccountModel("m3", "alpha", 11)], now=NOW)
    resolved = replace(SCORE, round_number=1300, is_resolved=True, day=60, value=-0.02, percentile=None)
    unheard = replace(SCORE, metric="never_heard_of", value=None, percentile=None)
    days = [replace(SCORE, day=day, value=day / 100) for day in (1, 2)]
    store.results.remember_scores([*days, SCORE, resolved, unheard, replace(SCORE, model_id="m2", round_number=1200)])
    store.results.remember_scores([replace(SCORE, tournament=11, model_id="m3", metric="alpha_score")])
    store.close()


@pytest.mark.usefixtures("filled")
def test_a_model_is_shown_round_by_round_running_and_resolved_apart(numebot: Numebot) -> None:
    answer = numebot("scores", "alpha")
    assert answer.returncode == 0, answer.stderr
    title, head, *lines = answer.stdout.splitlines()
    assert title == "Classic: alpha (formerly old)"
    assert head.split() == ["round", "state", "day", "corr60", "never_heard_of"]
    assert [line.split() for line in lines if line] == [
        ["1400", "running", "3", "+0.0125", "75%", "·"],
        ["mean", "running", "1", "rounds", "+0.0125", "·"],
        ["run", "running", "old", "to", "new", "▅"],
        ["1300", "resolved", "60", "-0.0200"],
        ["mean", "resolved", "1", "rounds", "-0.0200", "·"],
        ["run", "resolved", "old", "to", "new", "▅"],
    ]


@pytest.mark.usefixtures("filled")
def test_without_a_name_each_model_has_a_line_and_one_that_is_gone_says_so(numebot: Numebot) -> None:
    answer = numebot("scores")
    assert answer.returncode == 0, answer.stderr
    lines = [" ".join(line.split()) for line in answer.stdout.splitlines()[2:]]
    assert [line.partition(" 1 ")[0] for line in lines] == [
        "alpha (formerly old) resolved",
        "alpha (formerly old) running",
        "beta (no longer listed) running",
    ]


@pytest.mark.usefixtures("filled")
def test_one_metric_comes_with_its_daily_values(numebot: Numebot) -> None:
    answer = numebot("scores", "alpha", "--metric", "corr60", "--last", "1")
    assert "never_heard_of" not in answer.stdout
    assert "1300" not in answer.stdout
    (line,) = [line for line in answer.stdout.splitlines() if line.startswith("1400")]
    assert line.split() == ["1400", "running", "3", "+0.0125", "75%", "▁█▃"]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--metric", "tc"], "There are: corr60, never_heard_of."),
        (["alhpa"], 'Did you mean "alpha"?'),
        (["--last", "0"], "--last"),
        (["--tournament", "chess"], "signals"),
        (["--json", "--csv"], "exclude"),
    ],
)
def test_wrong_wishes_are_told_with_what_is_right(numebot: Numebot, arguments: list[str], words: str) -> None:
    answer = numebot("scores", *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.usefixtures("filled")
def test_json_and_csv_tell_the_same(numebot: Numebot) -> None:
    told = json.loads(numebot("scores", "old", "--json").stdout)
    assert told["tournament"] == 8
    (model,) = told["models"]
    assert (model["name"], model["model_id"], model["listed"], model["former_names"]) == ("alpha", "m1", True, ["old"])
    assert [(one["round"], one["resolved"]) for one in model["rounds"]] == [(1300, True), (1400, False)]
    running = {"metric": "corr60", "version": "v1", "mean": 0.0125, "rounds": 1}
    assert model["means"]["running"] == [running]
    rows = list(csv.DictReader(io.StringIO(numebot("scores", "old", "--csv").stdout)))
    assert [(row["round"], row["metric"], row["value"]) for row in rows] == [
        (str(one["round"]), score["metric"], "" if score["value"] is None else str(score["value"]))
        for one in model["rounds"]
        for score in one["scores"]
    ]


@pytest.mark.usefixtures("filled")
def test_the_same_name_in_another_tournament_is_another_model(numebot: Numebot) -> None:
    (model,) = json.loads(numebot("scores", "alpha", "--tournament", "signals", "--json").stdout)["models"]
    assert model["model_id"] == "m3"
    both = numebot("scores", "alpha", NUMEBOT_TOURNAMENT__PLAY="8,11").stdout
    assert "Classic: alpha (formerly old)" in both
    assert "Signals: alpha" in both


def test_before_the_first_sync_it_says_what_to_do(numebot: Numebot) -> None:
    answer = numebot("scores")
    assert (answer.returncode, answer.stdout) == (0, "")
    assert "numebot sync" in answer.stderr
    assert json.loads(numebot("scores", "--json").stdout) == []


@pytest.mark.usefixtures("filled")
def test_a_table_goes_to_stdout_or_into_a_file(numebot: Numebot, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(numebot("export", "scores").stdout)))
    assert len(rows) == 7
    assert (rows[0]["model"], rows[0]["metric"], rows[0]["round_number"]) == ("alpha", "corr60", "1300")
    out = tmp_path / "out.parquet"
    answer = numebot("export", "scores", "--out", str(out))
    assert answer.returncode == 0, answer.stderr
    assert pq.read_table(out).num_rows == 7
    again = numebot("export", "slots", "--out", str(out))
    assert (again.returncode, again.stdout) == (2, "")
    assert "--force" in again.stderr
    assert numebot("export", "slots", "--out", str(out), "--force").returncode == 0
    assert pq.read_table(out).num_rows == 3


def test_export_lists_the_tables_and_refuses_what_it_cannot_write(numebot: Numebot, tmp_path: Path) -> None:
    names = numebot("export").stdout.split()
    assert {"scores", "payouts", "submissions", "events"} <= set(names)
    wrong = numebot("export", "score")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "There are: " in wrong.stderr
    assert numebot("export", "scores", "--out", str(tmp_path / "x.xlsx")).returncode == 2


@pytest.mark.usefixtures("filled")
def test_quick_answers_load_no_heavy_library(numebot: Numebot, tmp_path: Path) -> None:
    script = (
        "import sys\nsys.argv = ['numebot', 'scores', 'alpha']\nfrom numebot.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'pandas', 'numpy', 'requests', 'numerapi', 'pyarrow', 'scipy', 'alembic'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)), 'sqlalchemy.dialects.postgresql' in sys.modules)\n"
    )
    environ = {"NUMERAI_DATA_FOLDER": str(tmp_path), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT, env=environ, timeout=120
    )
    assert "LOADED [] False" in answer.stdout, answer.stdout + answer.stderr
