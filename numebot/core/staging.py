"""Training rows on the disk: which eras they come from, and where the features lie that memory need not hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from numebot.core.errors import PluginError
from numebot.core.features import era_order


@dataclass(frozen=True)
class EraChoice:
    """Which eras to learn from: those from `first` to `last` (blank: as far as there are), every n-th of them."""

    first: str = ""
    last: str = ""
    every: int = 1

    @classmethod
    def parse(cls, text: str, every: int = 1) -> EraChoice:
        """Read "FROM:TO", either side blank. Raises: ValueError."""
        first, colon, last = (part.strip() for part in text.partition(":"))
        if text and not colon:
            raise ValueError(f'"{text}" is no span of eras. Allowed: FROM:TO such as 0200:0574, or 0200: or :0574.')
        if first and last and era_order([first, last])[0] != first:
            raise ValueError(f'"{text}" ends before it begins.')
        return cls(first, last, every)

    def chosen(self, eras: Iterable[object]) -> list[str]:
        """Return those of `eras`, oldest first. The era of a round ("X", "eraX") is never among them.

        Raises: PluginError when none is left.
        """
        known = [era for era in era_order(eras) if any(letter.isdigit() for letter in era)]
        left = [era for era in known if _reaches(self.first, era) and (not self.last or _reaches(era, self.last))]
        if not left:
            there = f"There are {known[0]} to {known[-1]}" if known else "There is none"
            raise PluginError(f"no era from {self.first or 'the first'} to {self.last or 'the last'}. {there}.")
        return left[:: self.every]


def _reaches(first: str, second: str) -> bool:
    return era_order([first, second])[-1] == second


@dataclass(frozen=True, eq=False)
class StagedRows:
    """Rows to learn from whose features lie in a file: rows × features values of type `dtype`, row by row.

    `ids`, `targets` (n, targets) and `eras` (n,) are in memory. `untold` are chosen eras without any target.
    `feature_sets` are those of features.json.
    """

    path: Path
    dtype: str
    features: tuple[str, ...]
    targets: pd.DataFrame
    eras: pd.Series
    target: str
    untold: tuple[str, ...] = ()
    feature_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def size_bytes(self) -> int:
        """What the features take."""
        return self.path.stat().st_size
