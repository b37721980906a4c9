"""The child process: it comes up, it ends with us, and its failures are put into words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from numebot.adapters.clock import SystemClock
from numebot.core.errors import LocalTrouble
from numebot.practice.options import PracticeOptions
from numebot.practice.process import PracticeAddress, arguments, practice_process, ready_line

CLOCK = SystemClock()
ADDRESS = PracticeAddress("http://127.0.0.1:1", "ID", "SECRET")

COMES_UP = f"""
import os, sys
open("pid", "w").write(str(os.getpid()))
open("environment", "w").write(repr(dict(os.environ)))
open("arguments", "w").write(repr(sys.argv[1:]))
print({ready_line(ADDRESS)!r}, flush=True)
sys.stdin.read()
"""


def program(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(path: Path) -> str:
    for _ in range(400):
        if path.exists() and (text := path.read_text()):
            return text
        CLOCK.wait(0.025)
    raise AssertionError(f"{path} never came")


def test_the_child_lives_as_long_as_the_block(tmp_path: Path) -> None:
    with practice_process(PracticeOptions(tmp_path), clock=CLOCK, program=program(COMES_UP)) as address:
        pid = int((tmp_path / "pid").read_text())
        assert address == ADDRESS
        assert is_alive(pid)
        assert os.getsid(pid) != os.getsid(0)
    assert not is_alive(pid)


def test_the_child_gets_none_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERAI_SECRET_KEY", "must stay here")
    with practice_process(PracticeOptions(tmp_path), clock=CLOCK, program=program(COMES_UP)):
        environment = (tmp_path / "environment").read_text()
    assert "must stay here" not in environment
    assert "NUMERAI" not in environment


def test_the_child_is_killed_when_it_does_not_end_on_its_own(tmp_path: Path) -> None:
    deaf = COMES_UP.replace("sys.stdin.read()", "import signal\nwhile True: signal.pause()")
    with pytest.raises(ZeroDivisionError), practice_process(
        PracticeOptions(tmp_path), clock=CLOCK, program=program(deaf), end_within_s=0.1
    ):
        raise ZeroDivisionError
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_the_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = f"""
import pathlib, sys
from numebot.adapters.clock import SystemClock
from numebot.practice.options import PracticeOptions
from numebot.practice.process import practice_process
folder = pathlib.Path({str(tmp_path)!r})
with practice_process(PracticeOptions(folder), clock=SystemClock(), program=(sys.executable, "-c", {COMES_UP!r})):
    (folder / "up").write_text("yes")
    SystemClock().wait(60)
"""
    with subprocess.Popen([sys.executable, "-c", parent], cwd=Path(__file__).parents[2]) as running:
        wait_for(tmp_path / "up")
        pid = int((tmp_path / "pid").read_text())
        assert is_alive(pid)
        running.send_signal(signal.SIGKILL)
    for _ in range(200):
        if not is_alive(pid):
            break
        CLOCK.wait(0.025)
    assert not is_alive(pid)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; sys.exit('the port is taken')", ["ended with exit code 1", "the port is taken"]),
        ("print('hello')", ["said b'hello\\n' where its address was expected"]),
        ("print('{}')", ["where its address was expected"]),
        ("import signal, sys; print('busy', file=sys.stderr, flush=True); signal.pause()", ["not ready after", "busy"]),
    ],
)
def test_a_child_that_does_not_come_up_is_quoted(tmp_path: Path, script: str, words: list[str]) -> None:
    with pytest.raises(LocalTrouble) as failure, practice_process(
        PracticeOptions(tmp_path), clock=CLOCK, program=program(script), ready_within_s=0.7, end_within_s=0.1
    ):
        raise AssertionError("it must not come up")
    for each in words:
        assert each in str(failure.value)
    assert str(tmp_path / "practice.log") in str(failure.value)


def test_every_option_travels_to_the_child(tmp_path: Path) -> None:
    options = PracticeOptions(
        tmp_path,
        port=5,
        seed=6,
        scale="tiny",
        window_minutes=7.5,
        period_minutes=8,
        open_late_minutes=0.25,
        speed=9,
        data=tmp_path / "data",
        faults=tmp_path / "faults.toml",
        models=("a", "b"),
        validation_delay_s=0,
        has_rate_limits=True,
    )
    given = arguments(options)
    assert given[given.index("--window") + 1] == "7.5"
    assert given[given.index("--models") + 1] == "a,b"
    assert given[given.index("--data") + 1] == str(tmp_path / "data")
    assert "--rate-limits" in given
    assert "--models" not in arguments(PracticeOptions(tmp_path))


def test_the_real_program_comes_up_and_ends(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    market = tmp_path_factory.getbasetemp() / "practice-market"
    options = PracticeOptions(tmp_path / "folder", scale="tiny", models=("my_model",), market_folder=market)
    with practice_process(options, clock=CLOCK) as address:
        state = requests.get(f"{address.url}/practice/state", timeout=10).json()
        assert (state["round"]["phase"], state["models"][0]["name"]) == ("open", "my_model")
        headers = {"Authorization": f"Token {address.public_id}${address.secret_key}"}
        query = {"query": "{ account { username } }"}
        assert "errors" not in requests.post(address.url, json=query, headers=headers, timeout=10).json()
    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(address.url, timeout=10)
