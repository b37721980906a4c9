"""Means of rounds that overlap: intervals that say how much is known, and when a difference is one.

A round's score sums up the days of its scoring window, and rounds that open a day apart share nearly all of them: 64
scores of sixty days each are worth about two independent ones. How much two rounds share is known from their windows.
The interval of a mean is built from that and from blocks of neighbouring rounds:

* The spread of the scores is taken from the circular block bootstrap: how much means of `block` neighbouring rounds
  (around the corner at the end) differ. The bootstrap's variance of the mean has a closed form, so nothing is drawn and
  equal scores give equal intervals. A block is as long as the overlap, or a quarter of the rounds where these are few.
* Blocks of so few scores see too little spread. By how much they would on average, if the days were independent,
  follows from the windows alone, and is put right.
* Quantiles are Student's, with the degrees of freedom (Satterthwaite) of that estimate under the same windows.

Sources: Politis and Romano 1992 (circular blocks); Kiefer and Vogelsang 2005 (why few blocks need wide quantiles);
Satterthwaite 1946. Nominal 90 % cover 87 to 96 % for 5 to 400 rounds of 20 or 60 days, also with heavy tails; a habit
of the market that lasts for longer than a window is beyond what scores can tell (then 70 to 85 %).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

CONFIDENCE = 0.9
POWER = 0.8
"""How sure one wants to be to see a difference that is there."""
MOST_ROUNDS = 2500
"""Ten years: a difference that needs more of them is none."""
SEEN_PART = 0.85
"""Degrees of freedom of long series, as a part of the number of windows that fit into them side by side."""

NOTHING = 1e-9
"""What rounding may leave of a variance of nothing, beside one of 1."""


@dataclass(frozen=True)
class Interval:
    """A mean with its interval at `confidence`; `low` and `high` are None where too little is known for one.

    `independent` is how many rounds without any overlap would tell as much as the `rounds` do.
    """

    mean: float
    low: float | None
    high: float | None
    rounds: int
    independent: float
    confidence: float = CONFIDENCE

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Overlap:
    """What the scoring windows of some rounds allow to be said, whatever their scores are.

    `window` is how many openings fall into one window. `shared` is the mean correlation of all pairs of rounds (each
    with itself included), so the variance of a mean is `shared` times that of one round. `seen` is how much of a
    round's variance the sum of squares of the block means shows, `degrees` how well.
    """

    rounds: int
    window: float
    block: int
    shared: float
    seen: float
    degrees: float


class Verdict(StrEnum):
    """What can be said of two models."""

    BETTER = "better"
    """The first one is: the whole interval of the difference lies above zero."""
    WORSE = "worse"
    """The first one is: the whole interval lies below zero."""
    UNDECIDED = "not yet distinguishable"
    """The interval holds zero, or there is none yet."""


@dataclass(frozen=True)
class Comparison:
    """What paired differences say. `more_rounds` is None when decided, and when no number of rounds is in sight."""

    verdict: Verdict
    difference: Interval
    more_rounds: int | None = None


def overlap_of(windows: Sequence[tuple[float, float]]) -> Overlap:
    """Return what the windows of rounds allow: pairs (begin, end) in days since any moment, in the order of rounds.

    Raises: ValueError for a window without length, or without any window.
    """
    begins, ends = (np.array(column, dtype=np.float64) for column in zip(*windows, strict=True))
    if not np.all(ends > begins):
        raise ValueError("a scoring window must end after its begin")
    correlation = _correlation(begins, ends)
    rounds = len(begins)
    window = _openings_in_window(begins, ends)
    block = max(1, min(round(window), rounds // 4))
    deviations = _block_deviations(correlation, block)
    seen = _block_deviations(deviations.T, block)
    trace, square = float(np.trace(seen)), float(np.sum(seen * seen))
    # At least one by Cauchy and Schwarz, but for rounding; none where all windows are the same.
    degrees = max(1.0, trace * trace / square) if trace > NOTHING * rounds else 0.0
    return Overlap(rounds, window, block, float(correlation.mean()), trace, degrees)


def mean_interval(values: Sequence[float], overlap: Overlap, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the mean of the scores of rounds, one per window of `overlap` and in its order, with its interval.

    Values are in any unit; the interval is in the same. No interval for less than two rounds, equal windows or equal
    scores: these say nothing about chance.
    Raises: ValueError when the numbers of scores and windows differ, or a score is not finite.
    """
    array = np.array(values, dtype=np.float64)
    if len(array) != overlap.rounds or not np.all(np.isfinite(array)):
        raise ValueError(f"{overlap.rounds} windows need as many finite scores; there are {len(array)}")
    mean, independent = float(array.mean()), 1 / overlap.shared
    variance = _variance(array, overlap)
    if variance is None:
        return Interval(mean, None, None, overlap.rounds, independent, confidence)
    half = student_quantile((1 + confidence) / 2, overlap.degrees) * math.sqrt(variance * overlap.shared)
    return Interval(mean, mean - half, mean + half, overlap.rounds, independent, confidence)


def compare(
    differences: Sequence[float], windows: Sequence[tuple[float, float]], *, confidence: float = CONFIDENCE
) -> Comparison:
    """Say whether the first of two models is better, from the differences (first minus second) of their rounds.

    Shapes and units as in `overlap_of` and `mean_interval`. While undecided, `more_rounds` is how many more rounds at
    the present pace would show the difference with a chance of 80 %, if it stays what it is.
    """
    overlap = overlap_of(windows)
    interval = mean_interval(differences, overlap, confidence=confidence)
    if interval.excludes_zero:
        return Comparison(Verdict.BETTER if interval.mean > 0 else Verdict.WORSE, interval)
    variance = _variance(np.array(differences, dtype=np.float64), overlap)
    more = None if variance is None else _more_rounds(interval.mean, variance, overlap, confidence)
    return Comparison(Verdict.UNDECIDED, interval, more)


@lru_cache(maxsize=1024)
def student_quantile(probability: float, degrees: float) -> float:
    """Return the quantile of Student's t for any `degrees` from 1 on, to four digits, without scipy's load time.

    With t = √degrees · tan(θ) the density is cos(θ)^(degrees - 1), whose integral over the half circle is finite.
    """
    theta = np.linspace(-math.pi / 2, math.pi / 2, 40_001)
    density = np.clip(np.cos(theta), 0.0, None) ** (degrees - 1)
    reached = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return math.sqrt(degrees) * math.tan(float(np.interp(probability, reached / reached[-1], theta)))


def _correlation(begins: FloatArray, ends: FloatArray) -> FloatArray:
    """Return the (n, n) correlations of rounds whose days are independent: by the days that two windows share."""
    shared = np.minimum(ends[:, None], ends) - np.maximum(begins[:, None], begins)
    lengths = ends - begins
    return np.asarray(np.clip(shared, 0.0, None) / np.sqrt(lengths[:, None] * lengths), dtype=np.float64)


def _openings_in_window(begins: FloatArray, ends: FloatArray) -> float:
    """Return how many rounds open during one window, by the medians; 1 when windows do not overlap."""
    if len(begins) < 2:
        return 1.0
    pace = float(np.median(np.diff(np.sort(begins))))
    length = float(np.median(ends - begins))
    return max(1.0, length / pace) if pace > 0 else float(len(begins))


def _block_deviations(columns: FloatArray, block: int) -> FloatArray:
    """Return, for each column, the circular means of `block` neighbouring rows less the mean of all rows."""
    rows = len(columns)
    around = np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(np.tile(columns, (2, 1)), axis=0)])
    means = (around[block : block + rows] - around[:rows]) / block
    return np.asarray(means - columns.mean(axis=0), dtype=np.float64)


def _variance(values: FloatArray, overlap: Overlap) -> float | None:
    """Return the variance of one round's score; None where the scores or their windows do not tell it."""
    if overlap.degrees == 0:
        return None
    squares = float(np.sum(_block_deviations(values[:, None], overlap.block) ** 2))
    # Rounding leaves something of equal scores, too.
    if squares <= (1e-12 * float(np.abs(values).max())) ** 2 * overlap.rounds:
        return None
    return squares / overlap.seen


def _more_rounds(mean: float, variance: float, overlap: Overlap, confidence: float) -> int | None:
    """Return how many more rounds would show a difference of `mean`; None when too many."""

    def is_enough(rounds: int) -> bool:
        degrees = max(overlap.degrees, SEEN_PART * rounds / overlap.window)
        error = math.sqrt(variance * _shared(rounds, overlap.window))
        needed = student_quantile((1 + confidence) / 2, degrees) + student_quantile(POWER, degrees)
        return abs(mean) >= needed * error

    low, high = overlap.rounds, MOST_ROUNDS
    if low >= high or not is_enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high - overlap.rounds


def _shared(rounds: int, window: float) -> float:
    """Return the mean correlation of all pairs of `rounds` evenly spaced rounds, `window` of them in one window."""
    lags = np.arange(1, min(rounds, math.ceil(window)))
    pairs = (rounds - lags) * (1 - lags / window)
    return float((rounds + 2 * pairs.sum()) / rounds**2)
