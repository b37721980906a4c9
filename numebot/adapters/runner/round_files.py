"""What a plugin is told of the round beside its rows, and the files of Numerai that it asks for by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from numebot.durable import local_trouble


@runtime_checkable
class RoundPort(Protocol):
    """Live data that know their round; rows that were made up for a test need not."""

    tournament: int
    round_number: int
    version: str

    def file(self, name: str) -> Path:
        """Return a whole file of the same data version and round."""


class RoundFiles:
    """Puts files where plugins may read them: under a second name, without a copy where the disk allows that.

    `new` gives a path that is not in use yet.
    """

    def __init__(self, new: Callable[[], Path]) -> None:
        self._new = new
        self._known: dict[tuple[int, str], tuple[object, Path]] = {}

    def of(self, live: object, names: Sequence[str]) -> Mapping[str, object]:
        """Return what becomes `live.attrs` in the plugin's process. Raises as `live.file` does; LocalTrouble."""
        if not isinstance(live, RoundPort):
            return {}
        return {
            "tournament": int(live.tournament),
            "round": live.round_number,
            "data_version": live.version,
            "files": {name: str(self._readable(live, name)) for name in names},
        }

    def clear(self) -> None:
        """Forget the files; they go with the folder that they lie in."""
        self._known.clear()

    def _readable(self, live: RoundPort, name: str) -> Path:
        key = (id(live), name)
        if key not in self._known:
            # `live` is kept so that nothing else gets its identity.
            self._known[key] = (live, self._linked(live.file(name)))
        return self._known[key][1]

    def _linked(self, source: Path) -> Path:
        path = self._new()
        try:
            os.link(source, path)
        except OSError:  # another disk, or one without links
            try:
                shutil.copyfile(source, path)
            except OSError as error:
                raise local_trouble(error, path) from error
        return path
