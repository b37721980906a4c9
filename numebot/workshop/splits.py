"""Splitters over eras for scikit-learn: give them the eras as `groups`.

    cross_val_score(model, data.X, data.y, groups=data.eras, cv=EraKFold(5, embargo=embargo_eras(data.target)))

The default embargo of 16 eras fits every target; 8 are enough for those of 20 days.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import BaseCrossValidator

from numebot.core.splits import Fold, blocked_folds, dealt_folds, forward_folds

Rows = npt.NDArray[np.intp]

LONGEST = 16
"""Eras that a 60-day target reaches: the distance that is safe for every target."""


class _EraSplitter(BaseCrossValidator):  # type: ignore[misc] # scikit-learn is not typed
    """Turns folds of eras into row numbers. Raises: ValueError as numebot.core.splits."""

    n_splits: int

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Rows, Rows]]:
        """Yield the rows to learn from and the rows to be measured by; `groups` are the eras, one per row."""
        if groups is None:
            raise ValueError(f"{type(self).__name__} needs the eras: groups=data.eras")
        eras = np.asarray(pd.Series(np.asarray(groups)).astype(str))
        if len(eras) != len(X):
            raise ValueError(f"groups has {len(eras)} eras for {len(X)} rows; each row needs one.")
        for fold in self.folds(eras):
            yield np.flatnonzero(np.isin(eras, fold.train)), np.flatnonzero(np.isin(eras, fold.test))

    @abstractmethod
    def folds(self, eras: Any) -> list[Fold]:
        """Return the folds as eras."""


class EraKFold(_EraSplitter):
    """Blocks of neighbouring eras, each tested once by what was learned from all others far enough away.

    `embargo` eras after a block and `purge` eras before it (None: as many) are not learned from.
    """

    def __init__(self, n_splits: int = 5, *, embargo: int = LONGEST, purge: int | None = None) -> None:
        self.n_splits = n_splits
        self.embargo = embargo
        self.purge = purge

    def folds(self, eras: Any) -> list[Fold]:
        """Return the folds as eras."""
        purge = self.embargo if self.purge is None else self.purge
        return blocked_folds(eras, self.n_splits, purge=purge, embargo=self.embargo)


class WalkForward(_EraSplitter):
    """Blocks of the newest eras, each tested by what was learned from older ones alone, as in the tournament.

    The training grows from fold to fold, or is the newest `window` eras. `test_eras` is the size of a block.
    """

    def __init__(
        self, n_splits: int = 5, *, embargo: int = LONGEST, window: int | None = None, test_eras: int | None = None
    ) -> None:
        self.n_splits = n_splits
        self.embargo = embargo
        self.window = window
        self.test_eras = test_eras

    def folds(self, eras: Any) -> list[Fold]:
        """Return the folds as eras."""
        return forward_folds(
            eras, self.n_splits, embargo=self.embargo, window=self.window, test_eras=self.test_eras
        )


class EraGroups(_EraSplitter):
    """Chunks of `chunk` neighbouring eras, dealt out to the folds so that each fold is tested in every period.

    The longer the chunks, the less the distance around them costs: with an embargo of 16 take 50 or more.
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        chunk: int = 52,
        embargo: int = LONGEST,
        purge: int | None = None,
        random_state: int | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.chunk = chunk
        self.embargo = embargo
        self.purge = purge
        self.random_state = random_state

    def folds(self, eras: Any) -> list[Fold]:
        """Return the folds as eras."""
        purge = self.embargo if self.purge is None else self.purge
        return dealt_folds(
            eras, self.n_splits, chunk=self.chunk, purge=purge, embargo=self.embargo, seed=self.random_state
        )
