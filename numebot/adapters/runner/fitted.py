"""A plugin that has learned: what it saved, and a way to ask it."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from numebot.adapters.runner.scratch import remove

Learned = Path
Predict = Callable[[Learned, pd.DataFrame, pd.Series | None], pd.Series]
"""Gets the folder of what was learned, rows, and the groups to predict apart."""


class FittedPlugin:
    """What a plugin saved after fit. Each question loads that in a process of its own, as a round will."""

    def __init__(self, folder: Path, predict: Predict, libraries: Mapping[str, str]) -> None:
        self.libraries = libraries
        """Versions of the libraries that were loaded when it learned."""
        self._folder = folder
        self._predict = predict
        weakref.finalize(self, remove, folder)

    def predict(self, frame: pd.DataFrame) -> pd.Series:
        """Return one float per row of `frame`, in its order. Raises: PluginError."""
        return self._predict(self._folder, frame, None)

    def predict_each(self, frame: pd.DataFrame, groups: pd.Series) -> pd.Series:
        """Return the same, where rows of different groups never meet in one call of the plugin. Raises: PluginError."""
        return self._predict(self._folder, frame, groups)

    def save(self, folder: Path) -> None:
        """Copy what it learned into a folder that is there and empty."""
        shutil.copytree(self._folder, folder, dirs_exist_ok=True)
