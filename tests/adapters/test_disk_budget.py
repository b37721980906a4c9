from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from numebot.adapters.disk_budget import LEAST_ROUNDS, Needs, over_budget, size_of

NEEDS = Needs(1404)


def made(folder: Path, name: str, size_bytes: int = 100, *, day: int = 0) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b" " * size_bytes)
    os.utime(path, (day * 86400, day * 86400))
    return path


def version(folder: Path, name: str, data_version: str = "v5.3", *, day: int = 0) -> None:
    made(folder, f"models/{name}/weights", 1000, day=day)
    manifest = made(folder, f"models/{name}/manifest.json", day=day)
    manifest.write_text(json.dumps({"data_version": data_version}))
    os.utime(manifest, (day * 86400, day * 86400))


def gone(folder: Path, budget_bytes: int = 0, needs: Needs = NEEDS) -> list[str]:
    return [str(path.relative_to(folder)) for path in over_budget(folder, budget_bytes, needs)]


def test_the_oldest_go_first_and_no_more_than_must(tmp_path: Path) -> None:
    for number in range(1390, 1405):
        made(tmp_path, f"data/rounds/{number}/live.parquet", 1000, day=number)
    assert size_of(tmp_path) == 15_000
    assert gone(tmp_path, 15_000) == []
    assert gone(tmp_path, 14_999) == ["data/rounds/1390"]
    assert gone(tmp_path, 13_000) == ["data/rounds/1390", "data/rounds/1391"]


def test_the_newest_rounds_stay_whatever_the_budget(tmp_path: Path) -> None:
    for number in (1399, 1400, 1404):
        made(tmp_path, f"data/rounds/{number}/live.parquet")
        made(tmp_path, f"submissions/alpha/alpha_submission_{number}.csv")
    assert LEAST_ROUNDS == 5
    assert gone(tmp_path) == ["data/rounds/1399", "submissions/alpha/alpha_submission_1399.csv"]
    assert gone(tmp_path, needs=Needs(0)) == [], "before the first round nothing is old"


def test_earlier_trained_versions_go_but_those_that_a_round_may_need_stay(tmp_path: Path) -> None:
    for number in range(1, 6):
        version(tmp_path, f"alpha/{number}", day=number)
    (tmp_path / "models/alpha/current").write_text("4\n")
    (tmp_path / "models/alpha/.draft.part").mkdir()
    version(tmp_path, "beta/1")
    version(tmp_path, "beta/2")
    assert gone(tmp_path) == ["models/alpha/1", "models/alpha/2"], "3 is the previous one, 5 was made just now"
    assert gone(tmp_path, needs=Needs(1404, frozenset({"2"}))) == ["models/alpha/1"]


def test_earlier_data_versions_go_unless_a_model_or_the_owner_wants_them(tmp_path: Path) -> None:
    for name in ("v4.3", "v5.2", "v5.10", "v5.9"):
        made(tmp_path, f"data/{name}/train.parquet")
    assert gone(tmp_path) == ["data/v4.3", "data/v5.2", "data/v5.9"]
    version(tmp_path, "alpha/1", "v5.2")
    assert gone(tmp_path, needs=Needs(1404, data_version="v4.3")) == ["data/v5.9"]


@pytest.mark.parametrize(
    "name",
    [
        "numebot.db",
        "numebot.db-wal",
        "numebot.db.replaced-20261124T120000Z",
        "backups/numebot-20261124T033000Z.db",
        "logs/alpha.log",
        "data/v5.3/train.parquet",
        "data/rounds/notes.txt",
        "data/rounds/12x/live.parquet",
        "submissions/alpha/mine.csv",
        "anything/else",
    ],
)
def test_what_is_not_known_to_be_old_stays(tmp_path: Path, name: str) -> None:
    made(tmp_path, name)
    assert gone(tmp_path) == []


def test_logs_that_were_put_aside_go_and_links_are_left_alone(tmp_path: Path) -> None:
    made(tmp_path, "logs/alpha.log.old")
    (tmp_path / "data/rounds").mkdir(parents=True)
    (tmp_path / "data/rounds/1").symlink_to(tmp_path / "logs")
    assert gone(tmp_path) == ["logs/alpha.log.old"]
