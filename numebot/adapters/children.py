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
        """Return the exit code, or None when `seconds` are over or `until` says so first."""
        end = self._clock.monotonic() + seconds
        while (code := self._process.poll()) is None:
            if until() or self._clock.monotonic() >= end:
                return None
            self._clock.wait(LOOK_EVERY_S)
        return code

    def stop(self, grace_s: float) -> int:
        """Ask the child to end, and kill it with its family after `grace_s` seconds. Returns its exit code."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        code = self.wait(grace_s)
        return self.kill() if code is None else code

    def kill(self) -> int:
        """Kill the child and everything it started, also what moved into sessions of its own."""
        # Stopped first: what cannot run cannot start anything while we look for its children.
        self._signal_group(signal.SIGSTOP)
        family = _family(self.pid)
        self._signal_group(signal.SIGKILL)
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return self._process.wait()

    def _signal_group(self, number: int) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


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


def _family(pid: int) -> list[int]:
    """Return every process below `pid`, by /proc; nothing where there is none."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # The name stands in brackets and may hold anything: what counts comes after the last one.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found
