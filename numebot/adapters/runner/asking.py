"""What the runner is asked, within which limits, and what it measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from numebot.adapters.runner.requests import Limits
from numebot.core.types import ModelConfig, TrainedVersion


class LivePort(Protocol):
    """The live data of a round, as far as a plugin needs it."""

    def features(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> tuple[str, ...]:
        """Return the features of a feature set, a list, or a training."""

    def frame(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> pd.DataFrame:
        """Return the live rows with these features."""


class VersionPort(Protocol):
    """Where trained versions are kept."""

    def current(self, model: str, tournament: int = ...) -> TrainedVersion | None:
        """Return the verified current version; None without any."""


@dataclass(frozen=True, eq=False)
class PredictionRequest:
    """One model to predict with: its row, its trained version if it has one, the live data.

    `members` are the predictions that an ensemble combines: one column per member, index id.
    """

    config: ModelConfig
    trained: TrainedVersion | None
    live: LivePort
    members: pd.DataFrame | None = None


@dataclass(frozen=True)
class DefaultLimits:
    """What a call may take where the row of a model does not say: minutes, and MB of 2**20 bytes."""

    time_limit_minutes: float = 10.0
    memory_limit_mb: int = 4096
    training_time_limit_minutes: float = 24 * 60
    training_memory_limit_mb: int = 0
    """0: as much as there is."""

    def of(self, config: ModelConfig) -> Limits:
        """Return the limits of everything but training."""
        minutes, memory_mb = config.time_limit_minutes, config.memory_limit_mb
        return Limits((minutes or self.time_limit_minutes) * 60, memory_mb or self.memory_limit_mb)

    def of_training(self, config: ModelConfig, available_mb: float) -> Limits:
        """Return the limits of a training, which takes more of everything than a prediction."""
        memory_mb = self.training_memory_limit_mb or int(max(available_mb, config.memory_limit_mb or 0))
        names = ("[models] training_time_limit_minutes", "[models] training_memory_limit_mb")
        return Limits(self.training_time_limit_minutes * 60, memory_mb, 256, *names)


@dataclass(frozen=True, eq=False)
class Measured:
    """Predictions, the seconds and megabytes (2**20 bytes) that they took, and how much was allowed."""

    predictions: pd.Series
    seconds: float
    peak_mb: float
    limits: Limits


def parameters_of(config: ModelConfig, trained: TrainedVersion | None) -> Mapping[str, object]:
    """Return the parameters that a plugin is built with: a trained version keeps those of its training."""
    return trained.parameters if trained else config.parameters
