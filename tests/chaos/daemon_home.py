"""A real daemon in a process of its own, with a stand-in for systemd that hears what it says."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from numebot.adapters.runner.processes import descendants
from numebot.core.types import State
from tests.waiting import is_alive

DEADLINE_S = 120
"""For everything that is waited for: the machines of tests are slow, and busy with others."""
MARK = "TEST_MARK"
"""The variable by which every process of one daemon is known, its children and theirs as well."""

HURRIED = """
[schedule]
poll_seconds = 1
idle_seconds = 2

[daemon]
keep_awake = false
"""

_numbers = itertools.count()


def now_s() -> float:
    return time.monotonic()  # noqa: TID251 # waits for other processes


def wait_until(is_so: Callable[[], Any], what: str, *, within_s: float = DEADLINE_S) -> None:
    give_up = now_s() + within_s
    while not is_so():
        assert now_s() < give_up, f"{what}: not so after {within_s:.0f} s"
        time.sleep(0.05)  # noqa: TID251


def hurry(bot: Any, extra: str = HURRIED) -> None:
    """Add settings to those of the home; with many processes at once a database is waited for a little longer."""
    path = bot.home / "config" / "numebot.toml"
    path.write_text(path.read_text().replace("busy_timeout_s = 0.2", "busy_timeout_s = 10") + extra)


def free_port() -> int:
    with socket.socket() as own_socket:
        own_socket.bind(("127.0.0.1", 0))
        return int(own_socket.getsockname()[1])


class Systemd:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self) -> None:
        self.address = f"@numebot-test-{os.getpid()}-{next(_numbers)}"
        self.messages: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.address[1:])
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while message := self._socket.recv(4096):
            self.messages.append(message.decode())

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", "\0" + self.address[1:])
        self._thread.join(DEADLINE_S)
        self._socket.close()

    def heard(self, word: str) -> int:
        """How often it was said."""
        return sum(message.startswith(word) for message in self.messages)

    def words(self) -> list[str]:
        """The first line of each message, in order, the same one in a row once."""
        return [word for word, _ in itertools.groupby(message.partition("\n")[0] for message in self.messages)]


class Serve:
    """One `numebot serve`, or another command, of an owner's home."""

    def __init__(
        self,
        bot: Any,
        *arguments: str,
        program: Sequence[str] = (sys.executable, "-m", "numebot"),
        environ: Mapping[str, str] | None = None,
        systemd: Systemd | None = None,
    ) -> None:
        self.bot = bot
        self.systemd = systemd
        self.mark = f"{os.getpid()}-{next(_numbers)}"
        self.log = bot.home / f"{'-'.join(arguments) or 'serve'}-{self.mark}.log"
        self.began_s = now_s()
        self._relatives: dict[int, str] = {}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*program, *(arguments or ("serve",))],
                env={
                    **os.environ,
                    **bot.environ(),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    MARK: self.mark,
                    **({"NOTIFY_SOCKET": systemd.address} if systemd else {}),
                    **(environ or {}),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, is_so: Callable[[], Any], what: str, *, within_s: float = DEADLINE_S) -> None:
        """Wait for something that the daemon brings about; its own end is a reason to stop waiting."""

        def look() -> bool:
            code = self.process.poll()
            assert code is None, f"{what}: the daemon ended with {code} first\n{self.said}"
            return bool(is_so())

        try:
            wait_until(look, what, within_s=within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said}") from error

    def wait_for_words(self, words: str, *, times: int = 1) -> None:
        self.wait_for(lambda: self.said.count(words) >= times, f"{words!r} in its log")

    def wait_for_wake_up(self, *, more: int = 1) -> None:
        """Wait until so many further wake-ups are finished."""
        assert self.systemd is not None
        until = self.systemd.heard("WATCHDOG") + more
        self.wait_for(lambda: self.systemd.heard("WATCHDOG") >= until, "a finished wake-up")  # type: ignore[union-attr]

    def wait_until_confirmed(self, *models: str) -> None:
        self.wait_for(lambda: confirmed(self.bot) >= set(models), f"{', '.join(models)} confirmed")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, *, within_s: float = DEADLINE_S) -> tuple[int, float]:
        """Send a signal and return the exit code and how many seconds its end took, with that of all its family."""
        began_s = now_s()
        self.family()
        with suppress(ProcessLookupError):
            self.send(number)
        code = self.process.wait(within_s)
        wait_until(lambda: not self.family(), f"still there: {self.family()}", within_s=within_s)
        return code, now_s() - began_s

    def wait(self, within_s: float = DEADLINE_S) -> int:
        return self.process.wait(within_s)

    def family(self) -> dict[int, str]:
        """Every process with our mark and all below it, plugins' without our environment too, and its command line.

        Who was seen once belongs to it as long as it lives, whoever its parent is then.
        """
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = command_line(int(folder.name))
        below = {process: command_line(process) for parent in found for process in descendants(parent)}
        self._relatives = {process: line for process, line in (self._relatives | below).items() if is_alive(process)}
        return self._relatives | found

    def child(self, words: str) -> int | None:
        """The process id of the member of the family whose command line has these words."""
        return next((pid for pid, line in self.family().items() if words in line), None)

    def sweep(self) -> None:
        for pid in self.family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()


def look_up(bot: Any, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask the database without touching it; nothing while there is none."""
    with suppress(sqlite3.OperationalError):  # it is not there yet, or being made
        connection = sqlite3.connect(f"file:{bot.data_folder / 'numebot.db'}?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()
    return []


def command_line(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def confirmed(bot: Any) -> set[str]:
    """The models that are confirmed in the newest round."""
    query = "SELECT model FROM submissions WHERE state = ? AND round_number = (SELECT max(number) FROM rounds)"
    return {model for (model,) in look_up(bot, query, State.CONFIRMED.value)}


def noted(bot: Any, key: str) -> Any:
    """What numebot noted under a key; None without."""
    found = look_up(bot, "SELECT value FROM meta WHERE key = ?", key)
    return json.loads(found[0][0]) if found else None


@contextmanager
def serving(bot: Any, *arguments: str, **options: Any) -> Iterator[Serve]:
    """Run a daemon for the length of the block; what is left of it is killed at the end."""
    serve = Serve(bot, *arguments, **options)
    try:
        yield serve
    finally:
        serve.sweep()


@contextmanager
def fake_systemd() -> Iterator[Systemd]:
    systemd = Systemd()
    try:
        yield systemd
    finally:
        systemd.close()
