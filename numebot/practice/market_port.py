"""What the world needs of the market and the scorer, small enough to fake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd


class Market(Protocol):
    """The data of the practice tournament."""

    @property
    def version(self) -> str:
        """Return the newest data version on offer, e.g. "v5.3"."""

    def dataset_names(self) -> list[str]:
        """Return the files on offer, e.g. "v5.3/live.parquet"."""

    def dataset_path(self, name: str, round_number: int) -> Path:
        """Return a file as it is in a round. Raises: KeyError for an unknown name."""

    def ids(self, tournament: int, round_number: int) -> pd.Index:
        """Return the live ids of a round."""


class ScoreLike(Protocol):
    """One metric on one day; `percentile` is in [0, 1] or None."""

    @property
    def display_name(self) -> str:
        """The API's name of the metric, e.g. "corr60"."""

    @property
    def version(self) -> str:
        """The version of the metric."""

    @property
    def day(self) -> int:
        """The scoring day, 1 is the first."""

    @property
    def value(self) -> float | None:
        """The score; None while no returns exist for it."""

    @property
    def percentile(self) -> float | None:
        """The share of players below."""


class Scorer(Protocol):
    """Scores predictions."""

    def scores(
        self, tournament: int, round_number: int, predictions: pd.Series[float], *, days: int
    ) -> Sequence[ScoreLike]:
        """Return the scores of the first `days` scoring days."""
