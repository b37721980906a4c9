"""Child processes that do the heavy work: bounded, stopped politely and then for certain, with all their family.

A child has a session of its own, so that a Ctrl-C in the terminal is the parent's business. It ends when its parent
does (PR_SET_PDEATHSIG, set by the child: see `end_with_parent`). What must stay out of its environment, the API key,
comes through a pipe.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from numebot.core.errors import LocalTrouble
from numebot.core.ports import Clock

PARENT_VARIABLE = "NUMEBOT_PARENT"
"""The process whose end ends this one."""
LOOK_EVERY_S = 0.1

_PR_SET_PDEATHSIG = 1
_MOST_ROUNDS = 20  # a family that is killed may grow meanwhile
_DEAD = "ZX"


class Child:
    """A running child. To be used from the thread that started it: the kernel ties the child's life to that thread."""

    def __init__(self, process: subprocess.Popen[bytes], clock: Clock) -> None:
        self._process = process
        self._clock = clock

    @property
    def pid(self) -> int:
        """The child's process id, which is its session's and group's as well."""
        return self._process.pid

    def wait(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> int | None:
        """Return the exit code, or None when `seconds` are over or `until` says so first.

        What the child leaves behind when it ends is killed: it might hold the child's locks.
        """
        end = self._clock.monotonic() + seconds
        while not self._has_ended():
            if until() or self._clock.monotonic() >= end:
                return None
            self._clock.wait(LOOK_EVERY_S)
        return self._bury()

    def stop(self, grace_s: float) -> int:
        """Ask the child to end, and kill it with its family after `grace_s` seconds. Returns its exit code."""
        if not self._has_ended():
            os.kill(self.pid, signal.SIGTERM)
        code = self.wait(grace_s)
        return self.kill() if code is None else code

    def kill(self) -> int:
        """Kill the child and everything it started, also what moved into sessions of its own."""
        if not self._has_ended():
            # Stopped first: what cannot run cannot start anything while we look for its children.
            os.kill(self.pid, signal.SIGSTOP)
            kill_family(self.pid)
            os.kill(self.pid, signal.SIGKILL)
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        return self._bury()

    def _has_ended(self) -> bool:
        """Whether it ended. Its id is not given back yet, so that it still means this child and its session."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _bury(self) -> int:
        if self._process.returncode is None:
            kill_family(self.pid)
        return self._process.wait()


def kill_family(pid: int) -> None:
    """Kill everything that the process `pid` started and that runs, and what is in its session; not itself."""
    for _ in range(_MOST_ROUNDS):
        family = _family(pid)
        if not family:
            return
        for member in family:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(member, signal.SIGKILL)


def start_child(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    clock: Clock,
    *,
    secret: bytes = b"",
    program: Sequence[str] = (sys.executable, "-m", "numebot"),
) -> Child:
    """Start `numebot ARGUMENTS` as a child; `secret` is all it can read from its standard input.

    Its output goes where ours goes. Raises: LocalTrouble when no process can be started.
    """
    command = [*program, *arguments]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            env={**environ, PARENT_VARIABLE: str(os.getpid())},
            start_new_session=True,
        )
    except OSError as error:
        raise LocalTrouble(f"{command[0]}: cannot be started ({error.strerror or error}); tried again later") from error
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(secret)
        process.stdin.flush()
    with suppress(BrokenPipeError):
        process.stdin.close()
    return Child(process, clock)


def end_with_parent(environ: Mapping[str, str]) -> None:
    """In a child: ask the kernel to kill this process when its parent ends. Linux only; elsewhere nothing happens."""
    parent = environ.get(PARENT_VARIABLE, "")
    if not parent.isdigit() or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGKILL)  # it ended before we could ask


def _family(pid: int) -> set[int]:
    """Return what runs below `pid` or in the session that it leads, by /proc; nothing where there is none."""
    children: dict[int, set[int]] = {}
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # The name stands in brackets and may hold anything: what counts comes after the last one.
            state, parent, _, session = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:4]
            if state not in _DEAD:
                children.setdefault(int(parent), set()).add(int(folder.name))
                # Orphans have a new parent, but their session is the old one.
                if int(session) == pid != int(folder.name):
                    found.add(int(folder.name))
    waiting = [pid, *found]
    while waiting:
        below = children.get(waiting.pop(), set()) - found
        found |= below
        waiting += below
    return found - {pid}
