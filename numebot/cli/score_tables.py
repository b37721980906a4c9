"""Scores for people: one model round by round, or many with a line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from numebot.app.standings import DailyValues
from numebot.cli.columns import EMPTY, Cell, aligned, signed
from numebot.core.known_models import KnownModel
from numebot.core.scorecards import MetricName, ModelScores, RoundScores, mean_of, metrics_of, sparkline, values_of

TREND_WIDTH = 20
"""Rounds that a sparkline shows at most."""

Row = list[Cell]


def overview(cards: Sequence[ModelScores], *, title: str, width: int) -> Iterator[str]:
    """Yield a line per model for its resolved rounds and one for the running ones: means and the run of the rounds."""
    metrics = metrics_of(one for card in cards for one in card.rounds)
    yield click.style(f"{title}: mean of the newest values, and the rounds from old to new", bold=True)
    rows = [row for card in cards for row in _lines_of(card, metrics)]
    head = ["model", "state", "rounds", *(column for label in labels(metrics) for column in (label, ""))]
    yield from aligned(head, rows, keep=3, width=width)


def detail(card: ModelScores, *, title: str, width: int, daily: DailyValues) -> Iterator[str]:
    """Yield a model's rounds, newest first, running and resolved ones apart, each part with its means."""
    yield click.style(f"{title}: {_named(card.model)}", bold=True)
    if not card.rounds:
        yield "No scores yet."
        return
    metrics = metrics_of(card.rounds)
    head = ["round", "state", "day", *labels(metrics), *(f"{label} by day" for label in labels(metrics) if daily)]
    rows: list[Row] = []
    for words, rounds in (("running", card.running), ("resolved", card.resolved)):
        if rounds:
            gap = [[EMPTY] * len(head)] if rows else []
            rows += [*gap, *_part(card.model, rounds, words, metrics, daily)]
    yield from aligned(head, rows, keep=3, width=width)


def labels(metrics: Sequence[MetricName]) -> list[str]:
    """Return the names of metrics, with the version where one name has several."""
    names = [metric.name for metric in metrics]
    return [
        f"{metric.name} ({metric.version})" if names.count(metric.name) > 1 and metric.version else metric.name
        for metric in metrics
    ]


def _named(model: KnownModel) -> str:
    return f"{model.name} ({model.remark})" if model.remark else model.name


def _lines_of(card: ModelScores, metrics: Sequence[MetricName]) -> Iterator[Row]:
    parts = [(words, rounds) for words, rounds in (("resolved", card.resolved), ("running", card.running)) if rounds]
    for words, rounds in parts or [("no scores", [])]:
        cells = [cell for metric in metrics for cell in (_mean(rounds, metric), _trend(rounds, metric))]
        yield [Cell(_named(card.model)), Cell(words), _right(len(rounds)), *cells]


def _part(
    model: KnownModel, rounds: Sequence[RoundScores], words: str, metrics: Sequence[MetricName], daily: DailyValues
) -> Iterator[Row]:
    blanks = [EMPTY] * (len(metrics) if daily else 0)
    for one in reversed(rounds):
        day = max(score.day for score in one.scores.values())
        begin = [Cell(str(one.round_number)), Cell(words), _right(day or "?")]
        days = [_days(model, one.round_number, metric, daily) for metric in metrics if daily]
        yield [*begin, *(_value(one, metric) for metric in metrics), *days]
    means = [cell._replace(text=cell.text + " " * len(" 100%")) for cell in (_mean(rounds, one) for one in metrics)]
    yield [Cell("mean"), Cell(words), _right(f"{len(rounds)} rounds"), *means, *blanks]
    trends = [_trend(rounds, metric)._replace(is_right=True) for metric in metrics]
    yield [Cell("run"), Cell(words), _right("old to new"), *trends, *blanks]


def _value(one: RoundScores, metric: MetricName) -> Cell:
    score = one.scores.get(metric)
    if score is None:
        return EMPTY
    cell = signed(score.value)
    percentile = "    " if score.percentile is None else f"{score.percentile:4.0%}"
    return cell._replace(text=f"{cell.text} {percentile}")


def _mean(rounds: Iterable[RoundScores], metric: MetricName) -> Cell:
    mean = mean_of(rounds, metric)
    return signed(None if mean is None else mean.value)


def _trend(rounds: Iterable[RoundScores], metric: MetricName) -> Cell:
    return Cell(sparkline(values_of(rounds, metric), width=TREND_WIDTH))


def _days(model: KnownModel, round_number: int, metric: MetricName, daily: DailyValues) -> Cell:
    return Cell(sparkline(daily.get(((model.tournament, model.id), metric, round_number), ())))


def _right(value: object) -> Cell:
    return Cell(str(value), is_right=True)
