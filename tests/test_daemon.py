from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from numebot.adapters.clock import SystemClock
from numebot.adapters.process_guard import Guard
from numebot.adapters.settings import Settings
from numebot.core.errors import ConfigError, LocalTrouble, StorageBroken, Unavailable
from numebot.core.openings import parse_opening
from numebot.daemon import CLOCK_MOVED, MOST_FAILURES, RETRY_S, Daemon

DEADLINE_S = 60
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class RunningClock:
    """Runs `speed` times as fast as the real one: half a minute is over at once. `moved` sets the wall clock."""

    def __init__(self, speed: float = 1000.0) -> None:
        self._real = SystemClock()
        self._speed = speed
        self.moved = timedelta()

    def monotonic(self) -> float:
        return self._real.monotonic() * self._speed

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic()) + self.moved

    def wait(self, seconds: float) -> None:
        self._real.wait(seconds / self._speed)


class Listener:
    """Hears what systemd would hear, in order."""

    def __init__(self, heard: list[str] | None = None) -> None:
        self.heard = [] if heard is None else heard

    def ready(self, status: str) -> None:
        self.heard.append("READY")

    def watchdog(self, status: str) -> None:
        self.heard.append("WATCHDOG")

    def stopping(self, status: str) -> None:
        self.heard.append("STOPPING")


class Script:
    """Wake-ups that do what the next step says: return seconds, raise, or call something that returns seconds."""

    def __init__(self, *steps: float | BaseException | Callable[[], float]) -> None:
        self.steps = list(steps)
        self.reasons: list[str] = []
        self.at_s: list[float] = []
        self.daemon: Daemon | None = None
        self.clock: RunningClock | None = None

    def wake_up(self, reason: str) -> float:
        self.reasons.append(reason)
        if self.clock is not None:
            self.at_s.append(self.clock.monotonic())
        if not self.steps:
            assert self.daemon is not None
            self.daemon.stop()
            return 3600
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step() if callable(step) else step


class Bench:
    """A daemon with everything around it faked; `play` runs it until the script is over, then stops it."""

    def __init__(self, speed: float = 1000.0) -> None:
        self.clock = RunningClock(speed)
        self.listener = Listener()
        self.guard = Guard(self.clock, limit_s=1e9, stop_limit_s=1e9, end=lambda code: None)
        self.daemon = Daemon(self.clock, self.listener, self.guard, slice_s=0.005)

    def play(self, *steps: float | BaseException | Callable[[], float]) -> Script:
        script = Script(*steps)
        script.daemon, script.clock = self.daemon, self.clock
        self.code = self.daemon.run(script)
        return script


@pytest.fixture
def bench() -> Bench:
    return Bench()


def ask(bench: Bench, *reasons: str) -> Callable[[], float]:
    """A wake-up during which somebody asks for more."""

    def step() -> float:
        for reason in reasons:
            bench.daemon.ask(reason)
        return 3600

    return step


def test_it_wakes_up_at_once_and_ends_with_0_when_told_to(bench: Bench) -> None:
    script = bench.play()
    assert script.reasons == ["start"]
    assert bench.code == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "APScheduler"]


def test_the_end_of_a_wait_is_a_reason(bench: Bench) -> None:
    script = bench.play(60)
    assert script.reasons == ["start", "time to look"]
    waited_s = script.at_s[1] - script.at_s[0]
    assert waited_s >= 60


def test_reasons_that_come_together_are_answered_together(bench: Bench) -> None:
    script = bench.play(ask(bench, "webhook", "SIGUSR1", "webhook"))
    assert script.reasons == ["start", "webhook, SIGUSR1"]


def test_a_reason_that_comes_during_a_wake_up_is_not_lost(bench: Bench) -> None:
    assert bench.play(ask(bench, "webhook"), ask(bench, "webhook")).reasons == ["start", "webhook", "webhook"]


def test_whether_a_reason_waits_can_be_asked(bench: Bench) -> None:
    found: list[bool] = []

    def step() -> float:
        found.append(bench.daemon.is_wanted())
        bench.daemon.ask("webhook")
        found.append(bench.daemon.is_wanted())
        return 3600

    bench.play(step)
    assert found == [False, True]


def test_stop_comes_before_everything_that_waits(bench: Bench) -> None:
    def step() -> float:
        bench.daemon.ask("webhook")
        bench.daemon.stop()
        bench.daemon.ask("webhook")
        return 0

    assert bench.play(step).reasons == ["start"]
    assert bench.code == 0


def test_who_is_told_to_stop_before_the_start_does_not_begin(bench: Bench) -> None:
    bench.daemon.stop()
    assert bench.play().reasons == []
    assert bench.code == 0


def test_sigusr1_wakes_it_and_the_handlers_are_put_back(bench: Bench) -> None:
    def step() -> float:
        os.kill(os.getpid(), signal.SIGUSR1)
        return 3600

    before = [signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)]
    assert bench.play(step).reasons == ["start", "SIGUSR1"]
    assert [signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_ends_it_in_the_middle_of_a_wait(number: signal.Signals) -> None:
    bench = Bench(speed=1)

    def step() -> float:
        threading.Timer(0.1, lambda: os.kill(os.getpid(), number)).start()
        return 3600

    began = bench.clock.monotonic()
    assert bench.play(step).reasons == ["start"]
    assert bench.clock.monotonic() - began < DEADLINE_S
    assert bench.code == 0


def test_a_storm_of_signals_does_not_lock_it_up(bench: Bench) -> None:
    """A second signal may come while the handler of the first one runs: nothing in it may wait for itself."""

    def step() -> float:
        number = 0

        def nested(frame: object, event: str, argument: object) -> None:
            nonlocal number
            number += 1
            if number < 200:
                os.kill(os.getpid(), signal.SIGTERM)

        sys.setprofile(nested)
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            sys.setprofile(None)
        return 0

    watchdog = threading.Timer(DEADLINE_S, os._exit, [3])
    watchdog.daemon = True
    watchdog.start()
    bench.play(step)
    watchdog.cancel()
    assert bench.code == 0


def test_hints_from_other_threads_end_a_wait() -> None:
    bench = Bench(speed=1)

    def step() -> float:
        for name in ("webhook", "dashboard"):
            threading.Timer(0.05, bench.daemon.ask, [name]).start()
        return 3600

    began = bench.clock.monotonic()
    script = bench.play(step)
    assert set(", ".join(script.reasons[1:]).split(", ")) <= {"webhook", "dashboard"}
    assert len(script.reasons) >= 2
    assert bench.clock.monotonic() - began < DEADLINE_S


def test_one_unexpected_error_costs_a_retry(bench: Bench) -> None:
    script = bench.play(ZeroDivisionError("a bug"))
    assert script.reasons == ["start", "time to look"]
    assert script.at_s[1] - script.at_s[0] >= RETRY_S
    assert bench.code == 0


def test_unexpected_errors_in_a_row_end_it_with_1(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    script = bench.play(*[ZeroDivisionError("a bug")] * (MOST_FAILURES + 1))
    assert len(script.reasons) == MOST_FAILURES
    assert bench.code == 1
    assert "Traceback" in caplog.text


def test_a_good_wake_up_between_them_starts_the_count_anew(bench: Bench) -> None:
    errors = [ZeroDivisionError("a bug")] * (MOST_FAILURES - 1)
    bench.play(*errors, 1, *errors)
    assert bench.code == 0


def test_a_disk_that_cannot_be_trusted_ends_it_with_1(bench: Bench) -> None:
    script = bench.play(StorageBroken("the disk failed a sync"), 1)
    assert (len(script.reasons), bench.code) == (1, 1)


@pytest.mark.parametrize("error", [LocalTrouble("disk full."), ConfigError("no key."), Unavailable("no network.")])
def test_trouble_that_may_pass_is_waited_for(bench: Bench, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    script = bench.play(*[error] * (MOST_FAILURES + 2))
    assert len(script.reasons) == MOST_FAILURES + 3
    assert all(b - a >= RETRY_S for a, b in zip(script.at_s, script.at_s[1:], strict=False))
    assert bench.code == 0
    assert f"{error} Tried again in 30 s." in caplog.text


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_is_set_ends_the_wait(hours: int) -> None:
    bench = Bench(speed=1)

    def step() -> float:
        def move() -> None:
            bench.clock.moved += timedelta(hours=hours)

        threading.Timer(0.05, move).start()
        return 3600

    script = bench.play(step)
    assert script.reasons == ["start", "the clock was set or the machine slept"]
    assert script.at_s[1] - script.at_s[0] < DEADLINE_S


def test_a_clock_that_is_corrected_by_a_little_does_not(bench: Bench) -> None:
    def step() -> float:
        bench.clock.moved += CLOCK_MOVED / 2
        return 60

    assert bench.play(step, 1).reasons == ["start", "time to look", "time to look"]


def test_systemd_hears_ready_first_then_finished_wake_ups_alone_then_stopping(bench: Bench) -> None:
    heard: list[list[str]] = []

    def finished() -> float:
        heard.append(list(bench.listener.heard))
        return 1

    bench.play(finished, LocalTrouble("disk full."), ZeroDivisionError("a bug"), finished)
    assert heard == [["READY"], ["READY", "WATCHDOG"]]
    # The last wake-up was told to stop while it ran: that is none that was finished.
    assert bench.listener.heard == ["READY", "WATCHDOG", "WATCHDOG", "STOPPING"]


def test_stopping_is_told_also_when_it_gives_up(bench: Bench) -> None:
    bench.play(StorageBroken("the disk failed a sync"))
    assert bench.listener.heard == ["READY", "STOPPING"]


class FakeTime:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


def guard_and_clock(ends: list[int]) -> tuple[Guard, FakeTime]:
    clock = FakeTime()
    return Guard(clock, limit_s=600, stop_limit_s=11, end=ends.append), clock


def test_the_guard_sees_a_wake_up_without_a_sign_of_life() -> None:
    guard, clock = guard_and_clock([])
    with guard.watching():
        clock.seconds = 599
        assert guard.look() is None
        guard.sign_of_life()
        clock.seconds = 1199
        assert guard.look() is None
        clock.seconds = 1200
        assert "no sign of life for 600 s" in str(guard.look())
    assert guard.look() is None, "between wake-ups nobody hangs"


def test_the_guard_ends_the_process_with_1(caplog: pytest.LogCaptureFixture) -> None:
    ends: list[int] = []
    guard, clock = guard_and_clock(ends)
    with guard.watching():
        clock.seconds = 601
        guard.run(every_s=0.001)
    assert ends == [1]
    assert "no sign of life" in caplog.text


def test_the_guard_ends_a_process_that_does_not_stop_with_0() -> None:
    ends: list[int] = []
    guard, clock = guard_and_clock(ends)
    guard.told_to_stop()
    clock.seconds = 10
    guard.told_to_stop()
    assert guard.look() is None
    clock.seconds = 12
    guard.run(every_s=0.001)
    assert ends == [0]


def test_the_guard_ends_the_process_when_something_else_died() -> None:
    ends: list[int] = []
    guard, _ = guard_and_clock(ends)
    guard.checks.append(lambda: None)
    guard.checks.append(lambda: "a thread died")
    guard.run(every_s=0.001)
    assert ends == [1]


def test_a_guard_that_is_relieved_ends_nothing() -> None:
    ends: list[int] = []
    guard, clock = guard_and_clock(ends)
    clock.seconds = 9999
    guard.stop()
    guard.run(every_s=0.001)
    assert ends == []


def test_the_death_of_the_schedulers_thread_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    found: list[str | None] = []

    def step() -> float:
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "APScheduler"]
        found.append(bench.guard.look())
        # What the thread waits for raises, as an error inside of it would.
        scheduler._event.wait = lambda seconds=None: 1 / 0
        scheduler._event.set()
        scheduler.wakeup()
        thread.join(DEADLINE_S)
        found.append(bench.guard.look())
        return 1

    scheduler = bench.daemon.scheduler()
    monkeypatch.setattr(bench.daemon, "scheduler", lambda: scheduler)
    monkeypatch.setattr(threading, "excepthook", lambda arguments: None)
    bench.play(step)
    assert found == [None, "the scheduler's thread died"]


HANGING = """
import sys
from numebot.adapters.clock import SystemClock
from numebot.cli.serve import end_now
from numebot.adapters.process_guard import Guard
from numebot.daemon import Daemon
from numebot.adapters.systemd import Notifier
import subprocess, threading

class Hangs:
    def wake_up(self, reason):
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        print(child.pid, flush=True)
        threading.Event().wait()

clock = SystemClock()
guard = Guard(clock, limit_s=float(sys.argv[1]), stop_limit_s=0.2, end=end_now)
sys.exit(Daemon(clock, Notifier(None), guard).run(Hangs()))
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("is_told_to_stop", "reads_output"), [(False, True), (True, True), (False, False)], ids=["hang", "stop", "unread"]
)
def test_a_process_that_hangs_is_ended_with_its_children(is_told_to_stop: bool, reads_output: bool) -> None:
    """Also where nobody reads its output: then not even last words may hold it."""
    reading, writing = os.pipe()
    if not reads_output:
        os.set_blocking(writing, False)
        try:
            while os.write(writing, b"x" * 4096):
                pass
        except BlockingIOError:
            os.set_blocking(writing, True)
    command = [sys.executable, "-c", HANGING, "600" if is_told_to_stop else "0.2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=writing, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert is_running(child)
        if is_told_to_stop:
            process.send_signal(signal.SIGTERM)
        code = process.wait(DEADLINE_S)
    os.close(writing)
    os.close(reading)
    if reads_output:
        assert code == (0 if is_told_to_stop else 1)
        wait_until(lambda: not is_running(child), "its child outlived it")
    else:
        assert code == -signal.SIGALRM
        os.kill(child, signal.SIGKILL)  # the kernel ended its parent alone; numebot's own children end with theirs


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + DEADLINE_S  # noqa: TID251 # waits for other processes
    while not is_so():
        assert time.monotonic() < give_up, what  # noqa: TID251
        time.sleep(0.02)  # noqa: TID251


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata"])
def time_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def fire_times(openings: Sequence[str], after: datetime, count: int) -> list[str]:
    """When the jobs for these openings fire, in order, by the scheduler's own triggers."""
    guard = Guard(FakeTime(), limit_s=1)
    daemon = Daemon(FakeTime(), Listener(), guard, openings=[parse_opening(text) for text in openings])
    found = set()
    for job in daemon.scheduler().get_jobs():
        if job.args != ("a round is expected",):
            continue
        moment, previous = after, None
        for _ in range(count):
            previous = job.trigger.get_next_fire_time(previous, moment)
            found.add(previous)
            moment = previous + timedelta(microseconds=1)
    return [f"{moment:%a %Y-%m-%d %H:%M} {moment.utcoffset()}" for moment in sorted(found)[:count]]


def test_the_default_openings_are_expected_in_utc_wherever_the_machine_is(time_zone: str) -> None:
    defaults = Settings().schedule.openings
    # Over the end of summer time, Sunday 2026-10-25 in Europe and 2026-11-01 in America.
    assert fire_times(defaults, datetime(2026, 10, 23, 12, 30, tzinfo=UTC), 8) == [
        "Fri 2026-10-23 13:00 0:00:00",
        "Sat 2026-10-24 12:00 0:00:00",
        "Sat 2026-10-24 13:00 0:00:00",
        "Sat 2026-10-24 18:00 0:00:00",
        "Tue 2026-10-27 12:00 0:00:00",
        "Tue 2026-10-27 13:00 0:00:00",
        "Wed 2026-10-28 12:00 0:00:00",
        "Wed 2026-10-28 13:00 0:00:00",
    ]


def test_every_job_is_lenient_and_fires_once_however_late() -> None:
    daemon = Daemon(FakeTime(), Listener(), Guard(FakeTime(), limit_s=1), openings=[parse_opening("Sat 18:00")])
    scheduler = daemon.scheduler()
    scheduler.start(paused=True)
    try:
        jobs = scheduler.get_jobs()
        assert len(jobs) == 2
        for job in jobs:
            assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, 3600)
            assert job.next_run_time.utcoffset() == timedelta()
    finally:
        scheduler.shutdown()


def test_a_database_that_is_held_at_the_start_is_waited_for(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    answers: list[object] = [LocalTrouble("numebot.db: held."), LocalTrouble("numebot.db: held."), "open"]

    def make() -> object:
        answer = answers.pop(0)
        if isinstance(answer, LocalTrouble):
            raise answer
        return answer

    assert bench.daemon.when_usable(make, limit_s=600) == "open"
    assert bench.listener.heard == ["READY", "READY"]
    assert caplog.messages == ["numebot.db: held. Tried again in 5 s."] * 2


def test_the_wait_for_a_database_has_an_end_and_damage_none(bench: Bench) -> None:
    def held() -> object:
        raise LocalTrouble("held")

    def damaged() -> object:
        raise StorageBroken("damaged")

    began = bench.clock.monotonic()
    with pytest.raises(LocalTrouble, match="held"):
        bench.daemon.when_usable(held, limit_s=60)
    assert bench.clock.monotonic() - began >= 60
    bench.listener.heard.clear()
    with pytest.raises(StorageBroken):
        bench.daemon.when_usable(damaged, limit_s=60)
    assert bench.listener.heard == []


def test_who_is_told_to_stop_waits_for_no_database(bench: Bench) -> None:
    def held() -> object:
        bench.daemon.stop()
        raise LocalTrouble("held")

    assert bench.daemon.when_usable(held, limit_s=1e9) is None
