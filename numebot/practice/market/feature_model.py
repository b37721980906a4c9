"""How made-up stocks get made-up features: styles, blocks and noise, cut into equal fifths per era.

A feature is a sum of three things: the market-wide styles its block leans to, the block's own quantity (shared by its
variants) and noise. The weights are set so that the features of `small` correlate like those of a real era: one broad
family, a few narrow ones, and near nothing between the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numebot.practice.market.feature_sets import FeatureLayout
from numebot.practice.market.streams import ByteArray, FloatArray, stream

MISSING = 2
"""What stands where a stock or an era has no history: the middle bin."""

_FAMILY_SHARES = (0.23, 0.11, 0.08, 0.06, 0.05, 0.05, 0.04, 0.04, 0.03, 0.03)
"""How large a share of the blocks leans to each style; the remaining blocks lean to none."""

_CHUNK = 256
"""Features worked on at a time: keeps the intermediate floats inside the processor's cache, and memory flat."""

_FIFTHS = (0.2,) * 5
_BYTE_DEVIATION = float(np.sqrt((256**2 - 1) / 12))
_LATEST_START = 150
"""No feature begins later than this era: two to three years into the history."""


@dataclass(frozen=True)
class FeatureModel:
    """The constants of one seed. Shapes: styles (blocks, k), block_weight (blocks,), everything else (p,)."""

    styles: FloatArray
    block_weight: FloatArray
    blocks: npt.NDArray[np.int64]
    gain: FloatArray
    noise_weight: FloatArray
    missing_share: FloatArray
    first_era: npt.NDArray[np.int64]

    def rows(self, random: np.random.Generator, count: int, era: int) -> ByteArray:
        """Return features of `count` stocks, shape (p, count), int8 0 to 4, equal fifths per feature.

        Features whose history begins after `era` hold the middle bin, and so do a few rows of gappy ones.
        """
        blocks = random.standard_normal((len(self.styles), count), dtype=np.float32) * self.block_weight[:, None]
        styles = random.standard_normal((self.styles.shape[1], count), dtype=np.float32)
        # Not a matrix product: threaded BLAS spins on the cores that write the file and serve the round meanwhile.
        blocks += np.einsum("bk,kn->bn", self.styles, styles)
        features = np.empty((len(self.blocks), count), dtype=np.int8)
        for start in range(0, len(features), _CHUNK):
            part = slice(start, start + _CHUNK)
            values = blocks[self.blocks[part]]
            values *= self.gain[part, None]
            noise = random.integers(0, 256, size=values.shape, dtype=np.uint8)
            values += noise * (self.noise_weight[part, None] / np.float32(_BYTE_DEVIATION))
            cut(values, _FIFTHS, out=features[part])
        self._leave_gaps(features, random, era)
        return features

    def _leave_gaps(self, features: ByteArray, random: np.random.Generator, era: int) -> None:
        gappy = np.flatnonzero(self.missing_share > 0)
        draws = random.integers(0, 256, size=(len(gappy), features.shape[1]), dtype=np.uint8)
        for place, index in enumerate(gappy):
            features[index, draws[place] < self.missing_share[index] * 256] = MISSING
        features[self.first_era > era] = MISSING


def cut(values: FloatArray, shares: Sequence[float], *, out: ByteArray) -> None:
    """Write the bin of every value within its row to `out`: bins from the lowest up, of these shares but for ties."""
    count = values.shape[1]
    ordered = np.sort(values, axis=1)
    out[:] = 0
    for share in np.cumsum(shares)[:-1]:
        last_below = min(max(round(float(share) * count) - 1, 0), count - 1)
        out += values > ordered[:, last_below, None]


def feature_model(seed: int, layout: FeatureLayout) -> FeatureModel:
    """Return the constants that belong to a seed and its layout."""
    random = stream(seed, "loadings")
    styles = _block_styles(random, int(layout.blocks.max()) + 1)
    likeness = random.uniform(0.8, 0.99, size=len(styles))[layout.blocks]
    signs = random.choice(np.array([1, 1, 1, -1]), size=len(layout.names))
    return FeatureModel(
        styles=styles,
        block_weight=np.sqrt(1.0 - np.square(styles).sum(axis=1)),
        blocks=layout.blocks,
        gain=(signs * likeness).astype(np.float32),
        noise_weight=np.sqrt(1 - np.square(likeness)).astype(np.float32),
        missing_share=_missing_shares(random, layout),
        first_era=_first_eras(random, layout),
    )


def _block_styles(random: np.random.Generator, block_count: int) -> FloatArray:
    """Return what each block has of each style, shape (blocks, styles), squares summing to less than one."""
    families = len(_FAMILY_SHARES)
    styles = random.normal(0.0, 0.075, size=(block_count, families))
    chances = [*_FAMILY_SHARES, 1 - sum(_FAMILY_SHARES)]
    family = random.choice(families + 1, p=chances, size=block_count)
    for style in range(families):
        members = np.flatnonzero(family == style)
        styles[members, style] = random.uniform(0.55, 0.9, size=len(members)) * random.choice([-1, 1], len(members))
    return styles.astype(np.float32)


def _missing_shares(random: np.random.Generator, layout: FeatureLayout) -> FloatArray:
    """Return the share of rows without history: none for most features, up to 13 % for one in six."""
    gappy = random.random(len(layout.names)) < 1 / 6
    shares = random.uniform(0.005, 0.13, size=len(layout.names))
    return np.where(gappy, shares, 0).astype(np.float32)


def _first_eras(random: np.random.Generator, layout: FeatureLayout) -> npt.NDArray[np.int64]:
    """Return the first era with history: 1 for nearly all; some features and most of `quantum` begin later."""
    first = np.ones(len(layout.names), dtype=np.int64)
    late = random.random(len(first)) < 0.1
    late[layout.positions("quantum")] = random.random(len(layout.sets["quantum"])) < 0.6
    late[layout.positions("small")] = False
    first[late] = random.integers(2, _LATEST_START, size=int(late.sum()))
    return first
