from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from numebot.adapters.housekeeping import LEFTOVER_AGE, Tidied, backup_path, backups, tidy
from numebot.core.errors import LocalTrouble

NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)


def made(path: Path, size_bytes: int = 10, *, age: timedelta = timedelta()) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size_bytes)
    when = (NOW - age).timestamp()
    os.utime(path, (when, when))
    return path


def tidied(folder: Path, *, newest_round: int = 1404, keep_rounds: int = 60, keep_backups: int = 7) -> Tidied:
    return tidy(folder, newest_round=newest_round, keep_rounds=keep_rounds, keep_backups=keep_backups, now=NOW)


def left(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_files_of_rounds_that_are_long_over_go_and_those_of_the_last_ones_stay(tmp_path: Path) -> None:
    for number in (1343, 1344, 1345, 1404):
        made(tmp_path / f"data/rounds/{number}/live.parquet", 1000)
        made(tmp_path / f"data/rounds/{number}/predictions/alpha.parquet")
        made(tmp_path / f"submissions/alpha/alpha_submission_{number}.csv")
        made(tmp_path / f"submissions/beta@signals/beta_submission_{number}.dry-run.csv")
    assert tidied(tmp_path) == Tidied(8, 2 * (1000 + 3 * 10))
    assert {name for name in left(tmp_path) if "1343" in name or "1344" in name} == set()
    assert len(left(tmp_path)) == 8
    assert not (tmp_path / "data/rounds/1344").exists()
    assert tidied(tmp_path) == Tidied()


def test_what_belongs_to_no_round_stays(tmp_path: Path) -> None:
    names = (
        "numebot.db",
        "numebot.db-wal",
        "data/v5.3/train.parquet",
        "data/rounds/notes.txt",
        "data/rounds/12x/live.parquet",
        "models/alpha/20261101T000000Z/manifest.json",
        "submissions/alpha/mine.csv",
        "submissions/alpha/submission_1.csv.bak",
        "backups/by-hand.db",
    )
    for name in names:
        made(tmp_path / name, age=timedelta(days=1000))
    assert tidied(tmp_path) == Tidied()
    assert left(tmp_path) == set(names)


def test_before_the_first_round_nothing_is_old(tmp_path: Path) -> None:
    made(tmp_path / "data/rounds/1/live.parquet")
    made(tmp_path / "submissions/alpha/alpha_submission_0.csv")
    assert tidied(tmp_path, newest_round=0) == Tidied()


def test_the_newest_backups_stay(tmp_path: Path) -> None:
    paths = [made(backup_path(tmp_path, NOW - timedelta(days=day))) for day in range(10)]
    assert backups(tmp_path) == sorted(paths)
    assert tidied(tmp_path, keep_backups=3).files == 7
    assert backups(tmp_path) == sorted(paths[:3])
    assert tidied(tmp_path, keep_backups=3) == Tidied()


def test_leftovers_of_killed_attempts_go_after_a_day(tmp_path: Path) -> None:
    old, young = LEFTOVER_AGE + timedelta(minutes=1), LEFTOVER_AGE - timedelta(minutes=1)
    made(tmp_path / "data/v5.3/.train.parquet.aa.part", 500, age=old)
    made(tmp_path / "data/v5.3/.train.parquet.bb.part", age=young)
    made(tmp_path / "data/v5.3/train.part", age=old)
    draft = made(tmp_path / "models/alpha/.0a1b.part/weights", 70, age=old).parent
    os.utime(draft, ((NOW - old).timestamp(),) * 2)
    assert tidied(tmp_path) == Tidied(2, 570)
    assert left(tmp_path) == {"data/v5.3/.train.parquet.bb.part", "data/v5.3/train.part"}


def test_what_a_link_points_to_outside_is_not_touched(tmp_path: Path) -> None:
    outside = made(tmp_path / "outside/live.parquet")
    folder = tmp_path / "home"
    (folder / "data/rounds").mkdir(parents=True)
    (folder / "data/rounds/1").symlink_to(outside.parent)
    tidied(folder)
    assert outside.exists()
    assert not (folder / "data/rounds/1").exists()


def test_a_folder_that_is_not_there_is_tidy(tmp_path: Path) -> None:
    assert tidied(tmp_path / "missing") == Tidied()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs a folder that even root cannot empty: Linux")
def test_what_cannot_be_removed_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rounds").symlink_to("/proc/self/task")
    with pytest.raises(LocalTrouble, match=f"data/rounds/{os.getpid()}"):
        tidied(tmp_path, newest_round=os.getpid() + 60)


def test_backups_before_upgrades_are_counted_for_themselves(tmp_path: Path) -> None:
    for day in range(4):
        made(backup_path(tmp_path, NOW - timedelta(days=day)))
        made(backup_path(tmp_path, NOW - timedelta(days=day), before_upgrade_from=f"000{day}"))
        made(backup_path(tmp_path, NOW - timedelta(days=day, hours=1)).with_suffix(".dump"))
    assert len(backups(tmp_path)) == 12
    assert backups(tmp_path) == sorted(backups(tmp_path), key=lambda path: path.name[:24])
    assert tidied(tmp_path, keep_backups=2).files == 8
    assert [path.name for path in backups(tmp_path)] == [
        "numebot-20261123T033000Z-before-upgrade-from-0001.db",
        "numebot-20261124T023000Z.dump",
        "numebot-20261124T033000Z.db",
        "numebot-20261124T033000Z-before-upgrade-from-0000.db",
    ]
