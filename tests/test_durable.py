from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from numebot.core.errors import LocalTrouble
from numebot.durable import TEMPORARY_SUFFIX, make_folder, remove_unfinished, whole_file, write_whole


def test_a_file_appears_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.txt"
    write_whole(path, "hello")
    assert path.read_text() == "hello"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["x.txt"]


def fill_and_fail(path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text("half of the new")
        raise RuntimeError("power cut")


def test_an_interrupted_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    write_whole(path, "old")
    with pytest.raises(RuntimeError, match="power cut"):
        fill_and_fail(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def lose_the_connection(path: Path) -> None:
    with whole_file(path):
        raise ConnectionResetError("by the server")


def test_an_error_of_the_caller_is_not_taken_for_the_disks(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError, match="by the server"):
        lose_the_connection(tmp_path / "x")


def test_two_writers_never_share_a_temporary_file(tmp_path: Path) -> None:
    with whole_file(tmp_path / "x") as one, whole_file(tmp_path / "x") as other:
        assert one != other


DIES_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from numebot.durable import whole_file
with whole_file(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_writer_removes_what_a_killed_one_left_and_no_file_of_a_living_one(tmp_path: Path) -> None:
    path = tmp_path / "x[1].txt"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", DIES_WHILE_WRITING, str(path)], check=False)
        assert len(list(tmp_path.iterdir())) == 1
    with whole_file(path) as mine:
        write_whole(path, "by another writer")
        mine.write_text("mine")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / f".x.parquet.abc{TEMPORARY_SUFFIX}").write_text("half")
    (tmp_path / "x.parquet").write_text("whole")
    assert remove_unfinished(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]
    assert remove_unfinished(tmp_path / "not there") == 0


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalTrouble, match="Not a directory"):
        write_whole(tmp_path / "file" / "below" / "x", "hello")


def small_disk(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script with a disk of 200 kB mounted on `folder`, in a mount namespace of its own."""
    mounted = f'mount -t tmpfs -o size=600k tmpfs "{folder}" && exec "{sys.executable}" -c \'{script}\' "{folder}"'
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def needs_namespaces(folder: Path) -> None:
    if shutil.which("unshare") is None or small_disk("pass", folder).returncode != 0:
        pytest.skip("needs `unshare` and user namespaces (sysctl kernel.unprivileged_userns_clone=1) for a small disk")


def test_a_full_disk_is_told_in_words_and_the_old_file_stays(tmp_path: Path) -> None:
    needs_namespaces(tmp_path)
    script = """
import pathlib, sys
from numebot.core.errors import LocalTrouble
from numebot.durable import write_whole
path = pathlib.Path(sys.argv[1]) / "x"
write_whole(path, b"old")
try:
    write_whole(path, b"0" * 1_000_000)
except LocalTrouble as error:
    print(error)
print(path.read_bytes(), len(list(path.parent.iterdir())))
"""
    answer = small_disk(script, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "the disk is full. Nothing was lost" in answer.stdout
    assert answer.stdout.strip().endswith("b'old' 1")


def test_a_database_on_a_full_disk_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    needs_namespaces(tmp_path)
    script = """
import pathlib, sys
from datetime import UTC, datetime
from numebot.adapters.store import Store
from numebot.core.errors import LocalTrouble
from numebot.core.types import Event
store = Store(f"sqlite:///{sys.argv[1]}/numebot.db")
at, kept = datetime(2026, 11, 24, tzinfo=UTC), 0
try:
    for number in range(1000):
        store.record(Event(at, "test", "x" * 2000))
        kept += 1
except LocalTrouble as error:
    print(error)
print(kept == len(store.events(limit=10_000)), 0 < kept < 1000)
"""
    answer = small_disk(script, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "numebot.db: the disk is full. Nothing was lost" in answer.stdout
    assert answer.stdout.strip().endswith("True True")


def test_new_folders_are_synced_into_the_folder_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}"))))
    make_folder(tmp_path / "data" / "rounds" / "1404", mode=0o700)
    assert synced == [tmp_path, tmp_path / "data", tmp_path / "data" / "rounds"]
    assert stat.S_IMODE((tmp_path / "data" / "rounds" / "1404").stat().st_mode) == 0o700
    make_folder(tmp_path / "data" / "rounds" / "1404")
    assert len(synced) == 3


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "data")
    with pytest.raises(LocalTrouble, match="data"):
        write_whole(tmp_path / "data" / "x.txt", "hello")
