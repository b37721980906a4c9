"""Seconds for the limits of other processes. They are measured in a process that no clock can be handed to."""

from __future__ import annotations

import time


def seconds() -> float:
    """Return seconds that only grow."""
    return time.monotonic()  # noqa: TID251 # the watching process runs beside numebot and its clock


def pause(length_s: float) -> None:
    """Wait a moment for the kernel to do what it was told."""
    time.sleep(length_s)  # noqa: TID251 # as above


def stamp() -> str:
    """Return the time of day for a line in a log, as logging does for its own."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
