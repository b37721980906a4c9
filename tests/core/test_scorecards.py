from __future__ import annotations

import pytest

from numebot.core.scorecards import Mean, MetricName, NewestScore, RoundScores, mean_of, metrics_of, sparkline

CORR, MMC = MetricName("corr60"), MetricName("mmc60")
ROUNDS = [
    RoundScores(1, True, {CORR: NewestScore(60, 0.5, 0.9)}),
    RoundScores(2, False, {CORR: NewestScore(2, -0.1, 0.1), MMC: NewestScore(2, None, None)}),
]


def test_a_mean_is_of_the_rounds_that_have_a_value() -> None:
    assert mean_of(ROUNDS, CORR) == Mean(0.2, 2)
    assert mean_of(ROUNDS, MMC) is None
    assert metrics_of(ROUNDS) == [CORR, MMC]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ((), ""),
        ((None, None), "  "),
        ((0.0, 1.0), "▁█"),
        ((0.0, None, 0.5, 1.0), "▁ ▅█"),
        ((0.3, 0.3), "▅▅"),
        ((-1e300, 1e300), "▁█"),
    ],
)
def test_a_sparkline_goes_from_the_lowest_to_the_highest(values: tuple[float | None, ...], line: str) -> None:
    assert sparkline(values) == line


def test_a_sparkline_shows_the_newest_when_there_is_no_room() -> None:
    assert sparkline([5.0, 0.0, 1.0], width=2) == "▁█"
    assert sparkline([5.0], width=0) == ""
