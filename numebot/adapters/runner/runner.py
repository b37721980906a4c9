"""Runs plugins, each call in a process of its own. Whatever a plugin does there, here it becomes a PluginError.

The processes are shut in as far as the kernel can do that, see sandbox.py; isolation_notes() says what it cannot.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import pandas as pd

from numebot.adapters.runner.code import sha256_of
from numebot.adapters.runner.description import Plugin, from_message
from numebot.adapters.runner.fitted import FittedPlugin
from numebot.adapters.runner.frames import share
from numebot.adapters.runner.nursery import Nursery, shared_nursery
from numebot.adapters.runner.pool import Answer, Call, Pool
from numebot.adapters.runner.requests import Kind, Limits, Outcome, Request, Task
from numebot.adapters.runner.results import read_predictions
from numebot.adapters.runner.round_files import RoundFiles
from numebot.adapters.runner.sandbox import allowed_below, isolation_notes
from numebot.adapters.runner.scratch import Scratch, require_plain_files
from numebot.adapters.runner.tasks import SAVED
from numebot.core.errors import NumebotError, PluginError
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.durable import write_whole
from numebot.plugin import TrainingData

logger = logging.getLogger(__name__)

LOGS = "logs"
SCRATCH = "scratch"
_LARGEST_SOURCE = 50_000_000
"""Bytes of a plugin's file; a longer one is none."""


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


@dataclass(eq=False)
class _Shared:
    """Frames that lie in a file already. `live` is kept so that nothing else gets its identity."""

    live: object
    path: Path
    ids: pd.Index


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
        self._folders = tuple(folder.resolve() for folder in folders)
        self._place = place
        self._limits = limits or DefaultLimits()
        self._probe = available_memory_bytes or _machine_bytes
        self._nursery = nursery or shared_nursery()
        self._pool = Pool(self._nursery, self._available_mb)
        self._clean = clean
        self._scratch: Scratch | None = None
        self._plugins: dict[tuple[str, str], Plugin] = {}
        self._frames: dict[tuple[int, tuple[str, ...]], _Shared] = {}
        self._facts = RoundFiles(lambda: self._files.new("data/file"))

    def close(self) -> None:
        """Remove the frames and scratch files."""
        if self._scratch:
            self._scratch.close()
        self._scratch = None
        self._frames.clear()
        self._facts.clear()

    def log_of(self, config: ModelConfig) -> Path:
        """Return where what a model's plugin prints is kept."""
        return (self._place or self._files.folder) / LOGS / f"{config.name}.log"

    def describe(self, config: ModelConfig) -> Plugin:
        """Return what the plugin of a row says of itself. Raises: PluginError."""
        return self._described(config, config.parameters)

    def warm_up(self) -> None:
        """Let the libraries of the plugins load meanwhile: soon one of them will run."""
        self._nursery.warm_up()

    def describe_many(self, configs: Iterable[ModelConfig]) -> Mapping[tuple[str, str], NumebotError]:
        """Let several plugins describe themselves at once, so that `describe` has the answers.

        Never raises for one: returns what `describe` would have raised, by `plugin_key`.
        """
        unknown = {plugin_key(config): config for config in configs}
        failed = {}
        with ExitStack() as stack:
            calls = {
                self._description_call(config, config.parameters, stack): key
                for key, config in unknown.items()
                if self._known(config.code, config.parameters) is None
            }
            for call in self._run(calls):
                key = calls[call]
                try:
                    self._learn(unknown[key].code, unknown[key].parameters, _require_done(call.result))
                except NumebotError as error:
                    failed[key] = error
        return failed

    def scale_of(self, config: ModelConfig, trained: TrainedVersion | None = None) -> str | None:
        """Return how predictions become a submission: "rank" or None.

        Give it the trained version that predicted: like `predict`, it then goes by the parameters of the training.
        Raises: PluginError.
        """
        return self._described(config, _parameters(config, trained)).scale

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
            for call in self._run(asked, is_stopped=is_stopped):
                request = asked[call]
                try:
                    yield request, self._predictions(request, call)
                except NumebotError as error:
                    yield request, error

    def train(self, config: ModelConfig, data: TrainingData) -> FittedPlugin:
        """Return what the plugin learned from `data`. Raises: PluginError."""
        folder = self._files.new("fitted")
        path = self._files.data / f"{folder.name}.frames"
        with ExitStack() as stack:
            stack.callback(path.unlink, missing_ok=True)
            share(data, path)
            limits = self._limits.of_training(config, self._available_mb())
            request = self._request(Task.FIT, config, config.parameters, stack, limits=limits)
            outcome = self._succeeded(config, Call(request, lambda described: {"data": str(path)}))
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
            plugin = self._remember(config.code, parameters, described)
            return {"data": None if live is None else str(self._shared(live, plugin, trained).path)}

        parameters = _parameters(config, trained)
        with ExitStack() as stack:
            limits = self._limits.of_training(config, self._available_mb())
            folder = trained.folder if trained else None
            request = self._request(Task.CHECK, config, parameters, stack, limits=limits, trained=folder)
            findings = self._succeeded(config, Call(request, answer)).answer.get("findings")
            return [str(finding) for finding in findings] if isinstance(findings, list) else []

    def measure(self, config: ModelConfig, trained: TrainedVersion | None, live: LivePort) -> Measured:
        """Predict as a round does and return the predictions with what that took. Raises as `predict`."""
        limits = self._limits.of(config)
        with ExitStack() as stack:
            request = PredictionRequest(config, trained, live)
            call = self._prediction_call(request, stack, began=lambda _: None)
            outcome = self._succeeded(config, call)
            return Measured(self._predictions(request, call), outcome.seconds, outcome.peak_mb, limits)

    @property
    def _files(self) -> Scratch:
        if self._scratch is None:
            self._scratch = Scratch(self._place / SCRATCH if self._place else None)
        return self._scratch

    def _available_mb(self) -> float:
        return self._probe() / 2**20

    def _run(
        self, calls: Iterable[Call], *, is_stopped: Callable[[], bool] = lambda: False
    ) -> Generator[Call, None, None]:
        _say_what_is_not_isolated()
        with closing(self._pool.run(calls, is_stopped=is_stopped)) as ended:
            for call in ended:
                _note(call)
                self._clean_log(call.request.log)
                yield call

    def _clean_log(self, path: Path | None) -> None:
        """Take secrets out of what a plugin printed: the process that wrote it down knows none."""
        if path is None or not path.exists():
            return
        text = path.read_text("utf-8", "replace")
        if (cleaned := self._clean(text)) != text:
            write_whole(path, cleaned)

    def _succeeded(self, config: ModelConfig, call: Call) -> Outcome:
        for ended in self._run([call]):
            return _require_done(ended.result)
        raise AssertionError("one call has one end")

    def _described(self, config: ModelConfig, parameters: Mapping[str, object]) -> Plugin:
        """Build the plugin once to see what it says of itself; a constructor may take long."""
        known = self._known(config.code, parameters)
        if known is not None:
            return known
        with ExitStack() as stack:
            outcome = self._succeeded(config, self._description_call(config, parameters, stack))
        return self._learn(config.code, parameters, outcome)

    def _description_call(self, config: ModelConfig, parameters: Mapping[str, object], stack: ExitStack) -> Call:
        return Call(self._request(Task.DESCRIBE, config, parameters, stack), _no_data)

    def _known(self, code: str, parameters: Mapping[str, object]) -> Plugin | None:
        """Return a description while the files that it came from are as they were, or are gone."""
        known = self._plugins.get(_key(code, parameters))
        if known is None:
            return None
        same = _is_unchanged(known.source, known.source_sha256) and _is_unchanged(known.file, known.file_sha256)
        return known if same else None

    def _learn(self, code: str, parameters: Mapping[str, object], outcome: Outcome) -> Plugin:
        return self._remember(code, parameters, outcome.answer.get("plugin"))

    def _remember(self, code: str, parameters: Mapping[str, object], message: object) -> Plugin:
        plugin = self._plugins[_key(code, parameters)] = from_message(message)
        return plugin

    def _prediction_call(
        self, request: PredictionRequest, stack: ExitStack, began: Callable[[PredictionRequest], None]
    ) -> Call:
        config, trained, live = request.config, request.trained, request.live
        parameters = _parameters(config, trained)
        if trained:
            _notice_other_parameters(config, trained)

        members = {"members": str(self._shared_members(request.members, stack))} if request.members is not None else {}

        def answer(described: object) -> Mapping[str, object]:
            plugin = self._remember(config.code, parameters, described)
            if trained is None and plugin.needs_training:
                raise _not_trained(config)
            about = self._facts.of(live, plugin.files)
            return {"data": str(self._shared(live, plugin, trained).path), "about": about, **members}

        folder = trained.folder if trained else None
        asked = self._request(Task.PREDICT, config, parameters, stack, trained=folder)
        return Call(asked, answer, lambda: began(request))

    def _shared_members(self, members: pd.DataFrame, stack: ExitStack) -> Path:
        path = self._files.new("data/members")
        stack.callback(path.unlink, missing_ok=True)
        share(members, path)
        return path

    def _predictions(self, request: PredictionRequest, call: Call) -> pd.Series:
        outcome = _require_done(call.result)
        plugin = self._plugins[_key(request.config.code, _parameters(request.config, request.trained))]
        ids = self._shared(request.live, plugin, request.trained).ids
        return read_predictions(call.request.scratch, outcome.answer.get("ids_sha256"), ids)

    def _predict_with(
        self, config: ModelConfig, learned: Path, frame: pd.DataFrame, groups: pd.Series | None
    ) -> pd.Series:
        path = self._files.new("data/rows")
        with ExitStack() as stack:
            stack.callback(path.unlink, missing_ok=True)
            share((frame, groups), path)
            answer: Answer = lambda described: {"data": str(path)}  # noqa: E731 # one line, used once
            limits = self._limits.of_training(config, self._available_mb())
            request = self._request(
                Task.PREDICT, config, config.parameters, stack, trained=learned, limits=limits
            )
            outcome = self._succeeded(config, Call(request, answer))
            ids = frame.index if groups is None else _in_groups(frame, groups)
            found = read_predictions(request.scratch, outcome.answer.get("ids_sha256"), ids)
        return found.reindex(frame.index)

    def _shared(self, live: LivePort, plugin: Plugin, trained: TrainedVersion | None) -> _Shared:
        """Write the live rows with a model's features once, however many models have the same."""
        features = live.features(plugin.feature_set, trained)
        key = (id(live), features)
        if key not in self._frames:
            frame = live.frame(plugin.feature_set, trained).copy()  # a copy lies in one piece
            path = self._files.new("data/live")
            share((frame, None), path)
            self._frames[key] = _Shared(live, path, frame.index)
        return self._frames[key]

    def _request(
        self,
        task: Task,
        config: ModelConfig,
        parameters: Mapping[str, object],
        stack: ExitStack,
        *,
        trained: Path | None = None,
        limits: Limits | None = None,
    ) -> Request:
        readable, listed = self._allowed(config)
        return Request(
            task=task,
            model=config.name,
            code=config.code,
            folders=self._folders,
            parameters=parameters,
            scratch=stack.enter_context(self._files.call_folder()),
            limits=limits or self._limits.of(config),
            trained=trained,
            readable=(*readable, *config.readable, self._files.data, *([trained] if trained else [])),
            listed=listed,
            network=config.network,
            log=self.log_of(config),
        )

    def _allowed(self, config: ModelConfig) -> tuple[list[Path], tuple[Path, ...]]:
        readable: list[Path] = []
        listed: list[Path] = []
        place = Path(config.code.partition(":")[0])
        own = [place.parent] if place.is_absolute() else []
        for number, folder in enumerate((*self._folders, *own)):
            read, names = allowed_below(folder, is_private=number > 0)
            readable += read
            listed += names
        return readable, tuple(listed)


@cache
def _say_what_is_not_isolated() -> None:
    for note in isolation_notes():
        logger.warning("%s", note)


def _texts(found: object) -> dict[str, str]:
    """Return what a plugin's process said of its libraries, as far as it makes sense."""
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: version for name, version in pairs if isinstance(version, str) and version.isprintable()}


def _note(call: Call) -> None:
    if isinstance(call.result, Outcome):
        request, result = call.request, call.result
        words = "%s: %s took %.2f s and %.0f MB (%s)"
        logger.debug(words, request.model, request.task, result.seconds, result.peak_mb, result.kind)


def _require_done(result: Outcome | NumebotError | None) -> Outcome:
    if isinstance(result, NumebotError):
        raise result
    assert result is not None, "a call that ended has a result"
    if result.kind is not Kind.DONE:
        raise PluginError(result.words)
    return result


def _no_data(described: object) -> Mapping[str, object]:
    raise PluginError("its process asked for data that it has no need of.")


def plugin_key(config: ModelConfig) -> tuple[str, str]:
    """Return what two rows have in common whose plugins say the same of themselves."""
    return _key(config.code, config.parameters)


def _key(code: str, parameters: Mapping[str, object]) -> tuple[str, str]:
    return code, repr(sorted(parameters.items()))


def _is_unchanged(path: Path, sha256: str) -> bool:
    try:
        # The path comes from the plugin's process: it may be that of a device.
        if not path.is_file() or path.stat().st_size > _LARGEST_SOURCE:
            return not os.path.lexists(path)
        return sha256_of(path) == sha256
    except (OSError, PluginError):
        return True  # it can no longer be read: then it counts as it was


def _in_groups(frame: pd.DataFrame, groups: pd.Series) -> pd.Index:
    ids = frame.index.to_series()
    found: pd.Index = pd.concat([rows for _, rows in ids.groupby(groups, sort=False)]).index
    return found


def _machine_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _parameters(config: ModelConfig, trained: TrainedVersion | None) -> Mapping[str, object]:
    return trained.parameters if trained else config.parameters


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
