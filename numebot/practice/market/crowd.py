"""What the others predict: the players, the meta model they make together, the benchmark models, the example.

A player's predictions are a share of what is known, a share of what everybody of the same school believes, and noise.
Stakes weigh the players into the meta model; noise cancels out there, the beliefs of the schools do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numebot.practice.market.signal_model import Signal
from numebot.practice.market.streams import FloatArray, standardised, stream

BENCHMARKS = ("v53_lgbm_ender20", "v53_lgbm_ender60")
META_MODEL = "numerai_meta_model"
EXAMPLE = "prediction"

PLAYERS = 300
"""How many others play."""
SCHOOLS = 3
_BENCHMARK_SKILL = {"v53_lgbm_ender20": 0.5, "v53_lgbm_ender60": 0.6, EXAMPLE: 0.55}
"""Correlation of Numerai's own models with the whole signal."""


@dataclass(frozen=True)
class Crowd:
    """The players' habits, one entry each: (players,). Squares of skill, herding and noise sum to one."""

    skill: FloatArray
    herding: FloatArray
    school: npt.NDArray[np.int64]
    stake_share: FloatArray

    @property
    def noise(self) -> FloatArray:
        """Return how much of each player's predictions is their own noise."""
        return np.asarray(np.sqrt(1 - np.square(self.skill) - np.square(self.herding)), dtype=np.float32)


def crowd(seed: int, count: int) -> Crowd:
    """Return the players of a seed; the better ones tend to stake more."""
    random = stream(seed, "crowd")
    skill = 0.05 + 0.8 * random.beta(2.0, 2.0, size=count)
    herding = random.uniform(0.2, 0.5, size=count)
    stakes = np.exp(random.normal(0, 1.6, size=count) + 2 * skill)
    return Crowd(
        skill=skill.astype(np.float32),
        herding=herding.astype(np.float32),
        school=random.integers(0, SCHOOLS, size=count),
        stake_share=(stakes / stakes.sum()).astype(np.float32),
    )


def beliefs(seed: int, key: tuple[str | int, ...], count: int) -> FloatArray:
    """Return what each school believes of an era's rows without reason, shape (schools, count)."""
    return stream(seed, "beliefs", *key).standard_normal((SCHOOLS, count), dtype=np.float32)


def player_predictions(members: Crowd, seed: int, key: tuple[str | int, ...], known: FloatArray) -> FloatArray:
    """Return every player's predictions for an era, shape (players, n), deviation about 1."""
    predictions = stream(seed, "players", *key).standard_normal((len(members.skill), len(known)), dtype=np.float32)
    predictions *= members.noise[:, None]
    predictions += members.skill[:, None] * known
    predictions += members.herding[:, None] * beliefs(seed, key, len(known))[members.school]
    return predictions


def meta_model(members: Crowd, predictions: FloatArray) -> FloatArray:
    """Return the stake-weighted mean of the players' predictions as ranks in (0, 1)."""
    return ranks(members.stake_share @ predictions)


def numerai_models(seed: int, key: tuple[str | int, ...], signal: Signal) -> dict[str, FloatArray]:
    """Return the benchmark models and the example predictions of an era by column name, as ranks in (0, 1)."""
    random = stream(seed, "numerai models", *key)
    school = beliefs(seed, key, len(signal.whole))[0]
    models: dict[str, FloatArray] = {}
    for name, skill in _BENCHMARK_SKILL.items():
        noise = random.standard_normal(len(signal.whole), dtype=np.float32)
        models[name] = ranks(skill * signal.whole + 0.4 * school + (0.84 - skill**2) ** 0.5 * noise)
    return models


def ranks(values: FloatArray) -> FloatArray:
    """Return percentile ranks (rank - 0.5) / n; ties are broken by position."""
    places = np.empty(len(values), dtype=np.float32)
    places[np.argsort(standardised(values), kind="stable")] = np.arange(len(values), dtype=np.float32)
    return (places + np.float32(0.5)) / np.float32(len(values))
