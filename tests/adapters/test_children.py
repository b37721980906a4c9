from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from numebot.adapters.children import PARENT_VARIABLE, Child, kill_family, start_child
from numebot.adapters.clock import SystemClock
from numebot.core.errors import LocalTrouble

DEADLINE_S = 60
CLOCK = SystemClock()

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="families are found through /proc: run it on Linux")

FAMILY = """
import os, subprocess, sys, time
ids = [subprocess.Popen(["sleep", "600"], start_new_session=own).pid for own in (False, True)]
fork = os.fork()
if fork == 0:
    time.sleep(600)
open(sys.argv[1] + ".new", "w").write(" ".join(map(str, [*ids, fork])))
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""
LIVES_ON = FAMILY + "time.sleep(600)\n"
IGNORES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LIVES_ON


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(is_so: Callable[[], object], what: str) -> None:
    give_up = time.monotonic() + DEADLINE_S  # noqa: TID251 # waits for other processes
    while not is_so():
        assert time.monotonic() < give_up, what  # noqa: TID251
        time.sleep(0.02)  # noqa: TID251


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    begun: list[Child] = []

    def begin(script: str, *arguments: str, secret: bytes = b"") -> Child:
        program = (sys.executable, "-c", script)
        begun.append(start_child(arguments, dict(os.environ), CLOCK, secret=secret, program=program))
        return begun[-1]

    yield begin
    for child in begun:
        child.kill()


@pytest.fixture
def family(start: Callable[..., Child], tmp_path: Path) -> Callable[[str], tuple[Child, list[int]]]:
    """Start a script that tells the ids of what it starts: in its session, in one of its own, and a fork."""

    def begin(script: str) -> tuple[Child, list[int]]:
        told = tmp_path / "ids"
        child = start(script, str(told))
        wait_until(told.exists, "the child tells its family")
        return child, [int(word) for word in told.read_text().split()]

    return begin


def test_a_child_that_ends_is_known_by_its_exit_code(start: Callable[..., Child]) -> None:
    child = start("raise SystemExit(7)")
    assert child.wait(DEADLINE_S) == 7
    assert child.wait(0) == 7
    assert child.stop(0) == 7
    assert child.kill() == 7


def test_waiting_ends_with_the_time_or_when_something_says_so(start: Callable[..., Child]) -> None:
    child = start("import time; time.sleep(600)")
    assert child.wait(0) is None
    assert child.wait(DEADLINE_S, until=lambda: True) is None


def test_a_secret_comes_through_a_pipe_alone(start: Callable[..., Child], tmp_path: Path) -> None:
    script = (
        "import sys, time; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read() + b'|' + sys.stdin.buffer.read())\n"
        "time.sleep(600)"
    )
    child = start(script, str(tmp_path / "read"), secret=b"CANARY")
    wait_until(lambda: (tmp_path / "read").exists() and (tmp_path / "read").read_bytes(), "the child reads nothing")
    assert (tmp_path / "read").read_bytes() == b"CANARY|"
    for name in ("environ", "cmdline"):
        assert b"CANARY" not in Path(f"/proc/{child.pid}/{name}").read_bytes()
    child.kill()


def test_a_child_that_ends_before_it_reads_costs_nothing(start: Callable[..., Child]) -> None:
    assert start("import os; os.close(0)", secret=b"x" * 1000).wait(DEADLINE_S) == 0


def test_kill_takes_the_whole_family(family: Callable[[str], tuple[Child, list[int]]]) -> None:
    child, ids = family(IGNORES)
    assert all(map(is_running, ids))
    assert child.kill() == -signal.SIGKILL
    wait_until(lambda: not any(map(is_running, ids)), "a member of the family lives on")


def test_stop_is_polite_first(start: Callable[..., Child], tmp_path: Path) -> None:
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "open(sys.argv[1], 'w').close()\n"
        "time.sleep(600)"
    )
    child = start(script, str(tmp_path / "begun"))
    wait_until((tmp_path / "begun").exists, "the child is ready")
    assert child.stop(DEADLINE_S) == 3


def test_stop_kills_what_does_not_listen(family: Callable[[str], tuple[Child, list[int]]]) -> None:
    child, ids = family(IGNORES)
    assert child.stop(0.2) == -signal.SIGKILL
    wait_until(lambda: not any(map(is_running, ids)), "a member of the family lives on")


@pytest.mark.parametrize("ends", ["stopped", "by itself"])
def test_what_a_child_leaves_in_its_session_goes_with_it(
    ends: str, family: Callable[[str], tuple[Child, list[int]]]
) -> None:
    child, ids = family(LIVES_ON if ends == "stopped" else FAMILY)
    assert (child.stop(DEADLINE_S) if ends == "stopped" else child.wait(DEADLINE_S)) is not None
    in_session, in_its_own, fork = ids
    wait_until(lambda: not is_running(in_session) and not is_running(fork), "an orphan lives on")
    if is_running(in_its_own):  # nothing tells that it was ours
        os.kill(in_its_own, signal.SIGKILL)


def test_a_program_that_cannot_be_started_is_trouble_of_this_machine() -> None:
    with pytest.raises(LocalTrouble, match=r"^/nowhere/python: cannot be started \(No such file or directory\)"):
        start_child(["run"], {}, CLOCK, program=("/nowhere/python",))


PARENT = """
import os, sys
from numebot.adapters.children import start_child
from numebot.adapters.clock import SystemClock
script = '''
import os, sys, time
if sys.argv[1] == "late":
    while os.getppid() == int(os.environ["NUMEBOT_PARENT"]): time.sleep(0.01)
from numebot.adapters.children import end_with_parent
end_with_parent(os.environ)
print(os.getpid(), flush=True)
time.sleep(600)
'''
child = start_child([sys.argv[1]], dict(os.environ), SystemClock(), program=(sys.executable, "-c", script))
print("pid", child.pid, flush=True)
if sys.argv[1] == "late": os._exit(0)
SystemClock().wait(600)
"""


@pytest.mark.parametrize("when", ["early", "late"])
def test_a_child_ends_with_its_parent_also_when_that_ended_before_it_could_ask(when: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, when], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline().split()[1])
        if when == "early":
            assert int(parent.stdout.readline()) == child
            assert is_running(child)
            parent.kill()
        wait_until(lambda: not is_running(child), "the child outlived its parent")


def test_the_family_of_nobody_is_empty() -> None:
    child = subprocess.Popen(["sleep", "600"])
    kill_family(child.pid)
    assert child.poll() is None
    child.kill()
    child.wait()
    assert PARENT_VARIABLE not in os.environ
