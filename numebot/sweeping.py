"""A part of STORY 2: try parameters of a model, era-wise and out of sample, and keep what came out.

plan → trial → folds over eras → fit each, predict what it has not seen → value → next trial
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from numebot.adapters.datasets import Datasets, Selection
from numebot.adapters.runner.runner import Runner
from numebot.adapters.sweeps import Asked, Study
from numebot.core.errors import ConfigError, PluginError
from numebot.core.features import embargo_eras, era_order, resolve_features
from numebot.core.metrics import era_corr, summary
from numebot.core.splits import Fold, blocked_folds, forward_folds
from numebot.core.sweeps import SweepPlan, spoken
from numebot.core.types import ModelConfig
from numebot.plugin import TrainingData

Progress = Callable[[str], None]


class Sweep:
    """Plays the trials of one study, one after the other. Several processes may do that at once."""

    def __init__(
        self,
        config: ModelConfig,
        plan: SweepPlan,
        *,
        study: Study,
        datasets: Datasets,
        runner: Runner,
        progress: Progress = lambda line: None,
    ) -> None:
        self._config = config
        self._plan = plan
        self._study = study
        self._datasets = datasets
        self._runner = runner
        self._progress = progress
        self._rows: tuple[Selection, TrainingData] | None = None

    def play(self) -> int:
        """Play the trials that wait, and return how many that were. A plugin's failure ends its trial alone.

        Raises: Unavailable, LocalTrouble; ConfigError when the folds cannot be made of the eras.
        """
        played = 0
        while (asked := self._study.next()) is not None:
            try:
                words = self._trial(asked)
            except PluginError as error:
                self._study.fail(asked, str(error))
                words = f"failed: {error}"
            self._progress(f"trial {asked.number} {spoken(asked.parameters)}: {words}")
            played += 1
        return played

    def _trial(self, asked: Asked) -> str:
        parameters = {**self._config.parameters, **self._plan.parameters, **asked.parameters}
        config = replace(self._config, parameters=parameters)
        data = self._data(config)
        folds = self._folds(data)
        scores: list[pd.Series] = []
        for number, fold in enumerate(folds):
            fitted = self._runner.train(config, _part(data, fold.train))
            unseen = _part(data, fold.test)
            scores.append(era_corr(fitted.predict_each(unseen.X, unseen.eras), unseen.y, unseen.eras))
            value = _value(self._plan.metric, scores)
            if self._study.is_hopeless(asked, number, value) and number + 1 < len(folds):
                self._study.prune(asked)
                return f"pruned after fold {number + 1} of {len(folds)} with {value:.4f}"
        self._study.complete(asked, value)
        return f"{self._plan.metric} {value:.4f}"

    def _data(self, config: ModelConfig) -> TrainingData:
        """Return the rows that a trial's plugin wants; the last ones are kept, since most trials want the same."""
        plugin = self._runner.describe(config)
        if not plugin.needs_training:
            raise PluginError(f"{config.code} has no fit; there is nothing to try.")
        version = self._datasets.version(config.tournament)
        features = resolve_features(plugin.feature_set, self._datasets.feature_sets(version, config.tournament))
        selection = Selection(version, features, plugin.targets, config.tournament)
        if self._rows is None or self._rows[0] != selection:
            self._rows = None  # its memory is for the next one
            data = self._datasets.training(selection)
            if self._plan.every_nth_era > 1:
                data = _part(data, era_order(data.eras.unique())[:: self._plan.every_nth_era])
            self._rows = (selection, data)
        return self._rows[1]

    def _folds(self, data: TrainingData) -> Sequence[Fold]:
        embargo = embargo_eras(data.target) if self._plan.embargo is None else self._plan.embargo
        eras = data.eras.unique()
        try:
            if self._plan.split == "blocks":
                return blocked_folds(eras, self._plan.folds, purge=embargo, embargo=embargo)
            return forward_folds(eras, self._plan.folds, embargo=embargo)
        except ValueError as error:
            raise ConfigError(f"The sweep's folds: {error} Nothing more was tried.") from error


def _part(data: TrainingData, eras: Sequence[str]) -> TrainingData:
    rows = data.eras.isin(set(eras)).to_numpy()
    return replace(data, X=data.X[rows], targets=data.targets[rows], eras=data.eras[rows])


def _value(metric: str, scores: Sequence[pd.Series]) -> float:
    figures = summary(pd.concat(list(scores)).dropna())
    value = figures[metric.removeprefix("corr_")]
    if value != value:
        raise PluginError(f"{metric} is unknown: the predictions of too few eras differ from each other.")
    return value
