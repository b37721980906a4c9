"""The first half of the pipeline: data → predictions → checks, for one model of one round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from numebot.adapters.artifacts import Artifacts
from numebot.adapters.datasets import LiveData
from numebot.adapters.predictions import PredictionFiles
from numebot.adapters.runner import Runner
from numebot.core.checks import read_submission, require_submission, submission_csv, to_submission
from numebot.core.submissions import has_reached, inputs_key, moved_on, started_over
from numebot.core.types import ModelConfig, State, Submission, TrainedVersion
from numebot.steps.live_files import LiveFiles

Change = Callable[[Submission, Submission, str], Submission]
"""Writes one state change down and returns the row as it stands then."""


class Predictor:
    """Brings a model to "checked": its plugin's predictions and a legal file for upload, both durable."""

    def __init__(self, runner: Runner, artifacts: Artifacts, files: PredictionFiles) -> None:
        self._runner = runner
        self._artifacts = artifacts
        self._files = files

    def bring_to_checked(self, row: Submission, config: ModelConfig, files: LiveFiles, change: Change) -> Submission:
        """Predict and check, unless that is done already from the very same inputs.

        Raises: PluginError, CheckFailed, Unavailable, LocalTrouble.
        """
        version = self._runner.version_for(config, self._artifacts)
        live = files.for_model(version)
        key = self._inputs(config, version, live)
        if row.inputs_sha256 not in (None, key) and not has_reached(row, State.UPLOADED):
            row = change(row, started_over(row), "data, code or trained version changed: predicting again")
        if row.step is State.CHECKED and not self._files.has_submission(self.file_of(row), row.sha256):
            row = change(row, started_over(row), "the file for upload is gone or changed: predicting again")
        raw = self._files.raw(row) if row.step is State.PREDICTED else None
        if raw is None and not has_reached(row, State.CHECKED):
            raw = self._runner.predict(config, version, live)
            self._files.keep_raw(row, raw)
            name = version.version if version else None
            done = moved_on(row, State.PREDICTED, inputs_sha256=key, trained_version=name)
            row = change(row, done, f"predicted {len(raw):,} ids{f' with {name}' if name else ''}")
        if raw is not None:
            sha256 = self._write_checked(raw, config, version, live=live, path=self.file_of(row))
            row = change(row, moved_on(row, State.CHECKED, sha256=sha256), f"checked, sha256 {sha256[:12]}…")
        return row

    def rehearse(self, row: Submission, config: ModelConfig, files: LiveFiles) -> Submission:
        """Do the same for a dry run: nothing is written down but a file beside the real one."""
        version = self._runner.version_for(config, self._artifacts)
        live = files.for_model(version)
        raw = self._runner.predict(config, version, live)
        sha256 = self._write_checked(raw, config, version, live=live, path=self._files.rehearsal_path(row))
        name = version.version if version else None
        return replace(moved_on(row, State.CHECKED, sha256=sha256), trained_version=name)

    def file_of(self, row: Submission) -> Path:
        """Return where the file for upload of a row lies."""
        return self._files.submission_path(row)

    def _write_checked(
        self, raw: pd.Series, config: ModelConfig, version: TrainedVersion | None, *, live: LiveData, path: Path
    ) -> str:
        submission = to_submission(raw, live.ids, self._runner.scale_of(config, version))
        content = submission_csv(submission, id_column=str(live.ids.name))
        # What is checked is what will be sent: the bytes, read back.
        require_submission(read_submission(content), live.ids, config.tournament)
        return self._files.keep_submission(path, content)

    def _inputs(self, config: ModelConfig, version: TrainedVersion | None, live: LiveData) -> str:
        return inputs_key(
            round=live.round_number,
            data=live.sha256,
            code=self._runner.code_sha256(config),
            version=version.sha256 if version else None,
            parameters=dict(config.parameters),
        )
