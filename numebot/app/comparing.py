"""Two models side by side: which are meant, by what they are measured, and what can be said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from numebot.core.errors import ConfigError
from numebot.core.known_models import KnownModel, chosen_models
from numebot.core.pairs import Pairs, pairs_of
from numebot.core.statistics import Comparison, Interval, compare, mean_interval, overlap_of
from numebot.core.types import Tournament

if TYPE_CHECKING:
    from numebot.adapters.store import Store

SEASON_SCORE = "season_score"
"""The API's name for what a round pays for, metrics and multipliers together."""


@dataclass(frozen=True)
class Match:
    """What is compared with what. The intervals are None without a common round."""

    first: KnownModel
    second: KnownModel
    metric: str
    pairs: Pairs
    means: tuple[Interval, Interval] | None = None
    comparison: Comparison | None = None


def compare_models(
    store: Store,
    tournaments: Sequence[Tournament],
    first: str,
    second: str,
    *,
    metric: str | None = None,
    last: int | None = None,
    running: bool = False,
) -> Match:
    """Compare two models by the names that they have or had, in the one tournament that both play.

    `metric` None: season_score where both have it, else the metric that pays most. `last`: the newest common rounds.
    Raises: ConfigError for names without results, a metric without scores, and where it is not clear what is meant.
    """
    tournament, one, other = _models(store, tournaments, first, second)
    name = metric or _metric(store, tournament, one, other)
    values = [store.pairs.values(model, name) for model in (one, other)]
    for model, found in zip((one, other), values, strict=True):
        if not found:
            raise ConfigError(_no_rows(model, name, store.pairs.metrics(model)))
    return _match(one, other, name, pairs_of(*values, with_running=running, last=last))


def _models(
    store: Store, tournaments: Sequence[Tournament], first: str, second: str
) -> tuple[Tournament, KnownModel, KnownModel]:
    """Return the one tournament in which both names have results, and the models. Raises: ConfigError."""
    known = [model for tournament in tournaments for model in store.pairs.models(tournament)]
    one, other = chosen_models(known, [first]), chosen_models(known, [second])
    common = sorted({model.tournament for model in one} & {model.tournament for model in other})
    if not common:
        raise ConfigError(f"compare: {first} and {second} play different tournaments, so no round is common to both.")
    if len(common) > 1:
        names = " or ".join(Tournament(tournament).name.lower() for tournament in common)
        raise ConfigError(f"compare: both names are there in several tournaments. Add --tournament {names}.")
    pair = [next(model for model in models if model.tournament == common[0]) for models in (one, other)]
    if pair[0].id == pair[1].id:
        raise ConfigError(f"compare: {first} and {second} are the same model. Name two.")
    return Tournament(common[0]), pair[0], pair[1]


def _metric(store: Store, tournament: Tournament, one: KnownModel, other: KnownModel) -> str:
    """Return what is compared when nobody says: what pays. Raises: ConfigError when that is not known."""
    common = set(store.pairs.metrics(one)) & set(store.pairs.metrics(other))
    for name in (SEASON_SCORE, *store.pairs.paying_metrics(tournament)):
        if name in common:
            return name
    listed = ", ".join(sorted(common)) or "none; `numebot sync` brings scores home"
    raise ConfigError(f"compare: no metric that pays has scores of both. Choose one with --metric: {listed}.")


def _no_rows(model: KnownModel, metric: str, metrics: Sequence[str]) -> str:
    listed = ", ".join(metrics) or "nothing; `numebot sync` brings scores home"
    return f"{model.name}: there are no scores of {metric}. There are some of: {listed}."


def _match(one: KnownModel, other: KnownModel, metric: str, pairs: Pairs) -> Match:
    if not pairs.rows:
        return Match(one, other, metric, pairs)
    windows = [pair.window for pair in pairs.rows]
    overlap = overlap_of(windows)
    means = (
        mean_interval([pair.first for pair in pairs.rows], overlap),
        mean_interval([pair.second for pair in pairs.rows], overlap),
    )
    return Match(one, other, metric, pairs, means, compare([pair.difference for pair in pairs.rows], windows))
