"""The processes below this one: who they are, what memory they hold, and their end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from numebot.adapters.runner.clockwork import pause, seconds

_PROC = Path("/proc")
_MB = 2**20


def descendants(root: int) -> list[int]:
    """Return all processes below `root`, parents before their children. Zombies count."""
    found, waiting = [], [root]
    while waiting:
        for child in _children(waiting.pop()):
            found.append(child)
            waiting.append(child)
    return found


def memory_mb(process: int) -> float:
    """Return what a process holds of memory by itself, swap included, in MB of 2**20 bytes; 0 when it is gone."""
    wanted = ("RssAnon:", "RssShmem:", "VmSwap:")
    with suppress(OSError, ValueError):
        lines = (_PROC / str(process) / "status").read_text("ascii", "replace").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(wanted)) / 1024
    return 0.0


def fair_memory_mb(process: int) -> float:
    """Return the same with shared memory divided among its users: slower, and right for processes that forked."""
    wanted = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")
    with suppress(OSError, ValueError):
        lines = (_PROC / str(process) / "smaps_rollup").read_text("ascii", "replace").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(wanted)) / 1024
    return 0.0


def end_all(root: int, group: int, *, within_s: float = 10.0) -> bool:
    """End everything below `root`; True when nothing is left.

    First all of them are stopped, so that none can start another one meanwhile; only then they are killed. `group` is
    the process group of the first of them, which a signal reaches at once, however many they are.
    """
    until = seconds() + within_s
    signal_group(group, signal.SIGSTOP)
    stopped: set[int] = set()
    while new := set(descendants(root)) - stopped:
        _signal(new, signal.SIGSTOP)
        stopped |= new
        if seconds() > until:
            break
    signal_group(group, signal.SIGKILL)
    while left := descendants(root):
        _signal(left, signal.SIGKILL)
        reap()
        if seconds() > until:
            return False
        pause(0.001)
    return True


def reap() -> dict[int, int]:
    """Take note of children that ended; return their statuses by process number."""
    ended = {}
    with suppress(ChildProcessError):
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                break
            ended[process] = status
    return ended


def _children(process: int) -> Iterator[int]:
    """Yield the children of all threads of a process."""
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with suppress(OSError, ValueError), open(f"/proc/{process}/task/{thread}/children", "rb") as file:
                yield from map(int, file.read().split())


def _signal(numbers: set[int] | list[int], what: signal.Signals) -> None:
    for number in numbers:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(number, what)


def signal_group(group: int, what: signal.Signals) -> None:
    """Send a signal to a whole process group at once."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, what)
