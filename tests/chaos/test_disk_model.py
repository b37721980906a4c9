"""The model of a disk that the tests of power cuts believe in, and that it catches a program which does not sync."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.chaos.disk_model import Disk, by_chance, everything, nothing
from tests.chaos.power_checks import torn_files
from tests.chaos.replay import Replay
from tests.chaos.strace import calls, under_strace
from tests.machine_tools import needed


def kept_name(disk: Disk, path: str) -> None:
    disk.create(path)
    disk.fsync(".")


def test_a_write_without_fsync_can_vanish_stay_or_be_torn() -> None:
    disk = Disk()
    kept_name(disk, "x")
    disk.write("x", 0, b"a" * 2000)
    assert disk.after_power_cut(nothing) == {"x": b""}
    assert disk.after_power_cut(everything) == {"x": b"a" * 2000}
    lengths = {len(disk.after_power_cut(by_chance(random.Random(seed)))["x"] or b"") for seed in range(50)}
    assert lengths == {0, 512, 1024, 1536, 2000}
    disk.fsync("x")
    assert disk.after_power_cut(nothing) == {"x": b"a" * 2000}


def test_a_later_write_can_survive_an_earlier_one() -> None:
    disk = Disk()
    kept_name(disk, "x")
    disk.write("x", 0, b"first")
    disk.write("x", 5, b"second")
    states = {disk.after_power_cut(by_chance(random.Random(seed)))["x"] for seed in range(50)}
    assert {b"", b"first", b"firstsecond", b"\0\0\0\0\0second"} <= states


def test_a_new_name_is_lost_without_an_fsync_of_its_folder_even_when_the_bytes_are_safe() -> None:
    disk = Disk()
    disk.create("x")
    disk.write("x", 0, b"hello")
    disk.fsync("x")
    assert disk.after_power_cut(nothing) == {}
    disk.fsync(".")
    assert disk.after_power_cut(nothing) == {"x": b"hello"}


def test_a_new_folder_is_lost_with_all_that_was_synced_inside() -> None:
    disk = Disk()
    disk.mkdir("new")
    disk.create("new/x")
    disk.fsync("new/x")
    disk.fsync("new")
    assert disk.after_power_cut(nothing) == {}
    disk.fsync(".")
    assert disk.after_power_cut(nothing) == {"new": None, "new/x": b""}


def test_a_rename_without_fsync_of_the_folder_can_vanish_and_happens_at_once() -> None:
    disk = Disk()
    for path, content in (("x", b"old"), ("x.part", b"new")):
        kept_name(disk, path)
        disk.write(path, 0, content)
        disk.fsync(path)
    disk.rename("x.part", "x")
    assert disk.content("x") == b"new"
    assert disk.after_power_cut(nothing) == {"x": b"old", "x.part": b"new"}
    assert disk.after_power_cut(everything) == {"x": b"new"}
    disk.fsync(".")
    assert disk.after_power_cut(nothing) == {"x": b"new"}


def test_a_rename_can_arrive_before_the_bytes() -> None:
    disk = Disk()
    disk.create("x.part")
    disk.write("x.part", 0, b"new")
    disk.rename("x.part", "x")
    disk.fsync(".")
    assert disk.after_power_cut(nothing) == {"x": b""}


def test_a_removed_file_can_come_back() -> None:
    disk = Disk()
    kept_name(disk, "x")
    disk.remove("x")
    assert not disk.exists("x")
    assert disk.after_power_cut(nothing) == {"x": b""}
    assert disk.after_power_cut(everything) == {}


def test_a_shorter_file_can_be_long_again() -> None:
    disk = Disk()
    kept_name(disk, "x")
    disk.write("x", 0, b"hello")
    disk.fsync("x")
    disk.truncate("x", 2)
    assert disk.after_power_cut(nothing) == {"x": b"hello"}
    assert disk.after_power_cut(everything) == {"x": b"he"}


PROGRAM = """
import os, sys
folder, is_careful = sys.argv[1], sys.argv[2] == "careful"
os.mkdir(folder)
path = os.path.join(folder, "x.csv")
with open(path + ".part", "wb") as file:
    file.write(b"id,prediction" * 100)
    file.flush()
    if is_careful:
        os.fsync(file.fileno())
os.rename(path + ".part", path)
os.fsync(os.open(folder, os.O_RDONLY))
os.fsync(os.open(os.path.dirname(folder), os.O_RDONLY))
"""


@needed("strace", "strace")
@pytest.mark.parametrize("care", ["careful", "careless"])
def test_a_program_that_renames_without_fsync_is_caught(tmp_path: Path, care: str) -> None:
    folder = tmp_path / "folder"
    done = under_strace([sys.executable, "-c", PROGRAM, str(folder), care], tmp_path / "log")
    assert done.returncode == 0, done.stderr
    replay = Replay(folder)
    moments = replay.play(calls(tmp_path / "log"))
    torn = [torn_files(replay.disk.after_power_cut(nothing), replay.finals) for _ in moments]
    assert replay.disk.after_power_cut(everything) == {"folder": None, "folder/x.csv": (folder / "x.csv").read_bytes()}
    assert any(torn) == (care == "careless")
