"""A program of the owner, run for a plugin: what it is told, what it prints, what it leaves behind.

For plugins only. It runs inside the plugin's process and its limits: what it starts is ended with it, it writes to the
plugin's scratch folder alone, and it has no network unless the row says so.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import pandas as pd

from numebot.core.errors import PluginError
from numebot.core.features import listed
from numebot.core.words import plain

_LAST_PIECES = 8
_PIECE = 2**10
_DRAIN_S = 5.0
_ID_COLUMNS = ("id", "numerai_ticker", "ticker", "symbol")
_VALUE_COLUMNS = ("prediction", "signal", "probability")


def run_program(arguments: Sequence[str], *, folder: Path, variables: Mapping[str, str]) -> None:
    """Run a program in `folder` and wait for it; what it prints goes to the model's log.

    It gets the variables of this process and `variables`. Nothing is read by a shell.
    Raises: PluginError when it cannot be started or says with its exit code that it failed, with its last words.
    """
    name = Path(arguments[0]).name
    try:
        process = subprocess.Popen(
            list(arguments),
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise PluginError(_not_started(arguments[0], error)) from error
    last: deque[bytes] = deque(maxlen=_LAST_PIECES)
    assert process.stdout is not None, "it was asked for"
    # A thread: what the program left running may keep the pipe open after its end.
    reader = threading.Thread(target=_pass_on, args=(process.stdout, last), daemon=True)
    reader.start()
    code = process.wait()
    reader.join(_DRAIN_S)
    if code:
        said = plain(b"".join(last).decode("utf-8", "replace").strip()[-1500:])
        words = f"{name} {_ending(code)}"
        raise PluginError(f"{words}. Last words: {said}" if said else f"{words} and said nothing.")


def _not_started(program: str, error: OSError) -> str:
    what = error.strerror or type(error).__name__
    if isinstance(error, PermissionError):
        return (
            f"{program} cannot be run ({what}). Is it executable? Plugins run programs below /usr, /bin and numebot's"
            " own Python; the column readable of model_configs.csv allows further files and folders."
        )
    return f"{program} cannot be run ({what}). Name a program on PATH, or its whole path."


def _ending(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    known = {number.value: number.name for number in signal.Signals}
    return f"was ended by {known.get(-code, f'signal {-code}')}"


def _pass_on(stream: IO[bytes], last: deque[bytes]) -> None:
    with stream:
        while piece := os.read(stream.fileno(), _PIECE):
            last.append(piece)
            sys.stdout.write(piece.decode("utf-8", "replace"))
            sys.stdout.flush()


def round_variables(live: pd.DataFrame) -> dict[str, str]:
    """Return what is known of the round as variables: NUMEBOT_ROUND, NUMEBOT_DATA_VERSION, NUMEBOT_TOURNAMENT."""
    names = {"round": "NUMEBOT_ROUND", "data_version": "NUMEBOT_DATA_VERSION", "tournament": "NUMEBOT_TOURNAMENT"}
    return {variable: str(live.attrs[name]) for name, variable in names.items() if name in live.attrs}


def write_rows(live: pd.DataFrame, path: Path) -> None:
    """Write rows with their ids as the first column (csv) or as a column of its own (parquet), by the path's suffix."""
    rows = live.copy(deep=False)
    rows.attrs = {}
    if path.suffix == ".csv":
        rows.to_csv(path)
    else:
        rows.to_parquet(path)


def read_answer(path: Path, who: str) -> pd.Series:
    """Return the predictions in a parquet or CSV file, index the ids; which of the two its first bytes tell.

    It holds the ids, as a column or as the index, and a column prediction, or one other column.
    Raises: PluginError.
    """
    if not path.is_file():
        raise PluginError(f"{who} left no file of predictions. It has to write one to {path.name} (NUMEBOT_OUTPUT).")
    frame = _frame(path, who)
    ids = [name for name in _ID_COLUMNS if name in frame.columns]
    if ids:
        frame = frame.set_index(ids[0])
    elif frame.index.name not in _ID_COLUMNS:
        raise PluginError(f"{who}: {path.name} has no column id; found {listed(map(str, frame.columns))}.")
    values = [name for name in _VALUE_COLUMNS if name in frame.columns] or list(frame.columns)
    if len(values) != 1:
        raise PluginError(f"{who}: {path.name} has no column prediction; found {listed(map(str, frame.columns))}.")
    column: pd.Series = frame[values[0]]
    return column


def _frame(path: Path, who: str) -> pd.DataFrame:
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    try:
        if is_parquet:
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=dict.fromkeys(_ID_COLUMNS, "str"))
    except (ValueError, OSError) as error:
        raise PluginError(f"{who}: {path.name} is neither parquet nor CSV: {plain(str(error), longest=200)}") from error
