"""From values to places on a plot: ranges and round marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MARKS = 5
"""About so many lines cross a plot."""


@dataclass(frozen=True)
class Scale:
    """A line from `low` to `high` on the paper from `start` to `end`, in pixels."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return where a value stands, in pixels."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def value_scale(values: Sequence[float], start: float, end: float) -> tuple[Scale, list[float]]:
    """Return a scale that holds zero and all finite values, and its round marks."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *known]), max([0.0, *known])
    if high == low:
        high = low + 1.0
    step = _round_step((high - low) / MARKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    marks = [number * step for number in range(first, last + 1)]
    return Scale(marks[0], marks[-1], start, end), marks


def mark_text(value: float, marks: Sequence[float]) -> str:
    """Return a mark with as many digits as tell it from its neighbour."""
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    digits = next((count for count in range(12) if abs(round(step, count) - step) < 1e-9 * step), 12)
    return f"{value + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= rough * (1 - 1e-9))
