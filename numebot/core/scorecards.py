"""How models stand: the newest value of each metric in each round, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from numebot.core.known_models import KnownModel


class MetricName(NamedTuple):
    """A metric and the version of its definition, "" when the server names none."""

    name: str
    version: str = ""


class NewestScore(NamedTuple):
    """The newest value of a metric in a round, and the day that it is of; None while there are no returns.

    `percentile` is the share of other players below, 0 to 1.
    """

    day: int
    value: float | None
    percentile: float | None


@dataclass(frozen=True)
class RoundScores:
    """What a model has in one round so far; final when the round `is_resolved`."""

    round_number: int
    is_resolved: bool
    scores: Mapping[MetricName, NewestScore]


@dataclass(frozen=True)
class ModelScores:
    """A model and its rounds, oldest first."""

    model: KnownModel
    rounds: Sequence[RoundScores]

    @property
    def resolved(self) -> Sequence[RoundScores]:
        """The rounds that are final."""
        return [one for one in self.rounds if one.is_resolved]

    @property
    def running(self) -> Sequence[RoundScores]:
        """The rounds that get new values still."""
        return [one for one in self.rounds if not one.is_resolved]


class Mean(NamedTuple):
    """The mean of a metric over `rounds` rounds that have a value."""

    value: float
    rounds: int


def metrics_of(rounds: Iterable[RoundScores]) -> list[MetricName]:
    """Return every metric that occurs, by name."""
    return sorted({metric for one in rounds for metric in one.scores})


def values_of(rounds: Iterable[RoundScores], metric: MetricName) -> list[float | None]:
    """Return the values of a metric round by round, None where there is none."""
    found = (one.scores.get(metric) for one in rounds)
    return [None if score is None else score.value for score in found]


def mean_of(rounds: Iterable[RoundScores], metric: MetricName) -> Mean | None:
    """Return the mean of a metric over the rounds that have a value; None when none has."""
    values = [value for value in values_of(rounds, metric) if value is not None]
    return Mean(sum(values) / len(values), len(values)) if values else None


_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], *, width: int | None = None) -> str:
    """Return a line of small bars, a blank where there is no value; of more than `width` values the newest are drawn.

    The lowest value gets the lowest bar, the highest the highest; equal values stand in the middle.
    """
    drawn = values if width is None else values[-width:] if width > 0 else []
    present = [value for value in drawn if value is not None]
    if not present:
        return " " * len(drawn)
    low, high = min(present), max(present)
    return "".join(" " if value is None else _bar(value, low, high) for value in drawn)


def _bar(value: float, low: float, high: float) -> str:
    place = (value - low) / (high - low) if high > low else 0.5
    return _BARS[min(int(place * len(_BARS)), len(_BARS) - 1)]
