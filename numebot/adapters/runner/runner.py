"""The one place where plugin code runs. It runs in this process; a runner with the same methods may use others."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from numebot.adapters.runner.code import build, find_class, source_of
from numebot.adapters.runner.guard import plugin_call
from numebot.core.errors import PluginError
from numebot.core.predictions import aligned
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.plugin import Model, TrainingData, needs_training

logger = logging.getLogger(__name__)


class LivePort(Protocol):
    """The live data of a round, as far as a plugin needs it."""

    def frame(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> pd.DataFrame:
        """Return the live rows with the features of a feature set, a list, or a training."""


class VersionPort(Protocol):
    """Where trained versions are kept."""

    def current(self, model: str, tournament: int = ...) -> TrainedVersion | None:
        """Return the verified current version; None without any."""


@dataclass(frozen=True)
class Plugin:
    """What a plugin says of itself, and the file it lies in."""

    feature_set: str | tuple[str, ...]
    targets: tuple[str, ...]
    scale: str | None
    needs_training: bool
    source: Path
    source_sha256: str


class LoadedPlugin:
    """A plugin in memory, fitted or loaded. Frames are copied for it, so that it cannot disturb the next one."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._source = source_of(type(model))

    def fit(self, data: TrainingData) -> None:
        """Train it. Raises: PluginError."""
        with self._call("fit"):
            self._model.fit(data)

    def predict(self, frame: pd.DataFrame) -> pd.Series:
        """Return one float per row of `frame`, in its order. Raises: PluginError."""
        with self._call("predict"):
            answer = self._model.predict(frame.copy(deep=True))
        return aligned(answer, frame.index)

    def save(self, folder: Path) -> None:
        """Let it write what it learned. Raises: PluginError."""
        with self._call("save"):
            self._model.save(folder)

    def load(self, folder: Path) -> None:
        """Give it back what it saved. Raises: PluginError."""
        with self._call("load"):
            self._model.load(folder)

    def _call(self, method: str) -> AbstractContextManager[None]:
        return plugin_call(f"{type(self._model).__name__}.{method}", self._source)


class Runner:
    """Runs the plugins that model_configs.csv names. `folders` are searched for paths and modules, in order."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [folder.resolve() for folder in folders]

    def describe(self, config: ModelConfig) -> Plugin:
        """Return what the plugin of a row says of itself. Raises: PluginError."""
        return _description(self._build(config.code, config.parameters))

    def scale_of(self, config: ModelConfig) -> str | None:
        """Return how predictions become a submission: "rank" or None. Raises: PluginError."""
        return self.describe(config).scale

    def code_sha256(self, config: ModelConfig) -> str:
        """Return the sha256 of the plugin's file. Raises: PluginError."""
        return self.describe(config).source_sha256

    def version_for(self, config: ModelConfig, versions: VersionPort) -> TrainedVersion | None:
        """Return the version a row predicts with; None for a plugin that needs no training.

        Raises: PluginError, also when it should be trained and is not yet.
        """
        if not self.describe(config).needs_training:
            return None
        trained = versions.current(config.name, config.tournament)
        if trained is None:
            raise _not_trained(config)
        return trained

    def predict(self, config: ModelConfig, trained: TrainedVersion | None, live: LivePort) -> pd.Series:
        """Return the plugin's own numbers for the live ids, float64, any scale, NaN and infinities included.

        A trained version is built with the parameters of its training. Its files must have been verified: loading them
        may run code.
        Raises: PluginError for whatever the plugin does; as `live.frame` does.
        """
        model = self._build(config.code, trained.parameters if trained else config.parameters)
        if trained is None and needs_training(model):
            raise _not_trained(config)
        plugin = LoadedPlugin(model)
        if trained:
            _notice_other_parameters(config, trained)
            plugin.load(trained.folder)
        return plugin.predict(live.frame(_description(model).feature_set, trained))

    def train(self, config: ModelConfig, data: TrainingData) -> LoadedPlugin:
        """Return the plugin after it has learned from `data`. Raises: PluginError."""
        plugin = LoadedPlugin(self._build(config.code, config.parameters))
        plugin.fit(data)
        return plugin

    def _build(self, code: str, parameters: Mapping[str, object]) -> Model:
        return build(find_class(code, self._folders), parameters)


def _description(model: Model) -> Plugin:
    """Read a plugin's attributes, which its author may have set to anything."""
    feature_set, target, scale = model.feature_set, model.target, model.scale
    if scale not in ("rank", None):
        raise PluginError(f'{type(model).__name__}.scale is {scale!r}. Allowed: "rank" or None.')
    source = source_of(type(model))
    return Plugin(
        feature_set=feature_set if isinstance(feature_set, str) else _names(model, "feature_set", feature_set),
        targets=(target,) if isinstance(target, str) else _names(model, "target", target),
        scale=scale,
        needs_training=needs_training(model),
        source=source,
        source_sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
    )


def _names(model: Model, attribute: str, found: object) -> tuple[str, ...]:
    names = tuple(found) if isinstance(found, list | tuple) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise PluginError(f"{type(model).__name__}.{attribute} is {found!r}. Allowed: a name, or a list of names.")
    return names


def _not_trained(config: ModelConfig) -> PluginError:
    return PluginError(f"{config.code} is not trained yet. Train it: numebot train {config.name}")


def _notice_other_parameters(config: ModelConfig, trained: TrainedVersion) -> None:
    # Compared as JSON, since that is what a manifest gives back: a tuple comes back as a list.
    row, training = (
        json.dumps(dict(parameters), sort_keys=True, default=str)
        for parameters in (config.parameters, trained.parameters)
    )
    if row != training:
        logger.warning(
            "%s: version %s was trained with other parameters than its row has now; they count after numebot train %s",
            config.name,
            trained.version,
            config.name,
        )
