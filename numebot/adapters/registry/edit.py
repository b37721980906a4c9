"""Changes single cells of model_configs.csv, or adds rows; everything else stays as it is, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from numebot.adapters.registry.editing import edited
from numebot.durable import write_whole

ENABLED = "enabled"
NEW_FILE = "numerai_name,model_code,description,enabled,is_ensemble,parameters\n"
"""The header of a file that is made here."""

_OPPOSITES = {"true": "false", "1": "0", "1.0": "0.0", "yes": "no", "y": "n", "on": "off"}
_PAIRS = {**_OPPOSITES, **{no: yes for yes, no in _OPPOSITES.items()}}


def set_enabled(path: Path, rows: Mapping[int, str], *, wish: bool) -> None:
    """Write whether rows are enabled; `rows` are their names by the lines that they begin in.

    The column is added when it is missing.
    Raises: ConfigError when the file cannot be changed without touching something else; LocalTrouble.
    """
    if not rows:
        return
    with edited(path) as sheet:
        column = sheet.column(ENABLED)
        for line, name in rows.items():
            sheet.set_cell(sheet.row(line, name, path), column, partial(_flag, wish=wish))
        sheet.allow(lambda line, column: line in rows and column == ENABLED)


def add_row(path: Path, cells: Mapping[str, str]) -> None:
    """Add a row at the end, in the manner of the file. A file that is not there is made.

    Columns that it does not have are added, but for the description, which is left out.
    Raises: ConfigError, LocalTrouble.
    """
    if not path.exists():
        write_whole(path, NEW_FILE, mode=0o644)
    append(path, [cells], columns=[name for name in cells if name != "description"])


def append(path: Path, rows: Sequence[Mapping[str, str]], *, columns: Sequence[str]) -> None:
    """Add rows at the end, each a cell by column, and the columns that the file lacks.

    Raises: ConfigError, LocalTrouble.
    """
    with edited(path) as sheet:
        for name in columns:
            sheet.column(name)
        for cells in rows:
            sheet.append([cells.get(name, "") for name in sheet.columns])


def _flag(old: str, *, wish: bool) -> str:
    """Return the word for a wish in the manner of the one that stands there."""
    words = {True: "True", False: "False"}
    other = _PAIRS.get(old.lower())
    if other is None:
        return words[wish]
    is_yes = old.lower() in _OPPOSITES
    if is_yes == wish:
        return old
    return other.upper() if len(old) > 1 and old.isupper() else other.title() if old[:1].isupper() else other
