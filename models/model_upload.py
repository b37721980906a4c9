"""A pickle made for Numerai's Model Upload, run here: a function of the live features, pinned by its sha256.

    numebot import pickle predict.pkl --model my_model

copies it below the data folder and writes the row. The function has one or two parameters, (live_features) or
(live_features, live_benchmark_models); both are Numerai's whole files, index id, as Numerai gives them to it. It
returns a DataFrame with the ids as index and the predictions in its first column.

A pickle runs code when it is loaded, so that happens only here, inside the plugin's own process. Before, it is read as
data: what wrote it is compared with what is installed, see `accept_versions` and `python`.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from numebot.pickle_origin import origin_of
from numebot.plugin import Model, PluginError

LIVE, BENCHMARKS = "live.parquet", "live_benchmark_models.parquet"


class ModelUpload(Model):
    """Calls a pickled function. `feature_set` only matters for a check without a round; for Signals say "all".

    `python` is the version that wrote the pickle, e.g. "3.12", where the owner knows it. `accept_versions` runs it
    whatever its library versions are; another Python is never accepted.
    """

    def __init__(
        self,
        *,
        path: str = "",
        sha256: str = "",
        python: str = "",
        accept_versions: bool = False,
        feature_set: str = "small",
        scale: str | None = "rank",
    ) -> None:
        content = _pinned(path, sha256)
        _require_fitting(content, Path(path).name, python, accept_versions=accept_versions)
        self.function = _loaded(content, Path(path).name)
        self.wants_benchmarks = _parameter_count(self.function, Path(path).name) == 2
        self.feature_set = feature_set
        self.scale = scale
        self.files = (LIVE, BENCHMARKS) if self.wants_benchmarks else (LIVE,)

    def predict(self, live: pd.DataFrame) -> pd.Series:
        """Give the function Numerai's whole files, and return its first column."""
        files = live.attrs.get("files", {})
        features = pd.read_parquet(files[LIVE]) if LIVE in files else live
        if not self.wants_benchmarks:
            return _first_column(self.function(features))
        if BENCHMARKS not in files:
            raise PluginError("the function wants live_benchmark_models, which only a round has.")
        return _first_column(self.function(features, pd.read_parquet(files[BENCHMARKS])))


def _pinned(path: str, sha256: str) -> bytes:
    """Return the bytes of a pickle, the very ones that were hashed."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise PluginError(
            f"{path or 'path (blank)'} cannot be read ({error.strerror}). The column readable has to name it;"
            " numebot import pickle writes such a row."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256.lower():
        raise PluginError(
            f"{Path(path).name} has the sha256 {found}, and its row pins {sha256 or 'none'}. It was not loaded: a"
            " pickle runs code. If it is the one you want, import it again."
        )
    return content


def _require_fitting(content: bytes, name: str, python: str, *, accept_versions: bool) -> None:
    try:
        origin = origin_of(content)
    except ValueError as error:
        raise PluginError(f"{name}: {error}.") from error
    problems = origin.problems(stated_python=python)
    if accept_versions:
        problems = [problem for problem in problems if "scikit-learn" not in problem]
    if problems:
        raise PluginError(f"{name} was not loaded. {' '.join(problems)}")


def _loaded(content: bytes, name: str) -> Callable[..., Any]:
    try:
        function = pd.read_pickle(io.BytesIO(content))
    except (pickle.UnpicklingError, TypeError, AttributeError, ImportError, EOFError, SystemError, ValueError) as error:
        raise PluginError(
            f"{name} cannot be loaded ({type(error).__name__}: {error}). Mostly it was written by another Python or"
            " with other library versions: pickle it again with those that are installed here."
        ) from error
    if not callable(function):
        raise PluginError(f"{name} holds a {type(function).__name__}. Allowed: a function.")
    found: Callable[..., Any] = function
    return found


def _parameter_count(function: Callable[..., Any], name: str) -> int:
    count = len(inspect.signature(function).parameters)
    if count not in (1, 2):
        raise PluginError(
            f"{name}: its function has {count} parameters. Allowed: (live_features) or"
            " (live_features, live_benchmark_models)."
        )
    return count


def _first_column(answer: object) -> pd.Series:
    if isinstance(answer, pd.Series):
        return answer
    if not isinstance(answer, pd.DataFrame) or not answer.shape[1]:
        raise PluginError(
            f"the function returned a {type(answer).__name__}. Allowed: a DataFrame with the ids as index."
        )
    column: pd.Series = answer.iloc[:, 0]
    return column
