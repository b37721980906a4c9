"""STORY 2, continued: measure a trained version on eras that it has not seen.

trained version → validation eras after the embargo, some at a time → predictions → scores per era → sums → report
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from numebot.adapters.artifacts import Artifacts
from numebot.adapters.datasets import BENCHMARKS, META_MODEL, Datasets, Selection
from numebot.adapters.runner.runner import Runner
from numebot.core.errors import LocalTrouble, PluginError, Rejected, Unavailable
from numebot.core.evaluation import (
    PREVIOUS,
    THIS,
    EraFigures,
    Evaluation,
    Others,
    Subject,
    as_submitted,
    joined,
    measured,
)
from numebot.core.features import embargo_eras, era_order, resolve_features
from numebot.core.payouts import NotKnown, PayoutTerms
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.durable import whole_file
from numebot.plugin import TrainingData

logger = logging.getLogger(__name__)

NEUTRAL_SET = "fncv3_features"
"""The feature set that Numerai neutralises to for its feature neutral correlation."""
NOT_THERE = (Unavailable, Rejected, LocalTrouble)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """What an evaluation works with. `terms` tells how the newest round pays; `progress` hears each step in words."""

    datasets: Datasets
    artifacts: Artifacts
    runner: Runner
    terms: PayoutTerms | NotKnown
    progress: Progress = lambda line: None


@dataclass
class _Work:
    """One evaluation under way."""

    config: ModelConfig
    bench: Bench
    subject: Subject
    selection: Selection
    features: tuple[str, ...]
    neutralizers: tuple[str, ...]
    version: TrainedVersion | None
    previous: TrainedVersion | None
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Remember once, and tell, what the report has to do without."""
        if text not in self.notes:
            self.notes.append(text)
            self.bench.progress(text)


def evaluate_model(
    config: ModelConfig, bench: Bench, *, target: str | None = None, predictions: Path | None = None
) -> Evaluation:
    """Measure the current version of a model era by era on the validation data after the embargo.

    `target` is scored instead of the one that it was trained on. `predictions` is where a CSV of ids and ranked
    predictions of the evaluated eras is written for Numerai's diagnostics. Memory holds some eras at a time.
    Raises: PluginError when it is not trained, fails or has nothing to be measured on; Unavailable, LocalTrouble.
    """
    work = _begun(config, bench, target)
    subject = work.subject
    last = work.version.eras[1] if work.version and work.version.eras else "0"
    name = f"{subject.model} {subject.version or 'as it is'}"
    bench.progress(f"{name}: evaluating on {subject.data_version}/validation.parquet, target {subject.target}")
    groups = bench.datasets.validation(
        work.selection, last_training_era=last, embargo=subject.embargo, only_known=False
    )
    parts = list(_parts(work, groups, predictions))
    if not parts:
        raise PluginError(
            f"{subject.model}: no validation era has the target {subject.target} after the embargo of"
            f" {subject.embargo} eras behind era {last}. There is nothing to evaluate it on."
        )
    scores, exposures = joined(parts, bench.terms)
    if isinstance(bench.terms, NotKnown):
        work.note(f"payout: {bench.terms.reason}")
    elif "payout" not in scores:
        work.note("payout: the round pays for a metric that could not be measured here")
    if scores["corr"][THIS].isna().all():
        work.note("every score is missing: the predictions are constant in each era, or not numbers")
    return Evaluation(subject, scores, exposures, bench.terms, tuple(work.notes))


def _begun(config: ModelConfig, bench: Bench, target: str | None) -> _Work:
    if config.is_ensemble:
        raise PluginError(f"{config.name} is an ensemble, which has no version of its own. Evaluate its members.")
    plugin = bench.runner.describe(config)
    version = bench.runner.version_for(config, bench.artifacts)
    data_version = version.data_version if version else bench.datasets.version(config.tournament)
    sets = bench.datasets.feature_sets(data_version, config.tournament)
    features = version.features if version else resolve_features(plugin.feature_set, sets)
    trained_on = version.target if version else plugin.targets[0]
    previous, why_not = _previous(config, bench, version) if version else (None, "")
    neutralizers = sets.sets.get(NEUTRAL_SET, ())
    scored = target or trained_on
    subject = Subject(
        config.name,
        config.tournament,
        version.version if version else None,
        previous.version if previous else None,
        data_version,
        scored,
        max(embargo_eras(trained_on), embargo_eras(scored)) if version else 0,
    )
    wanted = dict.fromkeys((*features, *(previous.features if previous else ()), *neutralizers))
    selection = Selection(data_version, tuple(wanted), (scored,), config.tournament)
    work = _Work(config, bench, subject, selection, features, neutralizers, version, previous)
    if why_not:
        work.note(why_not)
    if not neutralizers:
        work.note(f"fnc: {data_version} has no feature set {NEUTRAL_SET}")
    return work


def _previous(config: ModelConfig, bench: Bench, version: TrainedVersion) -> tuple[TrainedVersion | None, str]:
    """Return the version to compare with, or why there is none to compare with."""
    try:
        found = bench.artifacts.previous(config.name, config.tournament)
    except PluginError as error:
        return None, f"previous version: not compared: {error}"
    if found is None:
        return None, ""
    if found.data_version != version.data_version:
        return None, f"previous version {found.version}: not compared, it was trained on {found.data_version}"
    if found.eras and version.eras and era_order([found.eras[1], version.eras[1]])[-1] != version.eras[1]:
        return None, f"previous version {found.version}: not compared, it has seen later eras than this one"
    if embargo_eras(found.target) > embargo_eras(version.target) and found.eras == version.eras:
        return None, f"previous version {found.version}: not compared, its target {found.target} looks further ahead"
    return found, ""


def _parts(work: _Work, groups: Iterator[TrainingData], predictions: Path | None) -> Iterator[EraFigures]:
    if predictions is None:
        yield from (_measured(work, group, None) for group in groups)
        return
    with whole_file(predictions) as temporary:
        temporary.write_text("id,prediction\n", encoding="ascii")
        yield from (_measured(work, group, temporary) for group in groups)


def _measured(work: _Work, group: TrainingData, file: Path | None) -> EraFigures:
    own = as_submitted(_predicted(work, group), group.eras)
    if file is not None:
        with file.open("a", encoding="utf-8", newline="") as lines:
            own[THIS].clip(1e-6, 1 - 1e-6).to_csv(lines, header=False, lineterminator="\n")
    eras = era_order(group.eras.unique())
    found = measured(
        own, group.y, group.eras, others=_others(work, eras), features=group.X, neutralizers=work.neutralizers
    )
    corr = found.scores["corr"][THIS].mean()
    work.bench.progress(f"eras {eras[0]} to {eras[-1]}: {len(group.X):,} rows, corr {corr:.4f}")
    return found


def _predicted(work: _Work, group: TrainingData) -> pd.DataFrame:
    frame, runner = group.X[list(work.features)], work.bench.runner
    columns = {THIS: runner.predict_eras(work.config, work.version, frame, group.eras)}
    if work.previous is not None:
        try:
            older = group.X[list(work.previous.features)]
            columns[PREVIOUS] = runner.predict_eras(work.config, work.previous, older, group.eras)
        except PluginError as error:
            work.note(f"previous version {work.previous.version}: not compared: {error}")
            work.previous = None
    return pd.DataFrame(columns, index=group.X.index)


def _others(work: _Work, eras: Sequence[str]) -> Others:
    benchmarks = _companion(work, BENCHMARKS, eras)
    meta = _companion(work, META_MODEL, eras)
    return Others(benchmarks, meta.iloc[:, 0] if len(meta.columns) else pd.Series(dtype=float))


def _companion(work: _Work, name: str, eras: Sequence[str]) -> pd.DataFrame:
    subject = work.subject
    if any(note.startswith(name) for note in work.notes):
        return pd.DataFrame()
    try:
        return work.bench.datasets.companion(name, subject.data_version, eras, subject.tournament)
    except NOT_THERE as error:
        work.note(f"{name}: not compared with: {error}")
        return pd.DataFrame()
