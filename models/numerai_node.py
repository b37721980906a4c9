"""A node folder of numerai-cli, run as it is: its predict.py, in a virtual environment of its own.

    numebot import node PATH --model NAME

makes the environment from its requirements.txt and writes the row. For each prediction the folder is copied, so that
it stays as it is, and predict.py runs in the copy. Instead of numerapi it finds a stand-in: download_dataset gives the
round's files that `files` names (live.parquet alone, unless the row says more), upload_predictions keeps the
predictions for numebot and sends nothing. Everything else of numerapi is refused. A file predictions.csv counts where
nothing was "uploaded"; where several models were, `model_id` says which one this row is for.

What it trains on first use is gone with the copy: run its training once in the folder itself, or it trains each round,
in the time limit of its row. It gets no key (NUMERAI_PUBLIC_ID and NUMERAI_SECRET_KEY are blank) and no network unless
the row says so. Before numebot plays a model, remove its webhook on numer.ai, or the node in the cloud submits as well.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import numebot.stand_in
from numebot.plugin import Model, PluginError
from numebot.programs import read_answer, round_variables, run_program, write_rows

LIVE = "live.parquet"
_LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", ".venv", "venv", "predictions.csv")


class NumeraiNode(Model):
    """Runs `script` in a copy of `folder` with the interpreter `python`."""

    def __init__(
        self,
        *,
        folder: str = "",
        python: str = "",
        script: str = "predict.py",
        model_id: str = "",
        files: Sequence[str] = (LIVE,),
        feature_set: str = "small",
    ) -> None:
        self.folder = Path(folder)
        self.python = python
        self.script = script
        self.model_id = model_id
        self.files = tuple(dict.fromkeys((LIVE, *files)))
        self.feature_set = feature_set
        if not (self.folder / script).is_file():
            raise PluginError(f"{self.folder / script} is not there, or the column readable does not name its folder.")

    def predict(self, live: pd.DataFrame) -> pd.Series:
        """Run the node and take over what it would have uploaded."""
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
            place = Path(name)
            work, files, uploads = place / "node", place / "files", place / "uploads"
            shutil.copytree(self.folder, work, ignore=_LEFT_OUT)
            for folder in (files, uploads):
                folder.mkdir()
            for file, path in live.attrs.get("files", {}).items():
                (files / file).symlink_to(path)
            if not (files / LIVE).exists():
                write_rows(live, files / LIVE)
            semaphores = os.environ.get("PYTHONPATH")
            variables = {
                "PYTHONPATH": os.pathsep.join(filter(None, (str(numebot.stand_in.FOLDER), semaphores))),
                "MODEL_ID": self.model_id,
                "NUMERAI_PUBLIC_ID": "",
                "NUMERAI_SECRET_KEY": "",
                "TRIGGER_ID": "",
                "NUMEBOT_FILES": str(files),
                "NUMEBOT_UPLOADS": str(uploads),
            }
            run_program([self.python, self.script], folder=work, variables=variables | round_variables(live))
            return read_answer(self._chosen(uploads, work), self.script)

    def _chosen(self, uploads: Path, work: Path) -> Path:
        """Return the newest upload for this model, or predictions.csv where there was none at all."""
        kept = sorted(uploads.iterdir(), key=lambda path: int(path.stem.partition("-")[0]))
        if not kept:
            return work / "predictions.csv"
        ids = {path.stem.partition("-")[2] for path in kept}
        if self.model_id not in ids and len(ids) > 1:
            raise PluginError(
                f"{self.script} predicted for the models {', '.join(sorted(ids))}. Say which one this row is for:"
                ' {"model_id": "…"}.'
            )
        wanted = self.model_id if self.model_id in ids else next(iter(ids))
        return [path for path in kept if path.stem.partition("-")[2] == wanted][-1]
