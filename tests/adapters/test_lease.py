from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from numebot.adapters.clock import SystemClock
from numebot.adapters.lease import LEASE_KEY, LOCK_FILE, UNKNOWN, Taken, holder_of, lease, place_of, shared_lease
from numebot.core.errors import LocalTrouble
from tests.fakes import FakeClock

HOLDS = """
import sys
from pathlib import Path
from numebot.adapters.clock import SystemClock
from numebot.adapters.clock import SystemClock
from numebot.adapters.lease import lease
with lease(Path(sys.argv[1]), "run", SystemClock()):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease of tmp_path until its input ends."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_one_at_a_time_and_the_other_one_is_named(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    with (
        pytest.raises(Taken, match=rf"another numebot, process {other.pid} on \S+ \(run, since .* UTC\), is at work"),
        lease(tmp_path, "serve", FakeClock()),
    ):
        pass
    holder = holder_of(tmp_path)
    assert holder is not None
    assert (holder.pid, holder.purpose) == (other.pid, "run")


def test_the_lease_of_a_killed_process_is_free_at_once(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    assert holder_of(tmp_path) is None
    with lease(tmp_path, "serve", FakeClock()):
        holder = holder_of(tmp_path)
        assert holder is not None
        assert (holder.pid, holder.purpose) == (os.getpid(), "serve")
    assert holder_of(tmp_path) is None


def test_who_is_at_work_can_be_waited_for(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    assert other.stdin is not None
    threading.Timer(0.3, other.stdin.close).start()
    with lease(tmp_path, "run", SystemClock(), wait_s=60):
        pass


def test_who_only_looks_keeps_nobody_from_it(tmp_path: Path) -> None:
    """`numebot status` holds the lock for a blink; a round may not be left out for that."""

    class Blink(FakeClock):
        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            os.close(descriptor)

    (tmp_path / LOCK_FILE).touch()
    descriptor = os.open(tmp_path / LOCK_FILE, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    with lease(tmp_path, "run", Blink()):
        pass


def test_other_locks_of_the_folder_are_others(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    with lease(tmp_path, "serve", FakeClock(), name="daemon.lock"):
        assert holder_of(tmp_path, "daemon.lock") is not None


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"null", b'{"pid": "x"}', b"\xff" * 3000])
def test_a_holder_whose_note_cannot_be_read_holds_it_all_the_same(tmp_path: Path, note: bytes) -> None:
    (tmp_path / LOCK_FILE).write_bytes(note)
    assert holder_of(tmp_path) is None
    descriptor = os.open(tmp_path / LOCK_FILE, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert holder_of(tmp_path) == UNKNOWN
        with pytest.raises(Taken, match="another numebot, unknown, is at work"), lease(tmp_path, "run", FakeClock()):
            pass
    finally:
        os.close(descriptor)


FORKS = """
import os, sys
from pathlib import Path
from numebot.adapters.clock import SystemClock
from numebot.adapters.clock import SystemClock
from numebot.adapters.lease import lease
with lease(Path(sys.argv[1]), "run", SystemClock()):
    worker = os.fork()
    if worker == 0:
        sys.stdin.read()
        os._exit(0)
    print(worker, flush=True)
    sys.stdin.read()
"""


def test_workers_that_outlive_a_killed_holder_do_not_keep_its_lease(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        try:
            assert holder_of(tmp_path) is not None
            process.kill()
            process.wait()
            # A fork lets go when it runs for the first time, which may be after its parent's end.
            with lease(tmp_path, "serve", SystemClock(), wait_s=60):
                os.kill(worker, 0)  # it is still there
        finally:
            os.kill(worker, signal.SIGKILL)


def test_a_fork_that_ends_does_not_free_the_lease(tmp_path: Path) -> None:
    with lease(tmp_path, "run", FakeClock()):
        worker = os.fork()
        if worker == 0:
            os._exit(0)
        os.waitpid(worker, 0)
        assert holder_of(tmp_path) is not None


def test_a_folder_that_cannot_be_written_is_trouble_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalTrouble), lease(tmp_path / "file" / "folder", "run", FakeClock()):
        pass


class Notes:
    """The row in memory; `is_down` is a database that cannot be written."""

    def __init__(self) -> None:
        self.row: Mapping[str, Any] | None = None
        self.is_down = False

    def change_note(self, key: str, change: Callable[..., Mapping[str, Any] | None]) -> Mapping[str, Any]:
        if self.is_down:
            raise LocalTrouble("the database is locked")
        assert key == LEASE_KEY
        before = self.row or {}
        after = change(before)
        self.row = before if after is None else after
        return before


HOUR = timedelta(hours=1)


def test_another_machine_that_shares_the_database_waits_until_the_lease_expires() -> None:
    notes, clock = Notes(), FakeClock()
    with shared_lease(notes, "run", clock, lasts=HOUR, place="one"):
        with (
            pytest.raises(Taken, match=r"another numebot on \S+ is at work in this database .* ends at 13:00:00 UTC"),
            shared_lease(notes, "run", clock, lasts=HOUR, place="two"),
        ):
            pass
        clock.wait(3600)
        with shared_lease(notes, "run", clock, lasts=HOUR, place="two"):
            pass


def test_it_is_free_for_others_after_its_end_and_for_the_same_place_after_a_kill() -> None:
    notes, clock = Notes(), FakeClock()
    with shared_lease(notes, "run", clock, lasts=HOUR, place="one"):
        row = notes.row
    with shared_lease(notes, "run", clock, lasts=HOUR, place="two"):
        pass
    notes.row = row  # as a killed process leaves it
    with shared_lease(notes, "run", clock, lasts=HOUR, place="one"):
        pass


def test_who_took_an_expired_lease_over_keeps_it() -> None:
    notes, clock = Notes(), FakeClock()
    with shared_lease(notes, "run", clock, lasts=HOUR, place="one"):
        clock.wait(3600)
        late = shared_lease(notes, "run", clock, lasts=HOUR, place="two")
        late.__enter__()
    assert notes.row is not None
    assert notes.row["place"] == "two"
    late.__exit__(None, None, None)
    assert notes.row == {}


@pytest.mark.parametrize("row", [{}, {"place": "two"}, {"place": "two", "expires_at": "soon"}, {"host": "old form"}])
def test_a_row_without_a_time_holds_nobody_up(row: Mapping[str, object]) -> None:
    notes = Notes()
    notes.row = row
    with shared_lease(notes, "run", FakeClock(), lasts=HOUR, place="one"):
        pass


def test_a_database_that_is_gone_at_the_end_is_no_error_of_the_work() -> None:
    notes = Notes()
    with shared_lease(notes, "run", FakeClock(), lasts=HOUR, place="one"):
        notes.is_down = True


def test_a_place_is_known_by_its_folder_whatever_the_machine_is_called(tmp_path: Path) -> None:
    """A container has a new name at each start; its data folder stays."""
    place = place_of(tmp_path / "one")
    assert place == place_of(tmp_path / "one")
    assert place != place_of(tmp_path / "two")
    assert len(place) >= 16
