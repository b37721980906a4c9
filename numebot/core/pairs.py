"""Two models side by side: the rounds in which both have a value of one metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

DAY_S = 86_400.0


@dataclass(frozen=True)
class RoundValue:
    """The newest value of one metric of one model in one round.

    `is_final` says that no day will be added. `opens_at` and `scored_at` bound the days that the value is made of; None
    where the store does not have them.
    """

    round_number: int
    version: str
    value: float
    is_final: bool
    opens_at: datetime | None
    scored_at: datetime | None


@dataclass(frozen=True)
class Pair:
    """The values of two models in one round, and the days behind them in days since 1970."""

    round_number: int
    first: float
    second: float
    window: tuple[float, float]
    is_final: bool

    @property
    def difference(self) -> float:
        """The first less the second."""
        return self.first - self.second


@dataclass(frozen=True)
class Pairs:
    """The common rounds, oldest first. `undated` counts those left out because their times are not in the store."""

    rows: tuple[Pair, ...]
    undated: int = 0


def pairs_of(
    first: Sequence[RoundValue], second: Sequence[RoundValue], *, with_running: bool, last: int | None = None
) -> Pairs:
    """Return the `last` rounds (None: all) in which both have a value of the same version of the metric.

    Only final values, unless `with_running`: one that still grows has seen fewer days than the others.
    """
    others = {(row.round_number, row.version): row for row in second}
    common: dict[int, tuple[RoundValue, RoundValue]] = {}
    for row in first:
        other = others.get((row.round_number, row.version))
        if other is not None and (with_running or (row.is_final and other.is_final)):
            common[row.round_number] = row, other
    chosen = sorted(common)[-last:] if last else sorted(common)
    pairs = [_pair(*common[number]) for number in chosen]
    dated = tuple(pair for pair in pairs if pair is not None)
    return Pairs(dated, undated=len(pairs) - len(dated))


def _pair(first: RoundValue, second: RoundValue) -> Pair | None:
    opens_at = first.opens_at or second.opens_at
    known = [at for at in (first.scored_at, second.scored_at) if at is not None]
    if opens_at is None or not known or max(known) <= opens_at:
        return None
    window = opens_at.timestamp() / DAY_S, max(known).timestamp() / DAY_S
    return Pair(first.round_number, first.value, second.value, window, first.is_final and second.is_final)
