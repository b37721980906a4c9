"""Ids: those of Classic rows, `n` and fifteen hexadecimal digits, never the same twice; and UUIDs of lasting things."""

from __future__ import annotations

import uuid

import numpy as np

from numebot.practice.market.streams import stream

_MASK = np.uint64((1 << 60) - 1)
_ROWS_BITS = 20
_FIRST_ROUND_BLOCK = 4096


def stable_id(seed: int, *parts: object) -> str:
    """Return a UUID that depends on the seed and `parts` only: for accounts, models, rounds and players."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(["practice", str(seed), *map(str, parts)])))


def era_ids(seed: int, era: int, count: int) -> list[str]:
    """Return the sorted ids of a training or validation era."""
    return _ids(seed, era, count)


def live_ids(seed: int, round_number: int, count: int) -> list[str]:
    """Return the sorted ids of a round's live rows."""
    return _ids(seed, _FIRST_ROUND_BLOCK + round_number, count)


def _ids(seed: int, block: int, count: int) -> list[str]:
    """Number the rows of a block and scramble the numbers by steps that can be undone: no two become equal."""
    random = stream(seed, "ids")
    numbers = (np.uint64(block) << np.uint64(_ROWS_BITS)) + np.arange(count, dtype=np.uint64)
    for shift in (31, 29, 32):
        factor = np.uint64(int(random.integers(1 << 59, 1 << 60)) | 1)
        numbers = (numbers * factor) & _MASK
        numbers ^= numbers >> np.uint64(shift)
    return [f"n{number:015x}" for number in np.sort(numbers).tolist()]
