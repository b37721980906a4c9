"""Semaphores and shared memory of multiprocessing inside a plugin's own folder instead of /dev/shm.

/dev/shm is one place for all processes of a user, and what is left there stays in memory: plugins do not get it. But
thread pools and worker processes need semaphores. Here a semaphore is a pipe with a name, in which one byte lies for
each time that it can be taken; it works for forked workers, and by its name for those that are a new Python. Written
for whatever Python a plugin starts, so the standard library alone is used.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import select
import shutil
import struct
import sys
import termios
import threading
import time
from pathlib import Path
from types import TracebackType

RECURSIVE = 0
"""The kind that its owner may take again."""
FOLDER = ".shared"
"""Where they lie in the scratch folder."""
STARTUP = "startup"
"""The folder in there from which every new Python loads this."""
_STARTUP_FILE = """
try:
    import importlib.util as _tools
    _spec = _tools.spec_from_file_location("numebot_semaphores", {source!r})
    _module = _tools.module_from_spec(_spec)
    _spec.loader.exec_module(_module)
    _module.move_to({place!r})
except Exception:
    pass
"""
_HOLDERS = ("multiprocessing.synchronize", "joblib.externals.loky.backend.synchronize", "loky.backend.synchronize")
"""Modules that keep names of their own for what is replaced here."""


class PipeSemaphore:
    """Takes the place of _multiprocessing.SemLock, with the same attributes and methods."""

    SEM_VALUE_MAX = 2**31 - 1
    place = ""
    """The folder of the pipes."""

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> None:
        path = _path(self.place, name)
        os.mkfifo(path, 0o600)  # raises FileExistsError, as it has to
        self._open(path, kind, maxvalue, None if unlink else name)
        os.write(self.handle, b"+" * value)
        if unlink:
            os.unlink(path)

    @classmethod
    def _rebuild(cls, handle: int, kind: int, maxvalue: int, name: str | None) -> PipeSemaphore:
        """Return the semaphore that another process described."""
        if name is None:
            raise RuntimeError("a semaphore without a name is for forked processes only")
        made = cls.__new__(cls)
        made._open(_path(cls.place, name), kind, maxvalue, name)
        return made

    def _open(self, path: str, kind: int, maxvalue: int, name: str | None) -> None:
        # Read and write in one, so that it is never closed at the other end.
        self.handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.kind, self.maxvalue, self.name = kind, maxvalue, name
        self._taken, self._owner = 0, 0

    def __del__(self) -> None:
        handle, self.handle = getattr(self, "handle", -1), -1
        if handle >= 0:
            os.close(handle)

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it, waiting for it if need be; return whether it was had."""
        if self.kind == RECURSIVE and self._is_mine():
            self._taken += 1
            return True
        end = None if timeout is None else time.monotonic() + max(timeout, 0.0)  # noqa: TID251 # no clock of numebot's
        while not self._took():
            left = None if end is None else end - time.monotonic()  # noqa: TID251
            if not block or (left is not None and left <= 0):
                return False
            waiting = select.poll()
            waiting.register(self.handle, select.POLLIN)
            waiting.poll(None if left is None else int(left * 1000) + 1)
        self._taken, self._owner = self._taken + 1, threading.get_ident()
        return True

    def _took(self) -> bool:
        try:
            return bool(os.read(self.handle, 1))
        except BlockingIOError:
            return False

    def release(self) -> None:
        """Give it back. Raises: AssertionError by who has not taken it, ValueError when there is nothing to give."""
        if self.kind == RECURSIVE:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._taken > 1:
                self._taken -= 1
                return
        elif self._get_value() >= self.maxvalue:
            raise ValueError("semaphore or lock released too many times")
        self._taken -= 1
        os.write(self.handle, b"+")

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _count(self) -> int:
        return self._taken

    def _is_mine(self) -> bool:
        return self._taken > 0 and self._owner == threading.get_ident()

    def _get_value(self) -> int:
        waiting = fcntl.ioctl(self.handle, termios.FIONREAD, struct.pack("i", 0))
        return int(struct.unpack("i", waiting)[0])

    def _is_zero(self) -> bool:
        return self._get_value() == 0

    def _after_fork(self) -> None:
        self._taken = 0


def set_up(scratch: Path) -> None:
    """Let this process and every Python that it starts keep what workers share below `scratch`. Raises: OSError."""
    place = scratch / FOLDER
    shutil.rmtree(place, ignore_errors=True)  # a call that is tried once more finds what the first one left
    (place / STARTUP).mkdir(parents=True, mode=0o700)
    startup = _STARTUP_FILE.format(source=__file__, place=str(place))
    (place / STARTUP / "sitecustomize.py").write_text(startup, encoding="utf-8")
    os.environ["PYTHONPATH"] = str(place / STARTUP)
    os.environ["JOBLIB_TEMP_FOLDER"] = str(scratch)
    move_to(str(place))


def _do_without_psutil() -> None:
    """Let worker pools count no memory by psutil: it reads /proc, which is closed to plugins, and they die of that."""
    if "psutil" not in sys.modules:
        sys.modules["psutil"] = None  # type: ignore[assignment] # this is how Python is told that there is none
    for name in ("joblib.externals.loky", "loky"):
        executor, utils = (sys.modules.get(f"{name}.{part}") for part in ("process_executor", "backend.utils"))
        if executor is not None:
            vars(executor)["_USE_PSUTIL"] = False
        if utils is not None:
            vars(utils)["psutil"] = None


def move_to(place: str) -> None:
    """Replace what multiprocessing has, wherever it is known already. Without multiprocessing nothing is done."""
    try:
        semaphores = importlib.import_module("_multiprocessing")
    except ImportError:
        return

    def unlink(name: str) -> None:
        os.unlink(_path(place, name))

    _do_without_psutil()
    PipeSemaphore.place = place
    replaced = {id(semaphores.SemLock): PipeSemaphore, id(semaphores.sem_unlink): unlink}
    for module in (semaphores, *(sys.modules[name] for name in _HOLDERS if name in sys.modules)):
        for name, value in list(vars(module).items()):
            if id(value) in replaced:
                setattr(module, name, replaced[id(value)])
    try:
        memory = importlib.import_module("_posixshmem")
    except ImportError:
        return

    def shm_open(path: str, flags: int, mode: int = 0o777) -> int:
        return os.open(_path(place, path), flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode)

    memory.__dict__.update(shm_open=shm_open, shm_unlink=unlink)


def _path(place: str, name: str) -> str:
    """Return the file behind a name; names have no folders, as in /dev/shm."""
    bare = name.strip("/")
    if not bare or "/" in bare or bare.startswith("."):
        raise ValueError(f"{name!r} is not a name of a semaphore")
    return os.path.join(place, bare)
