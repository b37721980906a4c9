from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from numebot.adapters.systemd import KeepAwake, Notifier

DEADLINE_S = 60


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own_socket:
        own_socket.settimeout(DEADLINE_S)
        own_socket.bind(str(tmp_path / "notify"))
        yield own_socket


def test_systemd_hears_ready_status_alive_and_stopping(listener: socket.socket) -> None:
    notifier = Notifier(listener.getsockname())
    notifier.ready("round 1404 is open")
    notifier.status("two lines\n  become one")
    notifier.watchdog("idle")
    notifier.stopping("asked to")
    assert [listener.recv(1000) for _ in range(4)] == [
        b"READY=1\nSTATUS=round 1404 is open",
        b"STATUS=two lines become one",
        b"WATCHDOG=1\nSTATUS=idle",
        b"STOPPING=1\nSTATUS=asked to",
    ]


def test_an_abstract_socket_is_called_by_its_name() -> None:
    name = f"numebot-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(DEADLINE_S)
        listener.bind(f"\0{name}")
        Notifier(f"@{name}").send("WATCHDOG_USEC=60000000")
        assert listener.recv(1000) == b"WATCHDOG_USEC=60000000"


@pytest.mark.parametrize("address", [None, "/nowhere/notify", "@", "x" * 500, "vsock:2:1234", "relative"])
def test_a_missing_socket_costs_nothing(address: str | None) -> None:
    Notifier(address).watchdog("nobody listens")


def test_a_socket_that_vanished_costs_nothing(listener: socket.socket, tmp_path: Path) -> None:
    notifier = Notifier(listener.getsockname())
    notifier.ready("first")
    (tmp_path / "notify").unlink()
    notifier.status("second")
    assert listener.recv(1000) == b"READY=1\nSTATUS=first"


def test_a_listener_that_never_reads_does_not_hold_us_up(listener: socket.socket) -> None:
    notifier = Notifier(listener.getsockname())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        filler.connect(listener.getsockname())
        with suppress(BlockingIOError):
            while filler.send(b"x"):
                pass
    notifier.watchdog("still going on")


def test_the_environment_is_taken_and_children_do_not_inherit_it(listener: socket.socket) -> None:
    environ = {
        "NOTIFY_SOCKET": listener.getsockname(),
        "WATCHDOG_USEC": "3600000000",
        "WATCHDOG_PID": str(os.getpid()),
        "HOME": "/home/owner",
    }
    notifier = Notifier.from_environment(environ)
    assert environ == {"HOME": "/home/owner"}
    assert notifier.watchdog_s == 3600
    notifier.status("here")
    assert listener.recv(1000) == b"STATUS=here"


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "1500000"}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_ours_only_when_it_says_so(environ: dict[str, str], watchdog_s: float | None) -> None:
    assert Notifier.from_environment(environ).watchdog_s == watchdog_s
    assert environ == {}


# A stand-in for systemd-inhibit: writes down how it was called, then runs the command as the real one does.
INHIBIT = """#!/bin/sh
printf '%s\\n' "$@" > FOLDER/arguments
env > FOLDER/environment
while [ "${1#--}" != "$1" ]; do shift; done
exec 3<&0  # what runs in the background of a script would read nothing
"$@" <&3 &
echo $! > FOLDER/holder
wait
"""


@pytest.fixture
def inhibit(tmp_path: Path) -> Callable[[str], str]:
    """Put a systemd-inhibit with this text on a PATH, and return that PATH."""

    def make(text: str) -> str:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "systemd-inhibit"
        program.write_text(text.replace("FOLDER", str(tmp_path)))
        program.chmod(0o755)
        return f"{folder}:/usr/bin:/bin"

    return make


def holder_in(folder: Path) -> int:
    """The process that holds the lock as long as it runs."""
    file = folder / "holder"
    wait_until(lambda: file.exists() and file.read_text().endswith("\n"), "nobody holds the lock")
    return int(file.read_text())


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + DEADLINE_S  # noqa: TID251 # waits for other processes
    while not is_so():
        assert time.monotonic() < give_up, what  # noqa: TID251
        time.sleep(0.02)  # noqa: TID251


def test_the_machine_is_kept_awake_until_released(inhibit: Callable[[str], str], tmp_path: Path) -> None:
    awake = KeepAwake("round 1404 is open", inhibit(INHIBIT))
    assert not awake.is_held
    awake.hold()
    holder = holder_in(tmp_path)
    awake.hold()
    assert awake.is_held
    assert holder_in(tmp_path) == holder, "held twice"
    assert (tmp_path / "arguments").read_text().splitlines()[:4] == [
        "--what=sleep:idle",
        "--who=numebot",
        "--why=round 1404 is open",
        "--mode=block",
    ]
    awake.release()
    awake.release()
    assert not awake.is_held
    wait_until(lambda: not is_running(holder), "the lock is still held")


def test_no_secret_is_in_the_environment_of_the_helper(
    inhibit: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAI_SECRET_KEY", "CANARY")
    awake = KeepAwake("a round is open", inhibit(INHIBIT))
    awake.hold()
    awake.release()
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "LC_ALL"}


def test_the_lock_ends_with_numebot_even_after_kill_9(inhibit: Callable[[str], str], tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from numebot.adapters.systemd import KeepAwake\n"
        "awake = KeepAwake('a round is open', sys.argv[1])\n"
        "awake.hold()\n"
        "print(awake.is_held, flush=True)\n"
        "time.sleep(600)\n"
    )
    path = inhibit(INHIBIT)
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True) as numebot:
        assert numebot.stdout is not None
        assert numebot.stdout.readline() == "True\n"
        holder = holder_in(tmp_path)
        assert is_running(holder)
        numebot.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_running(holder), "the lock outlived numebot")


def test_a_lock_that_was_lost_is_taken_again(inhibit: Callable[[str], str], tmp_path: Path) -> None:
    awake = KeepAwake("a round is open", inhibit(INHIBIT))
    awake.hold()
    os.kill(holder_in(tmp_path), signal.SIGKILL)
    wait_until(lambda: not awake.is_held, "the end of the helper was not noticed")
    (tmp_path / "holder").unlink()
    awake.hold()
    assert awake.is_held
    awake.release()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file or directory"),
        ("#!/bin/sh\necho 'Failed to inhibit: Access denied' >&2\nexit 1\n", "Failed to inhibit: Access denied"),
        ("#!/bin/sh\nexit 1\n", "no answer"),
        ("#!/bin/sh\nsleep 600\n", "no answer"),
    ],
    ids=["missing", "refused", "silent", "hanging"],
)
def test_without_a_lock_it_says_so_once_and_goes_on(
    text: str | None,
    words: str,
    inhibit: Callable[[str], str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    awake = KeepAwake("a round is open", str(tmp_path) if text is None else inhibit(text), timeout_s=0.5)
    for _ in range(2):
        awake.hold()
        assert not awake.is_held
    awake.release()
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.getMessage().startswith("nothing keeps this machine from falling asleep")
    assert words in record.getMessage()
