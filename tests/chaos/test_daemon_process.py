"""The daemon as a process, against the practice tournament: what may happen to it on a home server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from numebot.practice.faults import Fault, Kind
from tests.chaos.daemon_home import (
    HURRIED,
    Serve,
    confirmed,
    fake_systemd,
    free_port,
    hurry,
    noted,
    now_s,
    serving,
    wait_until,
)
from tests.chaos.promises import assert_kept, assert_whole
from tests.machine_tools import needs

Make = Callable[..., Any]

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="processes are found through /proc: run it on Linux")

SLEEPER = """
        import subprocess, time
        from pathlib import Path
        if not Path("{flag}").exists():
            return live.mean(axis=1)
        {prepare}
        subprocess.Popen(["sleep", "600"], start_new_session={own_session})
        Path("begun").touch()
        {hang}
"""
FULL_ONLY = "in the full form only: CHAOS=full (scripts/chaos)"
IGNORES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
IN_C = 'import re; re.match("(a+)+$", "a" * 64 + "b")'
ASLEEP = "while True: time.sleep(1)"


def hanging_model(bot: Any, *, hang: str, prepare: str = "pass", own_session: bool = True) -> Path:
    """Give alpha a plugin that hangs as long as the file that is returned exists, and that has a child."""
    flag = bot.home / "hang"
    flag.touch()
    code = bot.plugin("sleeper", SLEEPER.format(flag=flag, hang=hang, prepare=prepare, own_session=own_session).strip())
    bot.configs(f"alpha,{code}")
    return flag


def finish(bot: Any, *, is_full: bool) -> None:
    """Start again and have the round finished.

    A plugin that did not come back rests for a minute; in the short form a run by hand does not wait for that.
    """
    with serving(bot) as serve:
        if not is_full:
            by_hand = Serve(bot, "run", "--wait", "100")
            assert by_hand.wait() == 0, by_hand.said
        serve.wait_until_confirmed("alpha")
        assert serve.end()[0] == 0
    assert_kept(bot, number_of(bot), ["alpha"])


def number_of(bot: Any) -> int:
    return int(bot.server.world.calendar.current(bot.server.clock.now()).number)


# The program as it is, and at its end what it has loaded.
WITH_MODULES = """
import atexit, sys
atexit.register(lambda: print("LOADED", *sorted(sys.modules)))
from numebot.cli import main
main()
"""
HEAVY = {"pandas", "numpy", "numerapi", "pyarrow", "lightgbm", "xgboost", "sklearn", "scipy", "ariadne", "uvicorn"}


def test_a_day_in_its_life(numebot: Make, figures: Callable[..., None]) -> None:
    """From a closed round over an opening to confirmed; what systemd hears; the key; a second daemon; an edit."""
    bot = numebot()
    hurry(bot)
    bot.configs("alpha")
    bot.server.clock.advance(
        bot.server.world.calendar.current(bot.server.clock.now()).deadline - bot.server.clock.now()
    )
    secret = bot.key[1].encode()
    program = (sys.executable, "-c", WITH_MODULES)
    with fake_systemd() as systemd, serving(bot, systemd=systemd, program=program) as serve:
        serve.wait_for(lambda: systemd.heard("WATCHDOG"), "the first wake-up")
        assert systemd.words()[0] == "READY=1"
        assert secret not in Path(f"/proc/{serve.process.pid}/environ").read_bytes()
        second = Serve(bot, "serve")
        assert second.wait() == 1
        assert f"process {serve.process.pid}" in second.said
        assert "(serve, since" in second.said

        bot.server.world.advance_to_next_opening()
        serve.send(signal.SIGUSR1)
        opened_s = now_s()
        seen: list[bytes] = []

        def confirmed_and_looked_at() -> bool:
            child = serve.child("numebot run")
            if child is not None:
                with suppress(OSError):  # it may end meanwhile
                    folder = Path(f"/proc/{child}")
                    seen.append((folder / "environ").read_bytes() + (folder / "cmdline").read_bytes())
            return confirmed(bot) >= {"alpha"}

        serve.wait_for(confirmed_and_looked_at, "alpha confirmed")
        figures("daemon", opening_to_confirmed_s=round(now_s() - opened_s, 1))
        assert any(seen), "no pass was seen"
        assert not any(secret in environ for environ in seen)
        assert any(b"NUMEBOT_KEY_ON_STDIN=1" in environ for environ in seen)

        bot.configs("alpha", "beta")
        serve.send(signal.SIGUSR1)
        serve.wait_until_confirmed("alpha", "beta")
        code, took_s = serve.end()
    assert (code, took_s < 20) == (0, True)
    assert systemd.words() == ["READY=1", "WATCHDOG=1", "STOPPING=1"]
    assert secret.decode() not in serve.said
    (loaded,) = [line.split()[1:] for line in serve.said.splitlines() if line.startswith("LOADED ")]
    assert "numebot.wakeups.wakeups" in loaded
    assert HEAVY & set(loaded) == set(), "an idle daemon stays light"
    assert_kept(bot, number_of(bot), ["alpha", "beta"])


def test_five_hand_started_runs_and_a_daemon_at_once(numebot: Make) -> None:
    bot = numebot(opens_now=True)
    hurry(bot)
    with serving(bot) as serve:
        runs = [Serve(bot, "run", "--wait", "100") for _ in range(5)]
        codes = [run.wait() for run in runs]
        assert codes == [0] * 5, [run.said for run in runs]
        serve.wait_until_confirmed("alpha", "beta")
        assert serve.end()[0] == 0
    assert_kept(bot, number_of(bot), ["alpha", "beta"])


@pytest.mark.parametrize("hang", [IN_C, ASLEEP], ids=["in C", "asleep"])
def test_a_stop_with_a_hung_plugin_takes_less_than_20_s_and_a_restart_finishes(
    numebot: Make, hang: str, is_full: bool, figures: Callable[..., None]
) -> None:
    if not is_full and hang is ASLEEP:
        pytest.skip(FULL_ONLY)
    bot = numebot(opens_now=True)
    hurry(bot)
    flag = hanging_model(bot, hang=hang, prepare=IGNORES)
    with fake_systemd() as systemd, serving(bot, systemd=systemd) as serve:
        serve.wait_for(bot.is_running, "the plugin hangs")
        assert serve.child("sleep 600") is not None
        heard = systemd.heard("WATCHDOG")
        code, took_s = serve.end()
        assert systemd.heard("WATCHDOG") == heard, "a wake-up that was cut short is not a finished one"
        assert systemd.words()[-1] == "STOPPING=1"
    figures("daemon", **{f"stop_with_plugin_{'in_C' if hang is IN_C else 'asleep'}_s": round(took_s, 1)})
    assert code == 0
    assert took_s < 20
    assert_whole(bot)
    flag.unlink()
    finish(bot, is_full=is_full)


def test_kill_9_of_the_daemon_takes_the_pass_along_and_a_restart_goes_on(numebot: Make, is_full: bool) -> None:
    bot = numebot(opens_now=True)
    hurry(bot)
    flag = hanging_model(bot, hang=ASLEEP)
    with serving(bot) as serve:
        serve.wait_for(bot.is_running, "the plugin runs")
        child = serve.child("numebot run")
        assert child is not None
        serve.send(signal.SIGKILL)
        serve.wait()
        wait_until(lambda: serve.child("numebot run") is None, "its pass is still there")
    flag.unlink()
    finish(bot, is_full=is_full)


def test_a_pass_that_was_killed_is_begun_again(numebot: Make, is_full: bool) -> None:
    """As the kernel does it when memory is short; what the pass left behind goes too, and holds no lock."""
    if not is_full:
        pytest.skip(FULL_ONLY)
    bot = numebot(opens_now=True)
    hurry(bot)
    flag = hanging_model(bot, hang=ASLEEP, own_session=False)
    with serving(bot) as serve:
        serve.wait_for(bot.is_running, "the plugin runs")
        child = serve.child("numebot run")
        assert child is not None
        assert serve.child("sleep 600") is not None
        flag.unlink()
        os.kill(child, signal.SIGKILL)
        serve.wait_until_confirmed("alpha")
        assert serve.child("sleep 600") is None
        assert serve.end()[0] == 0
    assert_kept(bot, number_of(bot), ["alpha"])


ENDPOINTS = ["rounds", "apiTokenInfo", "account", "listDatasets", "get", "put", "createSubmission"]


def test_no_network_at_boot_and_a_server_that_hangs_at_any_point(numebot: Make, is_full: bool) -> None:
    """The server, or the way to it, comes up later and answers badly: wake-ups finish, and the round is played."""
    bot = numebot(port=free_port(), opens_now=True)
    hurry(bot)
    bot.configs("alpha")
    environ = bot.environ()
    bot.environ = lambda: environ
    bot.server.stop()
    with fake_systemd() as systemd, serving(bot, systemd=systemd) as serve:
        serve.wait_for_words("the state of the round is unknown", times=2)
        assert systemd.heard("WATCHDOG") >= 1
        bot.server.start()
        faults = bot.server.faults
        for endpoint in ENDPOINTS if is_full else ENDPOINTS[:1]:
            faults.switch_on(Fault(Kind.HANG, operation=endpoint))
            serve.wait_for_wake_up(more=2)
            faults.clear()
        if not is_full:
            faults.switch_on(*[Fault(Kind.HANG, operation=one, times=1) for one in ENDPOINTS[1:]])
        serve.wait_until_confirmed("alpha")
        assert serve.end()[0] == 0
    assert_kept(bot, number_of(bot), ["alpha"])


ENDLESS = """
[api]
connect_timeout_s = 120
read_timeout_s = 600
total_timeout_s = 3600
"""


@pytest.mark.parametrize("is_told_to_stop", [False, True], ids=["hang", "stop"])
def test_a_hang_in_the_daemon_itself_ends_it(numebot: Make, is_told_to_stop: bool) -> None:
    """With an error, to be started anew; without one where it was told to stop, and also then in time."""
    bot = numebot(opens_now=True)
    toml = bot.home / "config" / "numebot.toml"
    toml.write_text(ENDLESS + HURRIED + f"stop_seconds = 3\nwakeup_seconds = {600 if is_told_to_stop else 5}\n")
    bot.server.faults.switch_on(Fault(Kind.HANG, operation="rounds"))
    with fake_systemd() as systemd, serving(bot, systemd=systemd) as serve:
        serve.wait_for(lambda: bot.server.faults.switched()[0].struck, "the server was asked")
        if is_told_to_stop:
            code, took_s = serve.end()
            assert (code, took_s < 20) == (0, True)
        else:
            assert serve.wait() == 1
            assert "no sign of life for 5 s" in serve.said
            assert "will count as a hang" in serve.said, "and why was said before"
            assert "most recent call first" in serve.said
        assert systemd.heard("WATCHDOG") == 0


def waits_for_long(bot: Any) -> bool:
    beacon = noted(bot, "daemon")
    if beacon is None:
        return False
    finished, coming = (datetime.fromisoformat(beacon[key]) for key in ("finished_at", "next_look_at"))
    return coming - finished > timedelta(minutes=5)


def test_the_wall_clock_is_two_hours_off_and_jumps(numebot: Make, is_full: bool) -> None:
    """The server's time counts; a jump ends a wait and nothing else."""
    faketime = needs("faketime", "faketime")
    told = subprocess.run([faketime, "-m", "-f", "+0", "env"], capture_output=True, text=True, check=True).stdout
    library = next(line for line in told.splitlines() if line.startswith("LD_PRELOAD=")).partition("=")[2]
    bot = numebot(opens_now=True)
    hurry(bot, HURRIED.replace("idle_seconds = 2", "idle_seconds = 600"))
    bot.configs("alpha")
    offset = bot.home / "offset"
    offset.write_text("+2h")
    environ = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    with fake_systemd() as systemd, serving(bot, environ=environ, systemd=systemd) as serve:
        serve.wait_until_confirmed("alpha")
        assert "clock is 2 h 00 min off" in serve.said or "clock is 1 h 59 min off" in serve.said
        for jump in ("-2h", "+0") if is_full else ("-2h",):
            serve.wait_for(lambda: waits_for_long(bot), "all chores are done, and it waits")
            offset.write_text(jump)
            serve.wait_for(lambda: "clock was set" in noted(bot, "daemon")["reason"], "the jump is noticed")
        assert serve.end()[0] == 0
    assert_kept(bot, number_of(bot), ["alpha"])
