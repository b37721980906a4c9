"""How much memory a training needs, told before it begins rather than by its end."""

from __future__ import annotations

from typing import Protocol

from numebot.core.errors import PluginError

LIGHTGBM_TIMES, XGBOOST_TIMES, EXTERNAL_TIMES = 2.5, 2.0, 1.0
"""Memory as a multiple of the size of the features; what comes on top is about the same for every training."""
FRAME_TIMES = 2.0
"""A plugin that takes a frame makes a copy of it at some time."""
_MB = 10**6


class Sized(Protocol):
    """Rows that know their size."""

    def __len__(self) -> int:
        """How many there are."""

    @property
    def size_bytes(self) -> int:
        """What their features take."""


def needed_bytes(size_bytes: int, *, times: float, plus_mb: float) -> int:
    """Return what a training over features of that size needs."""
    return int(size_bytes * times + plus_mb * _MB)


def has_room(rows: Sized, memory_bytes: int | None, *, times: float, plus_mb: float) -> bool:
    """Whether it fits; always where nothing was said."""
    return memory_bytes is None or needed_bytes(rows.size_bytes, times=times, plus_mb=plus_mb) <= memory_bytes


def require_room(what: str, rows: Sized, memory_bytes: int | None, *, times: float, plus_mb: float) -> None:
    """Raise PluginError when it does not fit, with what it would need."""
    if memory_bytes is None or has_room(rows, memory_bytes, times=times, plus_mb=plus_mb):
        return
    needed = needed_bytes(rows.size_bytes, times=times, plus_mb=plus_mb)
    raise PluginError(
        f"{what}: {len(rows):,} rows of {rows.size_bytes / 1e9:.2f} GB need about {needed / 1e9:.1f} GB of memory, and"
        f" {memory_bytes / 1e9:.1f} GB are allowed (--memory). Allow more, or train on fewer eras"
        " (--every-nth-era 4) or a smaller feature set."
    )
