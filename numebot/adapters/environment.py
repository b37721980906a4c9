"""The environment of this process: taking secrets out of it for good."""

from __future__ import annotations

import ctypes
import os


def wipe_variable(name: str) -> None:
    """Take a variable out of the environment, and its value out of the memory that /proc/<pid>/environ shows.

    Python's own way leaves that memory as it was at the start, and there every process of the same user can read it.
    """
    if name not in os.environ:
        return
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    place = getenv(os.fsencode(name))
    if place:
        ctypes.memset(place, 0, len(os.fsencode(os.environ[name])))
    del os.environ[name]
