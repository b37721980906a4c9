"""A plugin of the original numebot, run over today's data.

    numebot import numebot PATH

writes such a row for each of its models. The old class finds the names that it imports (numebot.models.numerai_model,
numebot.data.data_manager …), its constructor gets the row or the name as it asks for, and its files (model_<name>.xgb,
other_files/ …) lie in a folder of its own, kept with the trained version. A file that was trained then knows other
features than there are today, so each model is trained anew: numebot train NAME.

A plugin that trains inside predict has the training rows kept for it and trains in every round, in the time limit of
its row. What asks Numerai anything, or reads the file of another model, fails and says so.
"""

from __future__ import annotations

import inspect
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from numebot.original import DataManager, FileNamesGetter, NumeraiModel, class_of, provide
from numebot.original.data import write_rows
from numebot.original.model import NoServer
from numebot.plugin import Model, PluginError, TrainingData

TRAINING_ROWS = "training.parquet"
_TRAINING_FRAMES = re.compile(r"\w\.((train|training|train_val|val|all)\b(?!\()|noisy_training\()")


class OriginalNumebot(Model):
    """Wraps an old class: `plugin` is its module as model_code had it, `folder` holds the old code."""

    def __init__(
        self,
        *,
        plugin: str = "",
        folder: str = "",
        name: str = "model",
        feature_set: str = "small",
        target: str = "target",
        parameters: Mapping[str, object] | str | None = None,
    ) -> None:
        provide(Path(folder))
        self.old_class = class_of(plugin)
        self.plugin = plugin
        self.name = name
        self.feature_set = feature_set
        self.target = target
        self.parameters = parameters or {}
        self.place: Path | None = None

    def fit(self, data: TrainingData) -> None:
        """Let the old class train, unless it does that in predict."""
        names = self._names()
        write_rows(data.X, names.data_training_path, target=data.y, eras=data.eras)
        write_rows(data.X.iloc[:0], names.data_tournament_path, target=data.y.iloc[:0], eras=data.eras.iloc[:0])
        train = getattr(self.old_class, "train_model", None)
        if train is None or "train_model(" in _source(self.old_class.predict):
            return
        old, manager = self._made(names), DataManager(names)
        old.train_model(manager.train if _takes_frames(self.old_class) else manager)  # type: ignore[attr-defined]
        if old.model is not None and not any(path.is_file() for path in names.model_folder(self.name).rglob("*")):
            old.save_model()

    def predict(self, live: pd.DataFrame) -> pd.Series:
        """Build the old class anew, as the original did each round, and ask it."""
        names = self._names(int(live.attrs.get("round", 0)))
        write_rows(live, names.data_tournament_path)
        old, manager = self._made(names), DataManager(names)
        answer: Any = old.predict(manager.tournament if _takes_frames(self.old_class) else manager)
        if answer is None:
            raise PluginError(f"{self.plugin} says that it is not ready. Train it: numebot train {self.name}")
        column: pd.Series = answer["prediction"] if isinstance(answer, pd.DataFrame) else answer
        return column.astype(float)

    def save(self, folder: Path) -> None:
        """Keep the files that it wrote, and the training rows where predict asks for them."""
        names = self._names()
        (folder / "plugin.txt").write_text(f"{self.plugin}\n")  # so that there is a file, whatever the plugin keeps
        shutil.copytree(names.models_folder, folder / "models", dirs_exist_ok=True)
        if _TRAINING_FRAMES.search(_source(self.old_class.predict)) or _trains_in_predict(self.old_class):
            shutil.copyfile(names.data_training_path, folder / TRAINING_ROWS)

    def load(self, folder: Path) -> None:
        """Take back what `save` kept."""
        self.place = None
        names = self._names()
        shutil.copytree(folder / "models", names.models_folder, dirs_exist_ok=True)
        if (folder / TRAINING_ROWS).exists():
            shutil.copyfile(folder / TRAINING_ROWS, self.place_of_rows())

    def place_of_rows(self) -> Path:
        """Return where the training rows lie, whatever the round."""
        assert self.place is not None, "made by _names"
        return self.place / TRAINING_ROWS

    def _names(self, round_number: int = 0) -> FileNamesGetter:
        if self.place is None:
            self.place = Path(tempfile.mkdtemp(dir=os.environ.get("TMPDIR")))
        names = FileNamesGetter(self.place, None, round_number)
        names.models_folder.mkdir(exist_ok=True)
        names.data_training_path = self.place_of_rows()
        return names

    def _made(self, names: FileNamesGetter) -> NumeraiModel:
        """Call the constructor with what its generation asks for: the row of the table, or the name."""
        signature = inspect.signature(self.old_class)
        row = pd.Series({"model_code": self.plugin, "parameters": self.parameters}, name=self.name)
        given: dict[str, Any] = {
            "config_row": row,
            "model_name": self.name,
            "file_names": names,
            "napi": NoServer(),
            "testing": False,
            "data": DataManager(names),
        }
        takes_any = any(each.kind is each.VAR_POSITIONAL for each in signature.parameters.values())
        if takes_any or signature == inspect.signature(NumeraiModel):
            return self.old_class(row, names, NoServer(), False)  # the base takes the name out of the row
        return self.old_class(**{name: given[name] for name in signature.parameters if name in given})


def _source(thing: object) -> str:
    try:
        return inspect.getsource(thing)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return ""


def _trains_in_predict(old_class: type[NumeraiModel]) -> bool:
    return "train_model(" in _source(old_class.predict)


def _takes_frames(old_class: type[NumeraiModel]) -> bool:
    """Whether predict is of the first generation, which got the frame itself and not a DataManager."""
    if old_class.predict is NumeraiModel.predict:
        return False
    first = list(inspect.signature(old_class.predict).parameters.values())[1]
    return "DataFrame" in str(first.annotation) or (first.annotation is first.empty and first.name != "data")
