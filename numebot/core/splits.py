"""Cross-validation over eras: which eras to learn from and which to be measured by, with a distance between them.

A target reaches weeks into the future, so that eras near each other share returns. What is learned from them is not
unseen; such eras are left out of the training of a fold.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numebot.core.features import era_order

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """Eras to learn from and eras to be measured by, each oldest first."""

    train: tuple[str, ...]
    test: tuple[str, ...]


def blocked_folds(eras: Iterable[object], count: int, *, purge: int, embargo: int) -> list[Fold]:
    """Return folds whose test eras are blocks of neighbours, which together cover every era once.

    `purge` eras before a block and `embargo` eras after it are not learned from.
    Raises: ValueError for fewer eras than folds, or when a fold has nothing left to learn from.
    """
    ordered = _enough(eras, count, at_least=2)
    blocks = [tuple(int(place) for place in part) for part in np.array_split(np.arange(len(ordered)), count)]
    return _folds(ordered, blocks, purge, embargo)


def dealt_folds(
    eras: Iterable[object], count: int, *, chunk: int, purge: int, embargo: int, seed: int | None = None
) -> list[Fold]:
    """Return folds whose test eras are several chunks of `chunk` neighbours: each fold sees every period.

    The chunks are dealt out in turn, or at random with a `seed`. Raises: as `blocked_folds`.
    """
    ordered = _enough(eras, count, at_least=2)
    chunks = [range(start, min(start + chunk, len(ordered))) for start in range(0, len(ordered), chunk)]
    if len(chunks) < count:
        raise ValueError(
            f"{count} folds need at least {count} chunks of {chunk} eras; {_spoken(ordered)} make {len(chunks)}."
        )
    if seed is not None:
        random.Random(seed).shuffle(chunks)
    dealt = [tuple(sorted(place for part in chunks[number::count] for place in part)) for number in range(count)]
    return _folds(ordered, dealt, purge, embargo)


def forward_folds(
    eras: Iterable[object], count: int, *, embargo: int, window: int | None = None, test_eras: int | None = None
) -> list[Fold]:
    """Return folds that only learn from eras more than `embargo` before those that they are measured by.

    The newest eras are cut into `count` blocks of `test_eras` (by default as many as the eras before the first block);
    with a `window` the training is the newest so many eras, else all. Raises: as `blocked_folds`.
    """
    ordered = _enough(eras, count + 1, at_least=2)
    size = test_eras or len(ordered) // (count + 1)
    first = len(ordered) - count * size
    if first < 1:
        raise ValueError(f"{count} folds of {size} test eras leave nothing to learn from {_spoken(ordered)}.")
    places = era_places(ordered)
    folds = []
    for number in range(count):
        block = slice(first + number * size, first + (number + 1) * size)
        before = [era for era, place in zip(ordered, places, strict=True) if place < places[block][0] - embargo]
        folds.append(Fold(tuple(before[-window:] if window else before), tuple(ordered[block])))
    return _learnable(folds, f"an embargo of {embargo}")


def era_places(ordered: Sequence[str]) -> Places:
    """Return where eras stand in time, in weeks: their numbers, or their positions where they are dates."""
    if all(era.isdecimal() for era in ordered):
        return np.array([int(era) for era in ordered], dtype=np.int64)
    return np.arange(len(ordered), dtype=np.int64)


def _folds(ordered: Sequence[str], tests: Sequence[Sequence[int]], purge: int, embargo: int) -> list[Fold]:
    places = era_places(ordered)
    folds = []
    for test in tests:
        ahead = places[list(test)][:, None] - places[None, :]  # how far a test era lies ahead of each era
        far = np.flatnonzero(((ahead > purge) | (ahead < -embargo)).all(axis=0))
        train = tuple(ordered[int(place)] for place in far)
        folds.append(Fold(train, tuple(ordered[place] for place in test)))
    return _learnable(folds, f"a purge of {purge} and an embargo of {embargo}")


def _learnable(folds: list[Fold], distance: str) -> list[Fold]:
    for number, fold in enumerate(folds, 1):
        if not fold.train:
            raise ValueError(
                f"fold {number} of {len(folds)}, which tests {_spoken(fold.test)}, has no era left to learn from with"
                f" {distance} eras. Allowed: fewer folds, a smaller distance, or more eras."
            )
    return folds


def _enough(eras: Iterable[object], needed: int, *, at_least: int) -> list[str]:
    if needed < at_least:
        raise ValueError(f"{needed} folds are no cross-validation. Allowed: {at_least} or more.")
    ordered = era_order(eras)
    if len(ordered) < needed:
        raise ValueError(f"the folds need at least {needed} eras; there are {_spoken(ordered)}.")
    return ordered


def _spoken(ordered: Sequence[str]) -> str:
    if len(ordered) < 2:
        return f"{len(ordered)} era ({ordered[0]})" if ordered else "0 eras"
    return f"{len(ordered)} eras ({ordered[0]} to {ordered[-1]})"
