"""What of the future the features know: a weak signal that persists, and drifts a little from era to era.

The signal is a weighted sum of features, pairs of features and tail effects. A good share of it lives in `small`, so
that a model of 42 features learns it from sixty thousand rows; the rest is spread over scores of other features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numebot.practice.market.feature_sets import FeatureLayout
from numebot.practice.market.streams import ByteArray, FloatArray, standardised, stream

_SMALL_FEATURES = 18
_PAIRS = 6
_TAILS = 4
_OTHER_FEATURES = 80
_SHARES = {"small": 0.6, "pairs": 0.1, "tails": 0.05, "others": 0.25}
"""How much of the signal's variance each part makes."""
_DRIFT = 0.4
"""How far a weight swings around its mean over the years, as a share of it."""


@dataclass(frozen=True)
class Signal:
    """Shapes (n,), mean 0, deviation 1. `known` is the part that the crowd of players has found out."""

    whole: FloatArray
    known: FloatArray


@dataclass(frozen=True)
class SignalModel:
    """The constants of one seed; positions point into the sorted features, weights keep the same order."""

    linear: npt.NDArray[np.int64]
    pairs: npt.NDArray[np.int64]
    tails: npt.NDArray[np.int64]
    linear_weights: FloatArray
    pair_weights: FloatArray
    tail_weights: FloatArray
    is_known: npt.NDArray[np.bool_]
    periods: FloatArray
    phases: FloatArray

    def signal(self, features: ByteArray, time: float) -> Signal:
        """Return the signal of rows with these features, shape (p, n), at a time in eras."""
        weights = self.linear_weights * self._swing(time)
        values = _centred(features[self.linear])
        first, second = _centred(features[self.pairs[:, 0]]), _centred(features[self.pairs[:, 1]])
        whole = np.asarray(weights @ values, dtype=np.float32)
        whole += self.pair_weights @ (first * second)
        whole += self.tail_weights @ (np.square(_centred(features[self.tails])) - 1)
        return Signal(
            whole=standardised(whole),
            known=standardised(np.asarray((self.linear_weights * self.is_known) @ values, dtype=np.float32)),
        )

    def _swing(self, time: float) -> FloatArray:
        swing = 1 + _DRIFT * np.sin(2 * np.pi * time / self.periods + self.phases)
        return np.asarray(swing, dtype=np.float32)


def signal_model(seed: int, layout: FeatureLayout) -> SignalModel:
    """Return the constants that belong to a seed and its layout."""
    random = stream(seed, "signal")
    small = random.permutation(layout.positions("small"))
    medium = set(layout.positions("medium").tolist()) - set(small.tolist())
    rest = np.setdiff1d(np.arange(len(layout.names)), np.concatenate([small, np.array(sorted(medium))]))
    others = np.concatenate([
        random.choice(np.array(sorted(medium)), size=_OTHER_FEATURES * 3 // 4, replace=False),
        random.choice(rest, size=_OTHER_FEATURES // 4, replace=False),
    ])
    linear = np.concatenate([small[:_SMALL_FEATURES], others])
    weights = np.concatenate([
        _weights(random, _SMALL_FEATURES, _SHARES["small"]), _weights(random, len(others), _SHARES["others"])
    ])
    return SignalModel(
        linear=linear,
        pairs=random.choice(small, size=(_PAIRS, 2), replace=False),
        tails=small[-_TAILS:],
        linear_weights=weights,
        pair_weights=_weights(random, _PAIRS, _SHARES["pairs"]),
        tail_weights=_weights(random, _TAILS, _SHARES["tails"]),
        is_known=random.random(len(linear)) < 0.6,
        periods=random.uniform(150, 900, size=len(linear)).astype(np.float32),
        phases=random.uniform(0, 2 * np.pi, size=len(linear)).astype(np.float32),
    )


def _weights(random: np.random.Generator, count: int, share: float) -> FloatArray:
    """Return signed weights whose squares sum to `share`."""
    weights = random.uniform(0.5, 1.0, size=count) * random.choice([-1, 1], size=count)
    return np.asarray(weights * np.sqrt(share / np.square(weights).sum()), dtype=np.float32)


def _centred(features: ByteArray) -> FloatArray:
    """Return features with mean 0 and, for five equal bins, variance 1."""
    return (features.astype(np.float32) - 2) / np.float32(np.sqrt(2))
