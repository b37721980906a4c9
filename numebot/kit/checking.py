"""Does a plugin keep the contract? The same checks as check_model, and then a prediction just as a round makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numebot.adapters.artifacts import Artifacts
from numebot.adapters.datasets import KeptFiles, LiveData
from numebot.adapters.runner.asking import Measured
from numebot.adapters.runner.runner import Runner
from numebot.core.checks import read_submission, require_submission, submission_csv, to_submission
from numebot.core.errors import CheckFailed, LocalTrouble, PluginError, Unavailable
from numebot.core.types import ModelConfig, TrainedVersion

PROMISES: Mapping[str, str] = {
    "predict": "one number per id",
    "finite": "numbers are finite",
    "spread": "numbers are not all equal",
    "scale": "numbers are in range",
    "order": "ids keep their numbers in any order",
    "input": "input stays untouched",
    "repeatable": "same input, same output",
    "saving": "survives save and load",
}
"""What check_model looks at, by the word that its findings begin with."""
ROUND = "a round's prediction is legal and within the limits"
LOADS = "loads and describes itself"


@dataclass(frozen=True)
class Finding:
    """One promise of the contract: kept (True), broken (False), or not looked at (None), with words."""

    promise: str
    is_kept: bool | None
    words: str = ""


@dataclass(frozen=True)
class CheckReport:
    """What the check of one model found. `rows` says which rows were used."""

    model: str
    code: str
    rows: str
    trained_version: str | None
    findings: tuple[Finding, ...]

    @property
    def is_kept(self) -> bool:
        """Whether nothing is broken."""
        return all(finding.is_kept is not False for finding in self.findings)


class Checker:
    """Checks plugins in processes of their own, on the newest live file of this machine where there is one."""

    def __init__(self, runner: Runner, artifacts: Artifacts, kept: KeptFiles) -> None:
        self._runner = runner
        self._artifacts = artifacts
        self._kept = kept

    def check(self, config: ModelConfig) -> CheckReport:
        """Check the plugin of a row. Whatever is wrong with it stands in the report. Raises: LocalTrouble."""
        trained: TrainedVersion | None = None
        live: LiveData | None = None
        rows = "made-up rows: no live file is on this machine yet"
        try:
            if config.problem is not None:
                raise PluginError(config.problem)
            if not config.code:
                raise PluginError("its row has no model_code.")
            plugin = self._runner.describe(config)
            if plugin.needs_training:
                trained = self._artifacts.current(config.name, config.tournament)
            live = self._live(config, trained)
            if live is not None:
                try:
                    live.features(plugin.feature_set, trained)
                except Unavailable as error:
                    live, rows = None, f"made-up rows: {error}"
                else:
                    rows = f"live file of round {live.round_number}, {live.version}, {len(live.ids):,} ids"
            findings = [Finding(LOADS, True), *self._promises(config, live, trained)]
            findings.append(self._as_in_a_round(config, live, trained, needs_training=plugin.needs_training))
        except PluginError as error:
            findings = [Finding(LOADS, False, str(error))]
        return CheckReport(config.name, config.code, rows, trained.version if trained else None, tuple(findings))

    def _live(self, config: ModelConfig, trained: TrainedVersion | None) -> LiveData | None:
        newest = self._kept.newest_round(config.tournament)
        try:
            version = trained.data_version if trained else None
            return None if newest is None else self._kept.live(newest, config.tournament, version)
        except Unavailable:
            return None  # a file that cannot be read says nothing about the plugin

    def _promises(self, config: ModelConfig, live: LiveData | None, trained: TrainedVersion | None) -> list[Finding]:
        try:
            found = self._runner.check(config, live=live, trained=trained)
        except PluginError as error:
            found = [f"error: {error}"]
        broken: dict[str, str] = {}
        for one in found:
            word, _, words = one.partition(": ")
            broken[word] = f"{broken[word]} {words}" if word in broken else words
        raised = broken.pop("error", None)
        findings = [] if raised is None else [Finding("works at all", False, raised)]
        is_cut_short = raised is not None or "predict" in broken
        for word, promise in PROMISES.items():
            about = broken.pop(word, None)
            is_kept = False if about is not None else None if is_cut_short else True
            findings.append(Finding(promise, is_kept, about or ""))
        return findings + [Finding(word, False, words) for word, words in broken.items()]

    def _as_in_a_round(
        self, config: ModelConfig, live: LiveData | None, trained: TrainedVersion | None, *, needs_training: bool
    ) -> Finding:
        if config.is_ensemble:
            return Finding(ROUND, None, "an ensemble: numebot run --dry-run plays it with its members")
        if needs_training and trained is None:
            return Finding(ROUND, None, f"not trained yet: numebot train {config.name}")
        if live is None:
            return Finding(ROUND, None, "no live file is on this machine yet")
        try:
            measured = self._runner.measure(config, trained, live)
            submission = to_submission(measured.predictions, live.ids, self._runner.scale_of(config, trained))
            content = submission_csv(submission, id_column=str(live.ids.name))
            require_submission(read_submission(content), live.ids, config.tournament)
        except (PluginError, CheckFailed, LocalTrouble) as error:
            return Finding(ROUND, False, str(error))
        return Finding(ROUND, True, _took(measured))


def _took(measured: Measured) -> str:
    limits = measured.limits
    return f"{measured.seconds:.1f} s of {limits.time_s:,.0f} s, {measured.peak_mb:,.0f} MB of {limits.memory_mb:,} MB"
