"""The first half of the pipeline: data → predictions → checks, for one model of one round."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from numebot.adapters.predictions import PredictionFiles
from numebot.core.checks import read_submission, require_submission, submission_csv, to_submission
from numebot.core.ports import Clock
from numebot.core.submissions import has_reached, moved_on, started_over
from numebot.core.types import ModelConfig, State, Submission
from numebot.steps.journal import Journal
from numebot.steps.ladder import Ladder, Source
from numebot.steps.live_files import LiveFiles


class Predictor:
    """Brings a model to "checked": its predictions and a legal file for upload, both durable."""

    def __init__(self, ladder: Ladder, files: PredictionFiles, clock: Clock) -> None:
        self._ladder = ladder
        self._files = files
        self._clock = clock

    def bring_to_checked(
        self,
        row: Submission,
        config: ModelConfig,
        files: LiveFiles,
        journal: Journal,
        *,
        rung: str | None = None,
        source: Source | None = None,
    ) -> Submission:
        """Predict and check, unless that is done already from the very same inputs.

        `source` is that of `rung`, where it is known already.
        Raises: PluginError, CheckFailed, Unavailable, LocalTrouble.
        """
        source = source or self._ladder.source(config, row, rung, files)
        if row.inputs_sha256 not in (None, source.key) and not has_reached(row, State.UPLOADED):
            words = "data, code, trained version or fallback changed: predicting again"
            row = journal.change(row, started_over(row), words)
        if row.step is State.CHECKED and not self.has_file(row):
            row = journal.change(row, started_over(row), "the file for upload is gone or changed: predicting again")
        raw = self._files.raw(row) if row.step is State.PREDICTED else None
        if raw is None and not has_reached(row, State.CHECKED):
            row, raw = self._predicted(row, source, journal, rung)
        if raw is not None:
            began = self._clock.monotonic()
            sha256 = self._write_checked(raw, config, source, path=self.file_of(row))
            done, lasted_s = moved_on(row, State.CHECKED, sha256=sha256), round(self._clock.monotonic() - began, 2)
            row = journal.change(row, done, f"checked, sha256 {sha256[:12]}…", lasted_s=lasted_s)
        return row

    def source(self, row: Submission, config: ModelConfig, files: LiveFiles, *, rung: str | None) -> Source:
        """Return where the predictions of a rung come from. Raises: as `bring_to_checked`."""
        return self._ladder.source(config, row, rung, files)

    def fetch_early(self, config: ModelConfig, files: LiveFiles) -> None:
        """Get the live data that a model will most likely need. Never raises."""
        self._ladder.fetch_early(config, files)

    def is_to_predict(self, row: Submission, source: Source) -> bool:
        """Whether `bring_to_checked` will ask the source for predictions."""
        if has_reached(row, State.UPLOADED):
            return False
        if row.inputs_sha256 != source.key or row.step is State.PENDING:
            return True
        return not self.has_file(row) if row.step is State.CHECKED else self._files.raw(row) is None

    def _predicted(
        self, row: Submission, source: Source, journal: Journal, rung: str | None
    ) -> tuple[Submission, pd.Series]:
        began = self._clock.monotonic()
        if source.request is not None and source.took_s is None:
            row = journal.change_quietly(row, replace(row, begun_at=self._clock.now()))
        raw = source.predict()
        self._files.keep_raw(row, raw)
        name = source.trained.version if source.trained else None
        done = moved_on(row, State.PREDICTED, inputs_sha256=source.key, trained_version=name, rung=rung)
        took_s = round(source.took_s() if source.took_s else self._clock.monotonic() - began, 2)
        words = f"predicted {len(raw):,} ids {source.words}".rstrip()
        words = f"{words} (fallback: {rung})" if rung else words
        # A replay must know which predictions it was that an ensemble combined.
        details = {"members": dict(source.members)} if source.members else {}
        return journal.change(row, done, words, took_s=took_s, rung=rung, **details), raw

    def rehearse(
        self, row: Submission, config: ModelConfig, files: LiveFiles, made: dict[str, pd.Series]
    ) -> Submission:
        """Do the same for a dry run: nothing is written down but a file beside the real one.

        `made` are the predictions of the rehearsal so far, which an ensemble is made of; this one's are added.
        """
        source = self._ladder.source(config, row, None, files, made)
        raw = made[config.name] = source.predict()
        sha256 = self._write_checked(raw, config, source, path=self._files.rehearsal_path(row))
        name = source.trained.version if source.trained else None
        return replace(moved_on(row, State.CHECKED, sha256=sha256), trained_version=name)

    def has_file(self, row: Submission) -> bool:
        """Whether the file for upload of a row is there, unchanged."""
        return self._files.has_submission(self.file_of(row), row.sha256)

    def file_of(self, row: Submission) -> Path:
        """Return where the file for upload of a row lies."""
        return self._files.submission_path(row)

    def _write_checked(self, raw: pd.Series, config: ModelConfig, source: Source, *, path: Path) -> str:
        live = source.live
        submission = to_submission(raw, live.ids, source.scale())
        content = submission_csv(submission, id_column=str(live.ids.name))
        # What is checked is what will be sent: the bytes, read back.
        require_submission(read_submission(content), live.ids, config.tournament)
        return self._files.keep_submission(path, content)
