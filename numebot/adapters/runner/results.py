"""Predictions on their way out of a plugin's process: a file that may hold anything, read as numbers only."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd

from numebot.adapters.runner.tasks import RESULT, ids_sha256
from numebot.core.errors import PluginError

_HEADER_BYTES = 4096


def read_predictions(scratch: Path, answer: object, ids: pd.Index) -> pd.Series:
    """Return the predictions in a scratch folder, one float64 for each of `ids`.

    Raises: PluginError when the file is anything else, or was made for other ids.
    """
    content = _content(scratch / RESULT, largest=len(ids) * 8 + _HEADER_BYTES)
    try:
        numbers = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError) as error:
        raise PluginError("its process left a file of predictions that cannot be read.") from error
    if not isinstance(numbers, np.ndarray) or numbers.dtype != np.float64 or numbers.shape != (len(ids),):
        raise PluginError(f"its process left a file that does not hold {len(ids)} numbers.")
    if answer != ids_sha256(list(ids)):
        raise PluginError("its process predicted other ids than those it was given.")
    return pd.Series(numbers, index=ids, name="prediction")


def _content(path: Path, *, largest: int) -> bytes:
    try:
        # A link, a pipe or a device may stand in the place of the file.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise PluginError(f"its process left no file of predictions ({error.strerror}).") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
            raise PluginError(f"its process left a file of predictions that is none ({status.st_size:,} bytes).")
        return file.read()
