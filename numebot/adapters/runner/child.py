"""A plugin's own process: shut in first, then the plugin's code is loaded. It ends without a way back."""

from __future__ import annotations

import faulthandler
import importlib
import os
import random
import resource
import signal
import socket
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from numebot.adapters.runner.guard import OutOfMemory
from numebot.adapters.runner.kernel import end_with_parent
from numebot.adapters.runner.requests import Request
from numebot.adapters.runner.sandbox import enter
from numebot.adapters.runner.tasks import perform
from numebot.adapters.runner.wire import Message, send
from numebot.core.errors import PluginError
from numebot.core.words import words_of
from numebot.workshop.progress import VARIABLE as PROGRESS

_NICENESS = 5
_SPARE_BYTES = 256 * 2**20
"""Stacks of threads and the like, which count as data and are never filled."""
_LARGEST_MAPPING = 2**40

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS",
    "LOKY_MAX_CPU_COUNT", "RAYON_NUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip


def live(request: Request, channel: socket.socket, output: int) -> NoReturn:
    """Be the process of one call: set up, do what is asked, tell it, end."""
    code = 1
    try:
        _stand_alone(channel.fileno(), output)
        _surround(request)
        _bound(request)
        enter(request)
        answer = _answer(request, channel)
        with suppress(Exception):
            sys.stdout.flush()
        send(channel, answer)
        code = 0
    except BaseException as error:  # noqa: BLE001 # nothing may return into the code of the watching process
        with suppress(BaseException):
            send(channel, {"failed": f"its process could not be set up: {words_of(error)}"})
    finally:
        os._exit(code)


def _answer(request: Request, channel: socket.socket) -> Message:
    try:
        return {"done": dict(perform(request, channel, _allow_mapping))}
    except PluginError as error:
        return {"failed": str(error), "is_memory": isinstance(error, OutOfMemory)}


def _stand_alone(channel: int, output: int) -> None:
    """Leave the watching process' session and files."""
    os.setsid()
    end_with_parent(signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, channel)
    os.closerange(channel + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = os.fdopen(descriptor, "w", buffering=1, closefd=False, errors="backslashreplace")
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    faulthandler.enable(file=2)


def _surround(request: Request) -> None:
    """Give it an own home, an own randomness, and the processors that are free for it."""
    os.chdir(request.scratch)
    place = str(request.scratch)
    os.environ.update({"HOME": place, "TMPDIR": place, "XDG_CACHE_HOME": place, "MPLCONFIGDIR": place, PROGRESS: place})
    sys.dont_write_bytecode = True
    random.seed()
    np.random.seed()
    if request.processors:
        _use_processors(request.processors)


def _use_processors(numbers: tuple[int, ...]) -> None:
    """Keep to some processors: more threads than processors wait for each other."""
    with suppress(OSError, AttributeError):
        os.sched_setaffinity(0, numbers)
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(len(numbers))))
    if controller := thread_pools():
        controller.limit(limits=len(numbers))


@cache
def thread_pools() -> Any:
    """Return what sets the number of threads of the libraries that are loaded; None where threadpoolctl is absent.

    Looking for them takes longer than all the rest, so the server does it before it forks.
    """
    with suppress(ImportError):
        return importlib.import_module("threadpoolctl").ThreadpoolController()
    return None


def _bound(request: Request) -> None:
    """Lower its priority and bound what it may take. The watching process bounds the sum over its descendants."""
    os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    for name, value in (("oom_score_adj", "1000"), ("autogroup", str(_NICENESS))):
        with suppress(OSError):
            Path("/proc/self", name).write_text(value)
    size = request.limits.memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(size, 2**30), max(size, 2**30)))
    if data := _data_bytes():
        limit = data + size + _SPARE_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit + _LARGEST_MAPPING))


def _data_bytes() -> int:
    """Return how much of the address space is writable data now; 0 where that is not known."""
    with suppress(OSError, ValueError):
        lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
    return 0


def _allow_mapping(size_bytes: int) -> None:
    """A private mapping of a file counts as data, though it takes no memory until it is written to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_DATA, (min(soft + size_bytes, hard), hard))
