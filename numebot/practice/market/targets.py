"""What becomes of the rows: a path of returns, five-valued like Numerai's targets, after any number of days.

Twenty days are the beginning of sixty, so targets of both horizons correlate; the twenty names see the same returns
through different noise. The signal pays out early: it is worth more per day at the beginning than at the end.
"""

from __future__ import annotations

import numpy as np

from numebot.practice.market.feature_model import cut
from numebot.practice.market.feature_sets import MAIN_TARGET, TARGETS
from numebot.practice.market.streams import FloatArray, stream

LONGEST_DAYS = 60
BIN_SHARES = (0.05, 0.2, 0.5, 0.2, 0.05)
"""How many rows of an era hold 0, 0.25, 0.5, 0.75 and 1."""

_SIGNAL_PACE = 0.7
_GAPS = {"target_jeremy_20": 0.0049, "target_jeremy_60": 0.0129}
"""The only targets with holes in the training data, and how many."""


def strength(seed: int, time: float, *, mean: float) -> float:
    """Return the correlation of the signal with 60-day returns at a time in eras: it has good and bad seasons."""
    season = 0.2 * np.sin(2 * np.pi * time / 41 + seed)
    luck = 0.3 * stream(seed, "luck", round(time * 10)).standard_normal()
    return float(mean * np.clip(1 + season + luck, -0.2, 2.2))


def daily_targets(random: np.random.Generator, signal: FloatArray, strength_60: float) -> FloatArray:
    """Return the target of each row after 1, 2, … 60 days of returns, shape (60, n), in {0, .25, .5, .75, 1}."""
    steps = random.standard_normal((LONGEST_DAYS, len(signal)), dtype=np.float32) / np.float32(LONGEST_DAYS**0.5)
    returns = np.cumsum(steps, axis=0) * np.float32((1 - strength_60**2) ** 0.5)
    share = (np.arange(1, LONGEST_DAYS + 1) / LONGEST_DAYS) ** _SIGNAL_PACE
    returns += (strength_60 * share[:, None]).astype(np.float32) * signal
    return five_valued(returns)


def era_targets(random: np.random.Generator, signal: FloatArray, strength_60: float) -> dict[str, FloatArray]:
    """Return every target of an era's rows by name; the gaps of the gappy ones are nan."""
    early, late = random.standard_normal((2, len(signal)), dtype=np.float32)
    names = [name for name in TARGETS if name != "target"]
    latent = np.empty((len(names), len(signal)), dtype=np.float32)
    for index, name in enumerate(names):
        if index % 2 == 0:
            own_early, own_late = random.standard_normal((2, len(signal)), dtype=np.float32)
        likeness = 1.0 if name.startswith("target_ender") else _likeness(name)
        seen_early = likeness * early + (1 - likeness**2) ** 0.5 * own_early
        seen_late = likeness * late + (1 - likeness**2) ** 0.5 * own_late
        latent[index] = _latent(seen_early, seen_late, strength_60 * signal, horizon=int(name.rsplit("_", 1)[1]))
    targets = dict(zip(names, five_valued(latent), strict=True))
    for name, share in _GAPS.items():
        targets[name][random.random(len(signal)) < share] = np.nan
    targets["target"] = targets[MAIN_TARGET]
    return targets


def five_valued(latent: FloatArray) -> FloatArray:
    """Return each row of `latent` (m, n) as 0, 0.25, 0.5, 0.75, 1 with Numerai's shares."""
    bins = np.empty(latent.shape, dtype=np.int8)
    cut(latent, BIN_SHARES, out=bins)
    return np.asarray(bins / np.float32(4), dtype=np.float32)


def _latent(early: FloatArray, late: FloatArray, signal: FloatArray, *, horizon: int) -> FloatArray:
    """Return returns over a horizon from those of the first twenty and the last forty days, deviation about 1."""
    share = horizon / LONGEST_DAYS
    noise = early * (1 / 3) ** 0.5 + late * (2 / 3) ** 0.5 if horizon == LONGEST_DAYS else early
    return np.asarray(noise + signal * share ** (_SIGNAL_PACE - 0.5), dtype=np.float32)


def _likeness(target: str) -> float:
    """Return how much of a target's noise is that of ender: the same for both horizons of a name."""
    return float(stream(0, "likeness", target.rsplit("_", 1)[0]).uniform(0.65, 0.97))
