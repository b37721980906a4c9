"""STORY 2: train, evaluate and keep a model.

data version → features and target → rows → fit → era-wise validation → trained version with its manifest
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import pandas as pd

import numebot
from numebot.adapters.artifacts import Artifacts, TrainingRecord
from numebot.adapters.datasets import Datasets, Selection
from numebot.adapters.runner.description import Plugin
from numebot.adapters.runner.fitted import FittedPlugin
from numebot.adapters.runner.runner import Runner
from numebot.core.errors import LocalTrouble, PluginError, Unavailable
from numebot.core.features import embargo_eras, era_order, resolve_features
from numebot.core.metrics import era_corr, summary
from numebot.core.promotion import MARGIN, verdict
from numebot.core.room import FRAME_TIMES, require_room
from numebot.core.staging import EraChoice, StagedRows
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.plugin import TrainingData

logger = logging.getLogger(__name__)

Show = Callable[[str, int, int | None], None]
"""What is going on ("rows", "training"), steps done, steps in all: for a bar on a terminal. Called from threads too."""


@dataclass(frozen=True)
class TrainingWishes:
    """What one training does otherwise than its plugin and row say.

    `memory_gb` (10**9 bytes) is what the plugin's process may take; `promotion_margin` how much lower the mean
    validation corr may be for the version to become current all the same, `promotes` overrules that.
    """

    eras: EraChoice = field(default_factory=EraChoice)
    feature_set: str = ""
    targets: tuple[str, ...] = ()
    seed: int | None = None
    memory_gb: float | None = None
    promotion_margin: float = MARGIN
    promotes: bool = False


NOT_EVALUATED: Mapping[str, float] = {"validation_eras": 0.0}

Progress = Callable[[str], None]
SEED_PARAMETERS = ("random_state", "seed")


def train_model(
    config: ModelConfig,
    *,
    datasets: Datasets,
    artifacts: Artifacts,
    runner: Runner,
    now: Callable[[], datetime],
    progress: Progress = lambda line: None,
    wishes: TrainingWishes | None = None,
    show: Show = lambda what, done, of: None,
) -> TrainedVersion:
    """Train the plugin of a row, measure it on eras it has not seen, and keep it, mostly as the current version.

    `progress` is told each step in words, `show` the numbers in between.
    Raises: PluginError when the plugin needs no training or fails; Unavailable, LocalTrouble, ConfigError.
    """
    wishes = wishes or TrainingWishes()
    plugin = runner.describe(config)
    if not plugin.needs_training:
        raise PluginError(f"{config.name}: {config.code} has no fit and needs no training. It predicts as it is.")
    config = _seeded(config, plugin, wishes.seed)
    selection = _selection(config, plugin, datasets, wishes)
    progress(f"{config.name}: reading {len(selection.features)} features of {selection.version}/train.parquet")
    with runner.staging() as place:
        data = datasets.stage_training(selection, place, choice=wishes.eras, progress=show)
        eras, target = era_order(data.eras.unique()), data.target
        _tell_rows(data, eras, progress)
        memory_mb = _memory_mb(data, plugin, wishes.memory_gb, runner)
        fitted = runner.train(config, data, memory_mb=memory_mb, report=partial(show, "training"))
        del data  # its memory is for the validation now
    metrics = _validated(config, fitted, datasets, selection, target=target, last_era=eras[-1], progress=progress)
    record = TrainingRecord(
        data_version=selection.version,
        features=selection.features,
        target=target,
        parameters=config.parameters,
        libraries={"python": platform.python_version(), "numebot": numebot.__version__, **fitted.libraries},
        eras=(eras[0], eras[-1]),
        metrics=metrics,
        code=config.code,
        code_sha256=plugin.source_sha256,
    )
    before = _current(artifacts, config)
    found = verdict(metrics, target, before, margin=wishes.promotion_margin, is_overruled=wishes.promotes)
    trained = artifacts.keep(
        config.name,
        record,
        save=fitted.save,
        now=now(),
        tournament=config.tournament,
        is_current=found.is_promoted,
    )
    if found.is_promoted:
        progress(f"kept as version {trained.version}, current from now on{f' ({found.words})' if before else ''}")
    else:
        way = f"numebot models rollback {config.name} --to {trained.version}"
        progress(f"kept as version {trained.version}, NOT current: {found.words}. To play it all the same: {way}")
    return trained


def _validated(
    config: ModelConfig,
    fitted: FittedPlugin,
    datasets: Datasets,
    selection: Selection,
    *,
    target: str,
    last_era: str,
    progress: Progress,
) -> Mapping[str, float]:
    """Measure on eras after the embargo; without the file for that the version is kept and not evaluated."""
    embargo = embargo_eras(target)
    try:
        metrics = evaluate(fitted, datasets.validation(selection, last_training_era=last_era, embargo=embargo))
    except (Unavailable, LocalTrouble) as error:
        # Hours of training are not thrown away because a file to measure it by could not be had.
        logger.warning("%s: not evaluated: %s", config.name, error)
        progress(f"not evaluated: {error}")
        return NOT_EVALUATED
    progress(_spoken(metrics, embargo))
    return metrics


def evaluate(fitted: FittedPlugin, groups: Iterator[TrainingData]) -> dict[str, float]:
    """Return era-wise figures of predictions for data that the plugin has not seen.

    corr_mean, corr_std, corr_sharpe, corr_max_drawdown of the first target's numerai_corr, and the number of eras they
    come from; no figure but 0 eras when there is no validation era. Each era is predicted by itself, as a round is.
    Raises: PluginError.
    """
    scores = [_era_scores(fitted, group) for group in groups]
    known = pd.concat(scores).dropna() if scores else pd.Series(dtype=float)
    if known.empty:
        return dict(NOT_EVALUATED)
    return {f"corr_{name}": value for name, value in summary(known).items()} | {"validation_eras": float(len(known))}


def _current(artifacts: Artifacts, config: ModelConfig) -> TrainedVersion | None:
    try:
        return artifacts.current(config.name, config.tournament)
    except PluginError as error:
        logger.warning("%s: the version before cannot be compared with: %s", config.name, error)
        return None


def _selection(config: ModelConfig, plugin: Plugin, datasets: Datasets, wishes: TrainingWishes) -> Selection:
    version = datasets.version(config.tournament)
    wanted = wishes.feature_set or plugin.feature_set
    features = resolve_features(wanted, datasets.feature_sets(version, config.tournament))
    return Selection(version, features, wishes.targets or plugin.targets, config.tournament)


def _seeded(config: ModelConfig, plugin: Plugin, seed: int | None) -> ModelConfig:
    """Return the row with the seed among its parameters. Raises: PluginError when the plugin takes none."""
    if seed is None:
        return config
    name = next((name for name in SEED_PARAMETERS if name in plugin.parameters), None)
    if name is None:
        allowed = " or ".join(SEED_PARAMETERS)
        raise PluginError(f"{config.name}: --seed is for plugins with a parameter {allowed}; {config.code} has none.")
    return replace(config, parameters={**config.parameters, name: seed})


def _tell_rows(data: StagedRows, eras: Sequence[str], progress: Progress) -> None:
    if data.untold:
        words = f"{data.untold[0]} to {data.untold[-1]}" if len(data.untold) > 1 else data.untold[0]
        progress(f"{len(data.untold)} of the eras have no target yet and are left out: {words}")
    span = f"{len(eras)} eras ({eras[0]} to {eras[-1]})" if len(eras) > 1 else f"1 era ({eras[0]})"
    progress(f"training on {len(data):,} rows of {span}, target {data.target}")


def _memory_mb(data: StagedRows, plugin: Plugin, memory_gb: float | None, runner: Runner) -> int | None:
    """Return the limit in MB of 2**20 bytes, None where nothing was said.

    Raises: PluginError when a plugin that takes a frame gets one that cannot fit.
    """
    if plugin.takes == "frame":
        limit = runner.available_bytes() if memory_gb is None else int(memory_gb * 1e9)
        require_room("a plugin that takes a frame", data, limit, times=FRAME_TIMES, plus_mb=200)
    return None if memory_gb is None else max(1, int(memory_gb * 1e9 / 2**20))


def _era_scores(fitted: FittedPlugin, group: TrainingData) -> pd.Series:
    return era_corr(fitted.predict_each(group.X, group.eras), group.y, group.eras)


def _spoken(metrics: Mapping[str, float], embargo: int) -> str:
    eras = int(metrics["validation_eras"])
    if not eras:
        return f"not evaluated: no validation era has targets after the embargo of {embargo} eras"
    return (
        f"validation on {eras} eras: corr {metrics['corr_mean']:.4f} ± {metrics['corr_std']:.4f},"
        f" sharpe {metrics['corr_sharpe']:.2f}, max drawdown {metrics['corr_max_drawdown']:.4f}"
    )
