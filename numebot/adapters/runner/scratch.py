"""Folders of a runner: frames that plugins read, and a scratch folder for each call."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from numebot.core.errors import PluginError
from numebot.durable import local_trouble

_PREFIX = "run-"


class Scratch:
    """A folder of its own below `place`, gone with this object. What killed processes left beside it is removed."""

    def __init__(self, place: Path | None) -> None:
        self._numbers = itertools.count(1)
        try:
            if place is not None:
                place.mkdir(parents=True, exist_ok=True, mode=0o700)
                _remove_abandoned(place)
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place)).resolve()
            self.data.mkdir()
        except OSError as error:
            raise local_trouble(error, place or Path(tempfile.gettempdir())) from error
        held = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(held, fcntl.LOCK_EX)
        self.close = weakref.finalize(self, _remove, self.folder, held)

    @property
    def data(self) -> Path:
        """Where frames lie; children read it."""
        return self.folder / "data"

    def new(self, what: str) -> Path:
        """Return a path that is not in use yet."""
        return self.folder / f"{what}-{next(self._numbers)}"

    @contextmanager
    def call_folder(self) -> Iterator[Path]:
        """Yield an empty folder for the length of a block."""
        folder = self.new("call")
        try:
            folder.mkdir(mode=0o700)
            yield folder
        except OSError as error:
            raise local_trouble(error, folder) from error
        finally:
            remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder that a plugin may have filled with anything."""
    shutil.rmtree(folder, ignore_errors=True)


def require_plain_files(folder: Path) -> None:
    """Raise PluginError when there is more than files and folders: a link may lead to what is not the plugin's."""
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            mode = (Path(parent) / name).lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise PluginError(f"save made {name}, neither a file nor a folder. Allowed are those alone.")


def _remove(folder: Path, held: int) -> None:
    remove(folder)
    os.close(held)


def _remove_abandoned(place: Path) -> None:
    """Remove folders whose owner is dead: the kernel gave its lock back."""
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(folder)
            finally:
                os.close(held)
