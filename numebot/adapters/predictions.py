"""The files that one round leaves behind: raw predictions as the plugin gave them, and the CSV that is uploaded."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pandas as pd

from numebot.core.types import Submission, Tournament
from numebot.durable import write_whole


class PredictionFiles:
    """Where predictions and submissions lie below the data folder. Every file appears whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def raw_path(self, row: Submission) -> Path:
        """Return where the plugin's own predictions of a round lie."""
        return self._folder / "data" / "rounds" / str(row.round_number) / "predictions" / f"{_label(row)}.parquet"

    def submission_path(self, row: Submission) -> Path:
        """Return where the file for upload lies; the place and name that the original numebot used."""
        return self._folder / "submissions" / _label(row) / f"{row.model}_submission_{row.round_number}.csv"

    def rehearsal_path(self, row: Submission) -> Path:
        """Return where a dry run leaves its file: never in the place of one that was or will be uploaded."""
        return self.submission_path(row).with_suffix(".dry-run.csv")

    def keep_raw(self, row: Submission, predictions: pd.Series) -> None:
        """Write predictions (index id) as parquet. Raises: LocalTrouble."""
        buffer = io.BytesIO()
        predictions.to_frame("prediction").to_parquet(buffer)
        write_whole(self.raw_path(row), buffer.getvalue())

    def raw(self, row: Submission) -> pd.Series | None:
        """Return what `keep_raw` wrote; None when it is not there or not readable any more."""
        try:
            frame = pd.read_parquet(self.raw_path(row))
        except (OSError, ValueError):
            return None
        return frame.get("prediction")

    def keep_submission(self, path: Path, content: bytes) -> str:
        """Write a file for upload and return its sha256. Raises: LocalTrouble."""
        write_whole(path, content)
        return hashlib.sha256(content).hexdigest()

    def has_submission(self, path: Path, sha256: str | None) -> bool:
        """Whether the file for upload is there and is still the one with this sha256."""
        return sha256 is not None and path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _label(row: Submission) -> str:
    """Return the name of a model's folder: names are unique within a tournament only, and Classic keeps plain ones."""
    if row.tournament == Tournament.CLASSIC:
        return row.model
    return f"{row.model}@{Tournament(row.tournament).name.lower()}"
