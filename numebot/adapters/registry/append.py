"""New rows for model_configs.csv that can be used: looked at before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from numebot.adapters.registry.code import CodeFinder
from numebot.adapters.registry.edit import append
from numebot.adapters.registry.rows import COLUMNS, model_of
from numebot.adapters.registry.table import Row, read_table
from numebot.core.errors import ConfigError
from numebot.durable import write_whole

_MODE = 0o644


def add_rows(
    path: Path, rows: Sequence[Mapping[str, str]], *, home: Path, plugins_folder: Path | None = None
) -> tuple[str, ...]:
    """Append rows, each a cell by column, and return their names. A file that is not there yet is made.

    Raises: ConfigError, and nothing was written then: a row that could not be used, a name that stands there already,
    a file that is not well formed; LocalTrouble.
    """
    name = path.name
    names = _names(path, name)
    finder = CodeFinder(home, plugins_folder)
    for row in rows:
        model, problems = model_of(Row(0, row), finder)
        if model.name in names:
            problems = (*problems, f'numerai_name: "{model.name}" stands there already.')
        if problems:
            raise ConfigError(
                f"{name}: a row for {model.name or 'a model'} cannot be added. Nothing was changed.", problems
            )
        names.add(model.name)
    columns = [column for column in COLUMNS if any(row.get(column) for row in rows)]
    if not path.exists():
        write_whole(path, ",".join(columns) + "\n", mode=_MODE)
    append(path, rows, columns=columns)
    return tuple(row["numerai_name"] for row in rows)


def _names(path: Path, name: str) -> set[str]:
    if not path.exists():
        return set()
    return {row.cells.get("numerai_name", "") for row in read_table(path, name).rows}
