"""What the practice tournament needs of its data, and how large a market may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from numebot.practice.streams import FloatArray

FIRST_ERA, LAST_TRAIN_ERA, LAST_ERA = 1, 574, 1231
"""Eras of v5.3 as of August 2026; validation begins right after training."""
META_MODEL_FROM_ERA = 1133
LAST_KNOWN_ERA = {20: 1226, 60: 1218}
"""By horizon in days: the newest era whose targets are known. Younger ones are null."""

PLAYERS = 300
"""How many others play."""

_ROUND_AFTER_LAST_ERA = 1335

LIVE_ERA = "X"
"""What stands in the era column of live files."""


@dataclass(frozen=True)
class Outcome:
    """The live rows of a round and what becomes of them; players never see this.

    Shapes: known (n,), the part of the signal that the crowd knows; targets (60, n), row d - 1 after d days of
    returns; neutralizers (n, k), what the feature-neutral score takes out; benchmark (n,). `key` names the round's
    random streams.
    """

    key: tuple[str | int, ...]
    ids: pd.Index[str]
    known: FloatArray
    targets: FloatArray
    neutralizers: FloatArray
    benchmark: FloatArray


class Market(Protocol):
    """The data of the practice tournament, round by round."""

    @property
    def version(self) -> str:
        """The newest data version on offer, e.g. "v5.3"."""

    @property
    def seed(self) -> int:
        """What every random stream of this market hangs on."""

    def dataset_names(self) -> list[str]:
        """Return the files on offer, e.g. "v5.3/live.parquet"."""

    def dataset_path(self, name: str, round_number: int) -> Path:
        """Return a file on disk as it is in a round, made when needed.

        Live files differ per round, static ones do not. Raises: KeyError for a name that is not on offer.
        """

    def ids(self, tournament: int, round_number: int) -> pd.Index[str]:
        """Return the live ids of a round, in the order of its live file: new ids in Classic, tickers or symbols."""

    def outcome(self, tournament: int, round_number: int) -> Outcome:
        """Return what becomes of a round's live rows."""


@dataclass(frozen=True)
class Scale:
    """How large a synthetic market is. Rows are (fewest, most) per era; eras are spread evenly over the real range.

    A small market is a sample of a large one: its eras lie further apart, as in a downsampled real file. `strength` is
    the correlation of the whole signal with (latent) 60-day returns: more where there are fewer rows to learn it from.
    """

    name: str
    train_eras: int
    validation_eras: int
    train_rows: tuple[int, int]
    validation_rows: tuple[int, int]
    live_rows: tuple[int, int]
    eras_per_row_group: int
    tickers: int
    ticker_dates: int
    tokens: int
    token_dates: int
    strength: float = 0.06
    is_compact: bool = False

    @classmethod
    def tiny(cls) -> Scale:
        """Return a market that is made in a second: for tests. Nothing can be learned from it."""
        return cls("tiny", 4, 5, (120, 160), (120, 160), (120, 160), 5, 300, 4, 150, 8)

    @classmethod
    def small(cls) -> Scale:
        """Return the market of the practice tournament: all features, about 66,000 training rows."""
        return cls("small", 24, 10, (2316, 3000), (2316, 3000), (2300, 2500), 1, 1200, 30, 300, 120)

    @classmethod
    def full(cls) -> Scale:
        """Return a market of the real size: files of gigabytes, made in a quarter of an hour or more."""
        return cls(
            "full", 574, 657, (2316, 6009), (4600, 7100), (6700, 7130), 8, 7168, 500, 500, 1500, 0.035, is_compact=True
        )

    def train(self) -> list[int]:
        """Return the numbers of the training eras."""
        return _spread(FIRST_ERA, LAST_TRAIN_ERA, self.train_eras)

    def validation(self) -> list[int]:
        """Return the numbers of the validation eras; the newest two have no targets (yet) for 60 days."""
        if self.validation_eras >= LAST_ERA - LAST_TRAIN_ERA:
            return list(range(LAST_TRAIN_ERA + 1, LAST_ERA + 1))
        known = _spread(LAST_TRAIN_ERA + 1, LAST_KNOWN_ERA[60], self.validation_eras - 2)
        return [*known, LAST_KNOWN_ERA[20] - 2, LAST_ERA]


def _spread(first: int, last: int, count: int) -> list[int]:
    return [int(era) for era in np.linspace(first, last, count).round()]


def era_name(era: int) -> str:
    """Return an era as Numerai writes it: four digits."""
    return f"{era:04d}"


def era_of_round(round_number: int) -> float:
    """Return where a round stands on the scale of eras: five rounds a week, one era a week."""
    return LAST_ERA + (round_number - _ROUND_AFTER_LAST_ERA) / 5


def check_name(name: str, offered: Sequence[str]) -> None:
    """Raise KeyError with the names on offer unless `name` is one of them."""
    if name not in offered:
        raise KeyError(f"{name!r} is not on offer; there are: {', '.join(offered)}")
