"""STORY 2: train, evaluate and keep a model.

data version → features and target → rows → fit → era-wise validation → trained version with its manifest
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

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
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.plugin import TrainingData

logger = logging.getLogger(__name__)

NOT_EVALUATED: Mapping[str, float] = {"validation_eras": 0.0}

Progress = Callable[[str], None]


def train_model(
    config: ModelConfig,
    *,
    datasets: Datasets,
    artifacts: Artifacts,
    runner: Runner,
    now: Callable[[], datetime],
    progress: Progress = lambda line: None,
) -> TrainedVersion:
    """Train the plugin of a row, measure it on eras it has not seen, and keep it as the current version.

    `progress` is told each step in words.
    Raises: PluginError when the plugin needs no training or fails; Unavailable, LocalTrouble, ConfigError.
    """
    plugin = runner.describe(config)
    if not plugin.needs_training:
        raise PluginError(f"{config.name}: {config.code} has no fit and needs no training. It predicts as it is.")
    selection = _selection(config, plugin, datasets)
    progress(f"{config.name}: reading {len(selection.features)} features of {selection.version}/train.parquet")
    data = datasets.training(selection)
    eras = era_order(data.eras.unique())
    progress(f"training on {len(data.X):,} rows of {len(eras)} eras ({eras[0]} to {eras[-1]}), target {data.target}")
    fitted = runner.train(config, data)
    embargo = embargo_eras(data.target)
    target = data.target
    del data  # its memory is for the validation now
    try:
        unseen = datasets.validation(selection, last_training_era=eras[-1], embargo=embargo)
        metrics: Mapping[str, float] = evaluate(fitted, unseen)
        progress(_spoken(metrics, embargo))
    except (Unavailable, LocalTrouble) as error:
        # Hours of training are not thrown away because a file to measure it by could not be had.
        metrics = NOT_EVALUATED
        logger.warning("%s: not evaluated: %s", config.name, error)
        progress(f"not evaluated: {error}")
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
    trained = artifacts.keep(config.name, record, save=fitted.save, now=now(), tournament=config.tournament)
    progress(f"kept as version {trained.version}, current from now on")
    return trained


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


def _selection(config: ModelConfig, plugin: Plugin, datasets: Datasets) -> Selection:
    version = datasets.version(config.tournament)
    features = resolve_features(plugin.feature_set, datasets.feature_sets(version, config.tournament))
    return Selection(version, features, plugin.targets, config.tournament)


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
