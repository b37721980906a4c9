"""Intervals of overlapping rounds: they must cover what they promise, and find what is there."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from numebot.core.statistics import (
    Overlap,
    Verdict,
    compare,
    mean_interval,
    overlap_of,
    student_quantile,
)

SIMULATIONS = 600
SEED = 20261124
Windows = list[tuple[float, float]]


def windows(rounds: int, days: int, *, every: float = 1.0) -> Windows:
    return [(number * every, number * every + days) for number in range(rounds)]


def scores(rounds: int, days: int, *, mean: float = 0.0, heavy: bool = False, seed: int = SEED) -> np.ndarray:
    """Return simulated scores (simulations, rounds): each round sums up the daily returns of its window."""
    random = np.random.default_rng(seed)
    shape = (SIMULATIONS, rounds + days)
    daily = random.standard_t(3, shape) / math.sqrt(3) if heavy else random.standard_normal(shape)
    sums = np.concatenate([np.zeros((SIMULATIONS, 1)), np.cumsum(daily, axis=1)], axis=1)
    return mean + (sums[:, days : days + rounds] - sums[:, :rounds]) / math.sqrt(days)


def coverage(found: np.ndarray, overlap: Overlap, truth: float = 0.0) -> float:
    intervals = [mean_interval(row, overlap) for row in found]
    assert all(one.low is not None and one.high is not None for one in intervals)
    return float(np.mean([one.low <= truth <= one.high for one in intervals if one.low is not None and one.high]))


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize(("rounds", "days"), [(30, 1), (70, 20), (150, 20), (400, 20), (150, 60), (400, 60)])
def test_ninety_percent_are_ninety_percent(rounds: int, days: int, heavy: bool) -> None:
    overlap = overlap_of(windows(rounds, days))
    assert 0.85 <= coverage(scores(rounds, days, mean=0.3, heavy=heavy), overlap, 0.3) <= 0.95


@pytest.mark.parametrize(("rounds", "days"), [(3, 20), (5, 60), (12, 20), (20, 60), (40, 60), (64, 60)])
def test_few_rounds_are_not_over_confident(rounds: int, days: int) -> None:
    overlap = overlap_of(windows(rounds, days))
    assert 0.87 <= coverage(scores(rounds, days), overlap) <= 0.98


def test_an_interval_that_ignores_the_overlap_would_fail_here() -> None:
    apart = overlap_of([(100.0 * number, 100.0 * number + 1) for number in range(150)])
    assert coverage(scores(150, 60), apart) < 0.4


def test_gaps_between_rounds_are_taken_as_they_are() -> None:
    kept = [number for number in range(200) if number % 7 not in (2, 3) and not 60 <= number < 85]
    overlap = overlap_of([windows(200, 20)[number] for number in kept])
    assert 0.85 <= coverage(scores(200, 20)[:, kept], overlap) <= 0.95


def found_part(found: np.ndarray, overlap: Overlap) -> float:
    """Return how often the whole interval lies above zero."""
    lows = [mean_interval(row, overlap).low for row in found]
    return float(np.mean([low is not None and low > 0 for low in lows]))


def test_a_difference_that_is_there_is_found() -> None:
    found = scores(400, 20, mean=0.8)
    assert found_part(found, overlap_of(windows(400, 20))) >= 0.9
    assert compare(list(found[0]), windows(400, 20)).verdict is Verdict.BETTER
    assert compare(list(-found[0]), windows(400, 20)).verdict is Verdict.WORSE


def test_where_there_is_none_it_is_rarely_found() -> None:
    assert found_part(scores(150, 60), overlap_of(windows(150, 60))) <= 0.075


def test_the_rounds_that_are_missing_do_show_the_difference_with_the_promised_chance() -> None:
    # A sample with exactly the true mean and spread is told a number of rounds.
    rounds, days, truth = 60, 20, 0.4
    at, first = overlap_of(windows(rounds, days)), scores(rounds, days)[0]
    interval = mean_interval(list(first), at)
    assert interval.high is not None
    spread = (interval.high - interval.mean) / student_quantile(0.95, at.degrees) / math.sqrt(at.shared)
    result = compare(list((first - interval.mean) / spread + truth), windows(rounds, days))
    assert result.verdict is Verdict.UNDECIDED
    assert result.more_rounds is not None
    more = rounds + result.more_rounds
    assert 0.7 <= found_part(scores(more, days, mean=truth, seed=7), overlap_of(windows(more, days))) <= 0.9


def test_sixty_four_rounds_of_sixty_days_are_worth_about_two() -> None:
    # Five rounds a week, 12 weeks each.
    result = mean_interval(list(scores(64, 60)[0]), overlap_of(windows(64, 84, every=1.4)))
    assert 1.4 < result.independent < 2.0
    assert result.rounds == 64


def test_equal_scores_and_a_single_round_say_nothing_of_chance() -> None:
    for values in ([0.25] * 40, [0.1]):
        result = compare(values, windows(len(values), 20))
        assert (result.verdict, result.more_rounds) == (Verdict.UNDECIDED, None)
        assert (result.difference.low, result.difference.high) == (None, None)
        assert result.difference.mean == pytest.approx(values[0])


def test_windows_that_are_all_the_same_say_nothing_either() -> None:
    result = mean_interval([0.1, 0.2, 0.4], overlap_of([(0.0, 20.0)] * 3))
    assert (result.low, result.high) == (None, None)
    assert result.independent == pytest.approx(1.0)


def test_a_difference_of_nothing_needs_no_number_of_rounds() -> None:
    row = scores(100, 20)[0]
    result = compare(list(row - row.mean()), windows(100, 20))
    assert (result.verdict, result.more_rounds) == (Verdict.UNDECIDED, None)


def test_what_makes_no_sense_is_refused() -> None:
    overlap = overlap_of(windows(3, 20))
    for values in ([0.1, 0.2], [0.1, 0.2, math.nan]):
        with pytest.raises(ValueError, match="3 windows"):
            mean_interval(values, overlap)
    for at in ([(1.0, 1.0)], [(2.0, 1.0), (3.0, 4.0)], []):
        with pytest.raises(ValueError):
            overlap_of(at)


@pytest.mark.parametrize("degrees", [1.0, 1.4, 2.0, 3.3, 8.0, 29.0, 400.0])
@pytest.mark.parametrize("probability", [0.8, 0.95, 0.975])
def test_quantiles_are_those_of_students_t(degrees: float, probability: float) -> None:
    assert student_quantile(probability, degrees) == pytest.approx(student.ppf(probability, degrees), rel=2e-3)


@given(st.integers(2, 60), st.integers(1, 90), st.floats(0.1, 1e3), st.floats(-1e3, 1e3))
def test_intervals_follow_shift_and_scale(rounds: int, days: int, scale: float, shift: float) -> None:
    overlap = overlap_of(windows(rounds, days, every=1.4))
    values = np.random.default_rng(rounds * 100 + days).standard_normal(rounds)
    one, other = mean_interval(list(values), overlap), mean_interval(list(scale * values + shift), overlap)
    assert one.low is not None
    assert one.high is not None
    assert one.low < one.mean < one.high
    assert other.low == pytest.approx(scale * one.low + shift, rel=1e-6, abs=1e-6 * scale)
    assert other.high == pytest.approx(scale * one.high + shift, rel=1e-6, abs=1e-6 * scale)


def test_more_rounds_know_more() -> None:
    known = [overlap_of(windows(rounds, 20)) for rounds in (10, 20, 50, 200, 700)]
    for few, many in pairwise(known):
        assert many.shared < few.shared
        assert many.degrees >= few.degrees - 1  # longer blocks cost a little
