"""What happens inside a plugin's process: find its code, build it, and let it do the one thing that was asked."""

from __future__ import annotations

import hashlib
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.adapters.runner.code import Code, build, find_code
from numebot.adapters.runner.description import as_message, described
from numebot.adapters.runner.frames import shared
from numebot.adapters.runner.guard import plugin_call
from numebot.adapters.runner.requests import Request, Task
from numebot.adapters.runner.rows_file import mapped_rows
from numebot.adapters.runner.wire import Message, receive, send
from numebot.core.errors import PluginError
from numebot.core.predictions import aligned
from numebot.core.staging import StagedRows
from numebot.plugin import Ensemble, Model, TrainingData, check_model

RESULT = "predictions.npy"
"""Name of the file with the predictions in the scratch folder: float64, in the order of the ids."""
SAVED = "saved"
"""Name of the folder that a plugin saves into after fit."""

LIBRARIES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "catboost": "catboost",
    "torch": "torch",
}
"""Modules whose version goes into a manifest, and how they are called when installed."""

Answer = dict[str, object]
AllowMemory = Callable[[int], None]
"""Called with the size of a file in bytes before it is mapped."""


def perform(request: Request, channel: socket.socket, allow_memory: AllowMemory) -> Answer:
    """Do what is asked and return the answer for numebot. Raises: PluginError."""
    code = find_code(request.code, request.folders)
    call = _Call(request, channel, allow_memory, code, build(code, request.parameters))
    with plugin_call(f"description of {request.code}", code.source):
        answer: Answer = {"plugin": as_message(described(call.model, code))}
    match request.task:
        case Task.PREDICT:
            return answer | call.predict(answer)
        case Task.FIT:
            return answer | call.fit(answer)
        case Task.CHECK:
            return answer | call.check(answer)
        case _:
            return answer


@dataclass(frozen=True)
class _Call:
    request: Request
    channel: socket.socket
    allow_memory: AllowMemory
    code: Code
    model: Model

    def predict(self, description: Answer) -> Answer:
        """Predict every frame that numebot gives; each is one call of the plugin's predict."""
        given = self._asked_for(description)
        about = given.get("about")
        if self.request.trained:
            self._plugin("load", lambda: self.model.load(cast(Path, self.request.trained)))
        frame, groups = cast(tuple[pd.DataFrame, pd.Series | None], self._mapped(str(given["data"])))
        frame.attrs = dict(about) if isinstance(about, dict) else {}
        parts = [frame] if groups is None else [rows for _, rows in frame.groupby(groups, sort=False)]
        # The plugin may do to its frame what it likes: the order of the ids is remembered here.
        ids = [part.index.copy(deep=True) for part in parts]
        members = self._members(given)
        found = [self._predicted(part, known, members) for part, known in zip(parts, ids, strict=True)]
        np.save(self.request.scratch / RESULT, np.concatenate(found), allow_pickle=False)
        return {"ids_sha256": ids_sha256([id for known in ids for id in known])}

    def fit(self, description: Answer) -> Answer:
        """Learn, and save what was learned into an empty folder."""
        data = self._training(self._asked_for(description))
        self._plugin("fit", lambda: self.model.fit(data))
        folder = self.request.scratch / SAVED
        folder.mkdir()
        self._plugin("save", lambda: self.model.save(folder))
        return {"libraries": _library_versions()}

    def _training(self, given: Message) -> TrainingData:
        found = self._mapped(str(given["data"]))
        memory = given.get("memory_bytes")
        limit = memory if isinstance(memory, int) else None
        if isinstance(found, StagedRows):
            if self.model.takes != "batches":
                self.allow_memory(found.size_bytes)
            return mapped_rows(found, is_read_only=self.model.takes == "batches", memory_bytes=limit)
        return replace(cast(TrainingData, found), memory_bytes=limit)

    def check(self, description: Answer) -> Answer:
        """Go through the plugin contract, on the rows that numebot gives or on made-up ones."""
        given = self._asked_for(description)
        live = None if given["data"] is None else cast(tuple[pd.DataFrame, None], self._mapped(str(given["data"])))[0]
        with plugin_call(f"check of {self.request.code}", self.code.source):
            return {"findings": check_model(self.model, live=live, learned=self.request.trained)}

    def _members(self, given: Message) -> pd.DataFrame | None:
        if not isinstance(self.model, Ensemble):
            return None
        if "members" not in given:
            name = type(self.model).__name__
            words = 'is_ensemble has to be True in its row, and its parameters have to name them: {"members": [...]}.'
            raise PluginError(f"{name} is an ensemble and got no predictions of members. {words}")
        return cast(pd.DataFrame, self._mapped(str(given["members"])))

    def _predicted(self, frame: pd.DataFrame, ids: pd.Index, members: pd.DataFrame | None) -> npt.NDArray[np.float64]:
        model = self.model
        # What it gave is an object of the plugin: looking into it may run the plugin's code again.
        if isinstance(model, Ensemble) and members is not None:
            column = self._plugin("combine", lambda: aligned(model.combine(members, frame), ids))
        else:
            column = self._plugin("predict", lambda: aligned(model.predict(frame), ids))
        return cast(pd.Series, column).to_numpy(dtype=np.float64)

    def _plugin(self, method: str, call: Callable[[], object]) -> object:
        with plugin_call(f"{type(self.model).__name__}.{method}", self.code.source):
            return call()

    def _asked_for(self, description: Answer) -> Message:
        """Tell numebot what the plugin is, and wait for the place of its data."""
        send(self.channel, {"described": description["plugin"]})
        reply = receive(self.channel)
        if reply is None:
            raise PluginError("numebot did not answer.")
        return reply

    def _mapped(self, place: str) -> object:
        path = Path(place)
        self.allow_memory(path.stat().st_size)
        return shared(path)


def _library_versions() -> dict[str, str]:
    """Return the versions of what is loaded and decides whether a trained model still loads."""
    loaded = {installed: sys.modules[name] for name, installed in LIBRARIES.items() if name in sys.modules}
    return {installed: str(getattr(module, "__version__", "unknown")) for installed, module in loaded.items()}


def ids_sha256(ids: list[object]) -> str:
    """Return a digest of ids in their order."""
    return hashlib.sha256("\n".join(map(str, ids)).encode("utf-8", "backslashreplace")).hexdigest()
