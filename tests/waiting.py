"""Waiting for what another process or thread does: by looking again and again, with a generous deadline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from numebot.adapters.clock import SystemClock

PATIENCE_S = 60.0
"""How long a test waits for something that takes a moment; the machine may be busy."""


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Come back when `is_so` says yes; fail when it does not in time."""
    clock = SystemClock()
    end = clock.monotonic() + PATIENCE_S
    while not is_so():
        assert clock.monotonic() < end, f"not within {PATIENCE_S:.0f} s: {what}"
        clock.wait(0.02)


def wait_for_text(path: Path) -> str:
    """Return what stands in a file as soon as something does."""
    wait_until(lambda: path.exists() and path.read_text() != "", str(path))
    return path.read_text()


def is_alive(process: int) -> bool:
    """Whether there is such a process; one that waits to be noticed by its parent has ended."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
