"""The one place where plugin code runs. It runs in this process; a runner with the same methods may use others.

Known limit: what a plugin does to the process itself cannot be caught from inside it. os._exit ends the run with the
plugin's exit code (0 too), a crash of a library ends it with a signal, a loop without end does not end it at all. That
takes isolation in child processes. What can be caught here, is: see guard.py and surroundings.py.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from numebot.adapters.runner.code import Code, build, find_code
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

    def __init__(self, model: Model, source: Path) -> None:
        self._model = model
        self._source = source

    def fit(self, data: TrainingData) -> None:
        """Train it. Raises: PluginError."""
        with self._call("fit"):
            self._model.fit(data)

    def predict(self, frame: pd.DataFrame) -> pd.Series:
        """Return one float per row of `frame`, in its order. Raises: PluginError."""
        with self._call("predict"):
            # What it gave is an object of the plugin: looking into it may run the plugin's code again.
            return aligned(self._model.predict(frame.copy(deep=True)), frame.index)

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
    """Runs the plugins that model_configs.csv names. `folders` are searched for paths and modules, in order.

    Meant to live for one pass: a file that is edited meanwhile counts as it is then, one that is deleted as it was.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._codes: dict[str, Code] = {}
        self._plugins: dict[tuple[str, str, str], Plugin] = {}

    def describe(self, config: ModelConfig) -> Plugin:
        """Return what the plugin of a row says of itself. Raises: PluginError."""
        return self._described(config.code, config.parameters)

    def scale_of(self, config: ModelConfig, trained: TrainedVersion | None = None) -> str | None:
        """Return how predictions become a submission: "rank" or None.

        Give it the trained version that predicted: like `predict`, it then goes by the parameters of the training.
        Raises: PluginError.
        """
        return self._described(config.code, _parameters(config, trained)).scale

    def code_sha256(self, config: ModelConfig) -> str:
        """Return the sha256 of the plugin's file. Raises: PluginError."""
        return self._code(config.code).sha256

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
        described = self._described(config.code, _parameters(config, trained))
        if trained is None and described.needs_training:
            raise _not_trained(config)
        plugin = self._loaded(config.code, _parameters(config, trained))
        if trained:
            _notice_other_parameters(config, trained)
            plugin.load(trained.folder)
        return plugin.predict(live.frame(described.feature_set, trained))

    def train(self, config: ModelConfig, data: TrainingData) -> LoadedPlugin:
        """Return the plugin after it has learned from `data`. Raises: PluginError."""
        plugin = self._loaded(config.code, config.parameters)
        plugin.fit(data)
        return plugin

    def _loaded(self, code: str, parameters: Mapping[str, object]) -> LoadedPlugin:
        found = self._code(code)
        return LoadedPlugin(build(found, parameters), found.source)

    def _described(self, code: str, parameters: Mapping[str, object]) -> Plugin:
        """Build the plugin once to see what it says of itself; a constructor may take long."""
        found = self._code(code)
        key = (code, found.sha256, repr(sorted(parameters.items())))
        if key not in self._plugins:
            model = build(found, parameters)
            with plugin_call(f"description of {code}", found.source):
                self._plugins[key] = _description(model, found)
        return self._plugins[key]

    def _code(self, code: str) -> Code:
        known = self._codes.get(code)
        if known is None or known.is_on_disk:
            known = self._codes[code] = find_code(code, self._folders)
        return known


def _parameters(config: ModelConfig, trained: TrainedVersion | None) -> Mapping[str, object]:
    return trained.parameters if trained else config.parameters


def _description(model: Model, code: Code) -> Plugin:
    """Read a plugin's attributes, which its author may have set to anything."""
    scale = model.scale
    if scale is not None and not (isinstance(scale, str) and scale == "rank"):
        raise PluginError(f'{type(model).__name__}.scale is {scale!r}. Allowed: "rank" or None.')
    feature_sets, targets = _names(model, "feature_set"), _names(model, "target")
    return Plugin(
        feature_set=feature_sets[0] if isinstance(model.feature_set, str) else feature_sets,
        targets=targets,
        scale=None if scale is None else "rank",
        needs_training=needs_training(model),
        source=code.source,
        source_sha256=code.sha256,
    )


def _names(model: Model, attribute: str) -> tuple[str, ...]:
    found = getattr(model, attribute)
    names = (found,) if isinstance(found, str) else tuple(found) if isinstance(found, list | tuple) else ()
    # Names that cannot be printed cannot be stored either, and no feature has one.
    if not names or not all(isinstance(name, str) and name.isprintable() for name in names):
        raise PluginError(f"{type(model).__name__}.{attribute} is {found!r}. Allowed: a name, or a list of names.")
    return tuple(str(name) for name in names)


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
