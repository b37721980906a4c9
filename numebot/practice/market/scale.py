"""How large a made-up market is, and which eras it covers: those of v5.3 as of August 2026."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numebot.practice.numbering import ROUNDS_A_WEEK

FIRST_ERA, LAST_TRAIN_ERA, LAST_ERA = 1, 574, 1231
"""Eras of v5.3 as of August 2026; validation begins right after training."""
META_MODEL_FROM_ERA = 1133
"""The first era with a meta model."""
LAST_KNOWN_ERA = {20: 1226, 60: 1218}
"""By horizon in days: the newest era whose targets are known. Younger ones are null."""

_ROUND_AFTER_LAST_ERA = 1335

LIVE_ERA = "X"
"""What stands in the era column of live files."""


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
        return cls("small", 24, 10, (2316, 3000), (2316, 3000), (2300, 2500), 4, 1200, 30, 300, 120)

    @classmethod
    def full(cls) -> Scale:
        """Return a market of the real size: files of gigabytes."""
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
    return LAST_ERA + (round_number - _ROUND_AFTER_LAST_ERA) / ROUNDS_A_WEEK
