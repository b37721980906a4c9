"""Runs plugins, each call in a process of its own. Whatever a plugin does there, here it becomes a PluginError.

The processes are shut in as far as the kernel can do that, see sandbox.py; isolation_notes() says what it cannot.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd

from numebot.adapters.runner.asking import (
    DefaultLimits,
    LivePort,
    Measured,
    PredictionRequest,
    VersionPort,
    parameters_of,
)
from numebot.adapters.runner.calls import Calls, require_done
from numebot.adapters.runner.description import Plugin
from numebot.adapters.runner.fitted import FittedPlugin
from numebot.adapters.runner.frames import share
from numebot.adapters.runner.known import Key, KnownPlugins, key_of, plugin_key
from numebot.adapters.runner.nursery import Nursery, shared_nursery
from numebot.adapters.runner.overhearing import Report, overheard
from numebot.adapters.runner.pool import Answer, Call
from numebot.adapters.runner.requests import Task
from numebot.adapters.runner.results import read_predictions
from numebot.adapters.runner.round_files import RoundFiles
from numebot.adapters.runner.scratch import require_plain_files
from numebot.adapters.runner.shared import SharedFrame, SharedFrames, shared_for_a_call
from numebot.adapters.runner.tasks import SAVED
from numebot.core.errors import NumebotError, PluginError
from numebot.core.staging import StagedRows
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.plugin import TrainingData

logger = logging.getLogger(__name__)


class Runner:
    """Runs the plugins that model_configs.csv names. `folders` are searched for paths and modules, in order.

    The first folder is the owner's home, of which plugins read Python code alone; the others are theirs. `place` is
    the data folder, for logs and scratch files; `clean` takes secrets out of a text. Meant to live for one pass;
    `close` removes its files.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        place: Path | None = None,
        limits: DefaultLimits | None = None,
        available_memory_bytes: Callable[[], int] | None = None,
        nursery: Nursery | None = None,
        clean: Callable[[str], str] = str,
    ) -> None:
        self._nursery = nursery or shared_nursery()
        self._calls = Calls(
            folders,
            place=place,
            limits=limits,
            available_memory_bytes=available_memory_bytes,
            nursery=self._nursery,
            clean=clean,
        )
        self._plugins = KnownPlugins()
        self._frames = SharedFrames()
        self._facts = RoundFiles(lambda: self._calls.files.new("data/file"))

    def close(self) -> None:
        """Remove the frames and scratch files."""
        self._calls.close()
        self._frames.clear()
        self._facts.clear()

    def log_of(self, config: ModelConfig) -> Path:
        """Return where what a model's plugin prints is kept."""
        return self._calls.log_of(config)

    def describe(self, config: ModelConfig) -> Plugin:
        """Return what the plugin of a row says of itself. Raises: PluginError."""
        return self._described(config, config.parameters)

    def warm_up(self) -> None:
        """Let the libraries of the plugins load meanwhile: soon one of them will run."""
        self._nursery.warm_up()

    def describe_many(self, configs: Iterable[ModelConfig]) -> Mapping[Key, NumebotError]:
        """Let several plugins describe themselves at once, so that `describe` has the answers.

        Never raises for one: returns what `describe` would have raised, by `plugin_key`.
        """
        unknown = {plugin_key(config): config for config in configs}
        failed = {}
        with ExitStack() as stack:
            calls = {
                self._description_call(config, config.parameters, stack): key
                for key, config in unknown.items()
                if self._plugins.current(key) is None
            }
            for call in self._calls.run(calls):
                key = calls[call]
                try:
                    self._plugins.learn(key, require_done(call.result).answer.get("plugin"))
                except NumebotError as error:
                    failed[key] = error
        return failed

    def scale_of(self, config: ModelConfig, trained: TrainedVersion | None = None) -> str | None:
        """Return how predictions become a submission: "rank" or None.

        Give it the trained version that predicted: like `predict`, it then goes by the parameters of the training.
        Raises: PluginError.
        """
        return self._described(config, parameters_of(config, trained)).scale

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

    def predict(
        self,
        config: ModelConfig,
        trained: TrainedVersion | None,
        live: LivePort,
        members: pd.DataFrame | None = None,
    ) -> pd.Series:
        """Return the plugin's own numbers for the live ids, float64, any scale, NaN and infinities included.

        A trained version is built with the parameters of its training. Its files must have been verified: loading them
        may run code.
        Raises: PluginError for whatever the plugin does; as `live.frame` does.
        """
        for _, found in self.predict_many([PredictionRequest(config, trained, live, members)]):
            if isinstance(found, NumebotError):
                raise found
            return found
        raise AssertionError("one request has one result")

    def predict_many(
        self,
        requests: Iterable[PredictionRequest],
        *,
        began: Callable[[PredictionRequest], None] = lambda request: None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[PredictionRequest, pd.Series | NumebotError]]:
        """Yield each request with its predictions, or with what `predict` would have raised, as they are done.

        `began` hears when one is started. Soon after `is_stopped` says yes all are ended and nothing more is yielded.
        """
        with ExitStack() as stack:
            asked = {self._prediction_call(request, stack, began): request for request in requests}
            for call in self._calls.run(asked, is_stopped=is_stopped):
                request = asked[call]
                try:
                    yield request, self._predictions(request, call)
                except NumebotError as error:
                    yield request, error

    def available_bytes(self) -> int:
        """Return the memory that plugins may take together."""
        return int(self._calls.available_mb() * 2**20)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Yield the path of a file, not there yet, that plugins' processes may read; it goes with the block."""
        path = self._calls.files.new("data/rows")
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def train(
        self,
        config: ModelConfig,
        data: TrainingData | StagedRows,
        *,
        memory_mb: int | None = None,
        report: Report | None = None,
    ) -> FittedPlugin:
        """Return what the plugin learned from `data`. Raises: PluginError.

        `memory_mb` (2**20 bytes) is how much it may take, by default what the settings say; the feeders go by it.
        `report` hears, from another thread, how far it is.
        """
        folder = self._calls.files.new("fitted")
        path = self._calls.files.data / f"{folder.name}.frames"
        with ExitStack() as stack:
            stack.callback(path.unlink, missing_ok=True)
            share(data, path)
            limits = self._calls.limits.of_training(config, self._calls.available_mb())
            if memory_mb is not None:
                limits = replace(limits, memory_mb=memory_mb, memory_name="--memory")
            request = self._calls.request(Task.FIT, config, config.parameters, stack, limits=limits)
            given = {"data": str(path), "memory_bytes": None if memory_mb is None else memory_mb * 2**20}
            if report is not None:
                stack.enter_context(overheard(request.scratch, report))
            outcome = self._calls.succeeded(Call(request, lambda described: given))
            saved = request.scratch / SAVED
            require_plain_files(saved)
            saved.rename(folder)

        def predict(learned: Path, frame: pd.DataFrame, groups: pd.Series | None) -> pd.Series:
            return self._predict_with(config, learned, frame, groups)

        return FittedPlugin(folder, predict, _texts(outcome.answer.get("libraries")))

    def check(
        self, config: ModelConfig, *, live: LivePort | None = None, trained: TrainedVersion | None = None
    ) -> list[str]:
        """Return how the plugin of a row breaks the contract, as `check_model` finds it, on `live` or made-up rows.

        A trained version is taken as it is; without one the plugin learns from made-up rows. Raises: PluginError; as
        `live.frame` does.
        """

        def answer(described: object) -> Mapping[str, object]:
            plugin = self._plugins.learn(key_of(config.code, parameters), described)
            return {"data": None if live is None else str(self._live(live, plugin, trained).path)}

        parameters = parameters_of(config, trained)
        with ExitStack() as stack:
            limits = self._calls.limits.of_training(config, self._calls.available_mb())
            folder = trained.folder if trained else None
            request = self._calls.request(Task.CHECK, config, parameters, stack, limits=limits, trained=folder)
            findings = self._calls.succeeded(Call(request, answer)).answer.get("findings")
            return [str(finding) for finding in findings] if isinstance(findings, list) else []

    def measure(self, config: ModelConfig, trained: TrainedVersion | None, live: LivePort) -> Measured:
        """Predict as a round does and return the predictions with what that took. Raises as `predict`."""
        limits = self._calls.limits.of(config)
        with ExitStack() as stack:
            request = PredictionRequest(config, trained, live)
            call = self._prediction_call(request, stack, began=lambda _: None)
            outcome = self._calls.succeeded(call)
            return Measured(self._predictions(request, call), outcome.seconds, outcome.peak_mb, limits)

    def _described(self, config: ModelConfig, parameters: Mapping[str, object]) -> Plugin:
        """Build the plugin once to see what it says of itself; a constructor may take long."""
        key = key_of(config.code, parameters)
        known = self._plugins.current(key)
        if known is not None:
            return known
        with ExitStack() as stack:
            outcome = self._calls.succeeded(self._description_call(config, parameters, stack))
        return self._plugins.learn(key, outcome.answer.get("plugin"))

    def _description_call(self, config: ModelConfig, parameters: Mapping[str, object], stack: ExitStack) -> Call:
        return Call(self._calls.request(Task.DESCRIBE, config, parameters, stack), _no_data)

    def _prediction_call(
        self, request: PredictionRequest, stack: ExitStack, began: Callable[[PredictionRequest], None]
    ) -> Call:
        config, trained, live = request.config, request.trained, request.live
        parameters = parameters_of(config, trained)
        if trained:
            _notice_other_parameters(config, trained)

        members = {}
        if request.members is not None:
            members["members"] = str(shared_for_a_call(self._calls.files, "members", request.members, stack))

        def answer(described: object) -> Mapping[str, object]:
            plugin = self._plugins.learn(key_of(config.code, parameters), described)
            if trained is None and plugin.needs_training:
                raise _not_trained(config)
            about = self._facts.of(live, plugin.files)
            return {"data": str(self._live(live, plugin, trained).path), "about": about, **members}

        folder = trained.folder if trained else None
        asked = self._calls.request(Task.PREDICT, config, parameters, stack, trained=folder)
        return Call(asked, answer, lambda: began(request))

    def _predictions(self, request: PredictionRequest, call: Call) -> pd.Series:
        outcome = require_done(call.result)
        plugin = self._plugins[key_of(request.config.code, parameters_of(request.config, request.trained))]
        ids = self._live(request.live, plugin, request.trained).ids
        return read_predictions(call.request.scratch, outcome.answer.get("ids_sha256"), ids)

    def predict_eras(
        self, config: ModelConfig, trained: TrainedVersion | None, frame: pd.DataFrame, eras: pd.Series
    ) -> pd.Series:
        """Return one float per row of `frame`, where rows of different eras never meet in one call of the plugin.

        A trained version is built with the parameters of its training, and its files must have been verified.
        Raises: PluginError.
        """
        as_trained = replace(config, parameters=parameters_of(config, trained))
        return self._predict_with(as_trained, trained.folder if trained else None, frame, eras)

    def _predict_with(
        self, config: ModelConfig, learned: Path | None, frame: pd.DataFrame, groups: pd.Series | None
    ) -> pd.Series:
        with ExitStack() as stack:
            path = shared_for_a_call(self._calls.files, "rows", (frame, groups), stack)
            answer: Answer = lambda described: {"data": str(path)}  # noqa: E731 # one line, used once
            limits = self._calls.limits.of_training(config, self._calls.available_mb())
            request = self._calls.request(
                Task.PREDICT, config, config.parameters, stack, trained=learned, limits=limits
            )
            outcome = self._calls.succeeded(Call(request, answer))
            ids = frame.index if groups is None else _in_groups(frame, groups)
            found = read_predictions(request.scratch, outcome.answer.get("ids_sha256"), ids)
        return found.reindex(frame.index)

    def _live(self, live: LivePort, plugin: Plugin, trained: TrainedVersion | None) -> SharedFrame:
        return self._frames.live(self._calls.files, live, plugin, trained)

def _texts(found: object) -> dict[str, str]:
    """Return what a plugin's process said of its libraries, as far as it makes sense."""
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: version for name, version in pairs if isinstance(version, str) and version.isprintable()}


def _no_data(described: object) -> Mapping[str, object]:
    raise PluginError("its process asked for data that it has no need of.")


def _in_groups(frame: pd.DataFrame, groups: pd.Series) -> pd.Index:
    ids = frame.index.to_series()
    found: pd.Index = pd.concat([rows for _, rows in ids.groupby(groups, sort=False)]).index
    return found


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
