"""The base class that plugins of the original numebot inherit from, in all its generations."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from typing import Any

import pandas as pd

from numebot.core.errors import PluginError
from numebot.original.columns import NC
from numebot.original.names import FileNamesGetter


class NoServer:
    """Stands where the original had numerapi: every question is answered by a sentence."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def refuse(*arguments: object, **named: object) -> Any:
            raise PluginError(f"it asked Numerai ({name}). numebot submits, confirms and fetches results itself now.")

        return refuse


class NumeraiModel(ABC):
    """A model as the original knew it. The first argument is its name, or the row of the table, whose name that is."""

    def __init__(
        self,
        model_name: Any = None,
        file_names: FileNamesGetter | None = None,
        napi: Any = None,
        testing: bool = False,
        config_row: Any = None,
    ) -> None:
        row = config_row if config_row is not None else model_name
        if isinstance(row, pd.Series):
            self.config_row = row
            self.model_code = row.get(NC.model_code, "")
        self.name = str(row.name if isinstance(row, pd.Series) else row)
        assert file_names is not None, "the original always gave it"
        self.names = file_names
        self.napi = napi if napi is not None else NoServer()
        self.testing = testing
        self.model_ready = False
        self.model = self.load_model()

    @abstractmethod
    def load_model(self) -> Any:
        """Return the model, and set model_ready where it can predict."""

    def predict(self, data: Any, to_be_saved_for_submission: bool = False) -> pd.DataFrame | None:
        """Return one prediction per row of the tournament, or None where the model is not ready."""
        if not self.model_ready and self.model is None:
            return None
        rows = data if isinstance(data, pd.DataFrame) else data.tournament
        features = [name for name in rows.columns if str(name).startswith("feature")]
        return pd.DataFrame({NC.prediction: self.model.predict(rows[features])}, index=rows.index)

    def save_model(self) -> None:
        """Write the model where `load_model` looks for it; an older one is kept beside it."""
        path = self.names.model_path(self.name)
        if path.exists():
            save_bak_version(path)
        self.model.save_model(path)

    def save_for_submission(self, output: pd.DataFrame) -> None:
        """Keep the predictions as the original did; what is submitted is what predict returns."""
        path = self.names.model_submission_path(self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        output.to_csv(path, header=True)

    def info(self) -> None:
        """Print what this is."""
        print(f"Model {self.name}, file {self.names.model_path(self.name).name}")  # noqa: T201 # goes to the model's log

    @property
    def models_dict(self) -> Any:
        """The account's models; not for plugins any more."""
        return self.napi.get_models()

    @property
    def leaderboard(self) -> Any:
        """The leaderboard; not for plugins any more."""
        return self.napi.get_leaderboard()

    def submit_predictions(self, force_resubmission: bool = False) -> None:
        """Refuse: numebot submits."""
        self.napi.upload_predictions()


def save_bak_version(path: Any) -> None:
    """Keep a copy of a file under a name of its own."""
    shutil.copyfile(path, f"{path}.bak")
