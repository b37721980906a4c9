"""How a model does on eras it has not seen, beside its last version, the benchmark models and the meta model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from numebot.core.diagnostics import DiagnosticsResult
from numebot.core.features import era_order
from numebot.core.metrics import EraTable, era_payouts, summaries
from numebot.core.payouts import NotKnown, PayoutTerms

THIS = "this version"
"""The column of the version that is evaluated."""
PREVIOUS = "previous version"
"""The column of the version before it."""
OWN = (THIS, PREVIOUS)

UNITS: Mapping[str, str] = {
    "corr": "Numerai's correlation with the target",
    "mmc": "contribution to the meta model",
    "bmc": "contribution to the benchmark models",
    "fnc": "correlation without what features explain",
    "payout": "share of the stake by the newest round's settings",
    "spearman": "rank correlation with the target",
    "mae": "mean absolute error of the ranks in (0, 1)",
    "exposure": "largest absolute correlation with a feature",
    "corr_with_meta_model": "correlation with the meta model",
    "corr_with_benchmarks": "correlation with the mean of the benchmark models",
}
"""The metrics, in the order of a report, and what each is."""

RATED = ("corr", "mmc", "bmc", "fnc", "payout", "spearman")
"""The metrics that are earned era by era: of these a Sharpe ratio, a sum and a drawdown mean something."""


@dataclass(frozen=True)
class Others:
    """What others predicted for the same rows: a column per benchmark model; the meta model. Empty where unknown."""

    benchmarks: pd.DataFrame
    meta_model: pd.Series[float]


@dataclass(frozen=True)
class EraFigures:
    """What some eras say. `scores`: eras × columns by metric; `exposures`: eras × features of this version."""

    scores: Mapping[str, pd.DataFrame]
    exposures: pd.DataFrame


@dataclass(frozen=True)
class Subject:
    """What is evaluated: a version of a model (None for a plugin that needs no training) on a target.

    `embargo` counts the eras after the last training era that are left out.
    """

    model: str
    tournament: int
    version: str | None
    previous_version: str | None
    data_version: str
    target: str
    embargo: int


@dataclass(frozen=True)
class Evaluation:
    """A whole evaluation. `terms` are the payout settings that "payout" goes by, or why there are none."""

    subject: Subject
    scores: Mapping[str, pd.DataFrame]
    exposures: pd.DataFrame
    terms: PayoutTerms | NotKnown
    notes: tuple[str, ...] = ()
    diagnostics: DiagnosticsResult | None = None
    _summaries: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    @property
    def eras(self) -> list[str]:
        """The eras that were scored, oldest first."""
        return [str(era) for era in self.scores["corr"].index] if "corr" in self.scores else []

    @property
    def columns(self) -> list[str]:
        """Who is compared: this version, the one before, Numerai's models, the meta model."""
        return [str(name) for name in self.scores["corr"].columns] if "corr" in self.scores else []

    def summary(self, metric: str) -> pd.DataFrame:
        """Return the figures of a metric, columns × figures."""
        if metric not in self._summaries:
            self._summaries[metric] = summaries(self.scores[metric])
        return self._summaries[metric]

    def figure(self, metric: str, column: str, name: str) -> float:
        """Return one figure of a summary; nan where the metric was not measured for that column."""
        summary = self.summary(metric)
        return float(summary[name].get(column, np.nan))

    def change(self, metric: str) -> float:
        """Return by how much this version's mean is above the previous one's, on the eras that both have; else nan."""
        scores = self.scores.get(metric)
        if scores is None or any(name not in scores for name in OWN):
            return float("nan")
        both = scores[list(OWN)].dropna()
        return float((both[THIS] - both[PREVIOUS]).mean())

    def with_diagnostics(self, result: DiagnosticsResult) -> Evaluation:
        """Return the same with Numerai's own figures."""
        return replace(self, diagnostics=result)


def as_submitted(predictions: pd.DataFrame, eras: pd.Series[str]) -> pd.DataFrame:
    """Return percentile ranks within each era, strictly inside (0, 1), as a round would submit them."""
    grouped = predictions.groupby(eras, sort=False)
    ranked: pd.DataFrame = (grouped.rank(method="average") - 0.5) / grouped.transform("count")
    return ranked


def measured(
    own: pd.DataFrame,
    target: pd.Series[float],
    eras: pd.Series[str],
    *,
    others: Others,
    features: pd.DataFrame,
    neutralizers: Sequence[str],
) -> EraFigures:
    """Return every figure of some whole eras.

    `own` are the ranked predictions of this and the previous version; `features` hold those of the model and the
    `neutralizers`. Exposure is to all of them.
    """
    shown = as_submitted(others.benchmarks.assign(meta_model=others.meta_model).reindex(eras.index), eras)
    shown = shown.loc[:, shown.notna().any()] if len(shown.columns) else shown
    meta = shown.pop("meta_model") if "meta_model" in shown else pd.Series(np.nan, index=eras.index)
    together = pd.concat([own, shown], axis=1)
    table = EraTable(together.assign(**{"meta model": meta}) if meta.notna().any() else together, target, eras)
    scores = {"corr": table.corr(), "spearman": table.spearman(), "mae": table.mae()}
    if neutralizers:
        scores["fnc"] = table.feature_neutral_corr(features[list(neutralizers)])
    if meta.notna().any():
        scores["mmc"] = table.contribution(meta).drop(columns="meta model")
        scores["corr_with_meta_model"] = table.correlation_with(meta).drop(columns="meta model")
    if len(shown.columns):
        benchmark = shown.mean(axis=1, skipna=False)
        scores["bmc"] = table.contribution(benchmark)[list(own.columns)]
        scores["corr_with_benchmarks"] = table.correlation_with(benchmark)[list(own.columns)]
    table.forget()
    exposures = EraTable(own, target, eras).exposures(features)
    scores["exposure"] = exposures.strongest()
    return EraFigures(scores, exposures.of_features(THIS))


def joined(parts: Sequence[EraFigures], terms: PayoutTerms | NotKnown) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the scores of all eras by metric, with what they would have paid, and the exposures."""
    names = [name for name in UNITS if any(name in part.scores for part in parts)]
    whole = {name: _in_order([part.scores[name] for part in parts if name in part.scores]) for name in names}
    # A group of eras that others do not cover has no such metric at all; the tables have all eras nevertheless.
    whole = {name: frame.reindex(whole["corr"].index) for name, frame in whole.items()}
    if whole and isinstance(terms, PayoutTerms):
        paid = era_payouts(whole, terms)
        if isinstance(paid, pd.DataFrame) and paid.notna().any(axis=None):
            told = paid.notna().any()
            whole["payout"] = paid[[name for name in whole["corr"].columns if told.get(name, False)]]
    exposures = _in_order([part.exposures for part in parts]) if parts else pd.DataFrame()
    return {name: whole[name] for name in UNITS if name in whole}, exposures


def _in_order(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return parts below each other; columns in the order in which they appear, the meta model last."""
    together = pd.concat(parts)
    columns = [name for name in together.columns if name != "meta model"]
    columns += ["meta model"] * ("meta model" in together.columns)
    return together.reindex(index=pd.Index(era_order(together.index), name="era", dtype=object), columns=columns)


def exposure_table(evaluation: Evaluation) -> pd.DataFrame:
    """Return mean and largest absolute exposure over the eras for each feature, the strongest on average first."""
    exposures = evaluation.exposures
    found = pd.DataFrame({"mean": exposures.mean(), "max": exposures.abs().max()})
    return found.reindex(found["mean"].abs().sort_values(ascending=False, kind="stable").index)
