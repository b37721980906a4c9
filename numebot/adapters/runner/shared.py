"""Frames that plugins' processes map from one file: written once, however many models want the same."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from numebot.adapters.runner.asking import LivePort
from numebot.adapters.runner.description import Plugin
from numebot.adapters.runner.frames import share
from numebot.adapters.runner.scratch import Scratch
from numebot.core.types import TrainedVersion


@dataclass(eq=False)
class SharedFrame:
    """Live rows that lie in a file already. `live` is kept so that nothing else gets its identity."""

    live: object
    path: Path
    ids: pd.Index


class SharedFrames:
    """The frames of a pass, in its scratch folder."""

    def __init__(self) -> None:
        self._frames: dict[tuple[int, tuple[str, ...]], SharedFrame] = {}

    def clear(self) -> None:
        """Forget the files; who made the scratch folder removes them."""
        self._frames.clear()

    def live(self, files: Scratch, live: LivePort, plugin: Plugin, trained: TrainedVersion | None) -> SharedFrame:
        """Write the live rows with a model's features once. Raises as `live.frame` does."""
        features = live.features(plugin.feature_set, trained)
        key = (id(live), features)
        if key not in self._frames:
            frame = live.frame(plugin.feature_set, trained).copy()  # a copy lies in one piece
            path = files.new("data/live")
            share((frame, None), path)
            self._frames[key] = SharedFrame(live, path, frame.index)
        return self._frames[key]


def shared_for_a_call(files: Scratch, name: str, content: object, stack: ExitStack) -> Path:
    """Write frames for one call; the file goes when `stack` is closed."""
    path = files.new(f"data/{name}")
    stack.callback(path.unlink, missing_ok=True)
    share(content, path)
    return path
