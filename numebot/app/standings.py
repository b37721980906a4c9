"""What an owner asks about scores, put together for a command or a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from numebot.core.errors import ConfigError
from numebot.core.known_models import KnownModel, chosen_models
from numebot.core.scorecards import MetricName, ModelScores, metrics_of

DailyValues = Mapping[tuple[tuple[int, str], MetricName, int], Sequence[float | None]]
"""Daily values by (tournament, model id), metric and round number, oldest day first."""


class Scores(Protocol):
    """The part of the store that knows scores. Raises: LocalTrouble."""

    def models(self, tournament: int) -> Sequence[KnownModel]:
        """Return every model that was ever seen."""

    def metrics(self, tournament: int) -> Sequence[MetricName]:
        """Return the metrics that have scores."""

    def newest(
        self,
        tournament: int,
        *,
        model_ids: Sequence[str] | None = None,
        metric: str | None = None,
        last: int | None = None,
    ) -> Sequence[ModelScores]:
        """Return the newest value of each metric in each of the `last` rounds of each model."""

    def daily(
        self, tournament: int, model_id: str, metric: MetricName, *, since_round: int
    ) -> Mapping[int, Sequence[float | None]]:
        """Return the daily values of a metric of a model by round."""


@dataclass(frozen=True)
class Standings:
    """Models with their rounds by tournament, and the daily values where one metric was asked for."""

    cards: Mapping[int, Sequence[ModelScores]]
    daily: DailyValues = field(default_factory=dict)


def read_standings(
    scores: Scores,
    tournaments: Sequence[int],
    names: Sequence[str] = (),
    *,
    metric: str | None = None,
    last: int | None = None,
) -> Standings:
    """Return how the named models do, or all of them; with `metric` that one, with its daily values if they are few.

    Raises: ConfigError for names that no model has or had, and for a metric without scores.
    """
    models = chosen_models([model for number in tournaments for model in scores.models(number)], names)
    ids: dict[int, list[str]] = {}
    for model in models:
        ids.setdefault(model.tournament, []).append(model.id)
    if metric is not None and models:
        _require_metric(scores, list(ids), metric)
    cards = {
        number: scores.newest(number, model_ids=of_tournament, metric=metric, last=last)
        for number, of_tournament in ids.items()
    }
    wants_daily = metric is not None and (names or len(models) == 1)
    return Standings(cards, _daily(scores, cards) if wants_daily else {})


def _require_metric(scores: Scores, tournaments: Sequence[int], metric: str) -> None:
    known = sorted({one.name for number in tournaments for one in scores.metrics(number)})
    if metric not in known:
        there = f"There are: {', '.join(known)}." if known else "There are none at all yet: `numebot sync` brings them."
        raise ConfigError(f'metric "{metric}": there are no scores of it. {there}')


def _daily(scores: Scores, cards: Mapping[int, Sequence[ModelScores]]) -> DailyValues:
    found = {}
    for number, models in cards.items():
        for card in models:
            key = number, card.model.id
            for metric in metrics_of(card.rounds):
                days = scores.daily(number, card.model.id, metric, since_round=card.rounds[0].round_number)
                found.update({(key, metric, round_number): values for round_number, values in days.items()})
    return found
