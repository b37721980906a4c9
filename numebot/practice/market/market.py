"""What the practice tournament needs of its data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from numebot.practice.market.streams import FloatArray


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


def live_key(tournament: int, round_number: int) -> tuple[str | int, ...]:
    """Return the key of everything random about a round."""
    return ("live", int(tournament), round_number)


def check_name(name: str, offered: Sequence[str]) -> None:
    """Raise KeyError with the names on offer unless `name` is one of them."""
    if name not in offered:
        raise KeyError(f"{name!r} is not on offer; there are: {', '.join(offered)}")
