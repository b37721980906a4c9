"""New rows at the end of model_configs.csv; what stands there already keeps its bytes, but for added column names."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from numebot.adapters.registry.code import CodeFinder
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
    a file that is not UTF-8; LocalTrouble.
    """
    name = path.name
    columns, names = _known(path, name)
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
    write_whole(path, _text(path, name, columns, rows), mode=path.stat().st_mode & 0o777 if path.exists() else _MODE)
    return tuple(row["numerai_name"] for row in rows)


def _known(path: Path, name: str) -> tuple[tuple[str, ...], set[str]]:
    if not path.exists():
        return (), set()
    table = read_table(path, name)
    return table.columns, {row.cells.get("numerai_name", "") for row in table.rows}


def _text(path: Path, name: str, columns: tuple[str, ...], rows: Sequence[Mapping[str, str]]) -> str:
    wanted = [column for column in COLUMNS if any(row.get(column) for row in rows)]
    added = [column for column in wanted if column not in columns]
    lines = _with_columns(path, name, columns, added) if columns else [",".join(added) + "\n"]
    if not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n" if lines[0].endswith("\r\n") else "\n")
    writer.writerows([row.get(column, "") for column in (*columns, *added)] for row in rows)
    return "".join(lines) + buffer.getvalue()


def _with_columns(path: Path, name: str, columns: tuple[str, ...], added: Sequence[str]) -> list[str]:
    """Return the lines of a file whose first row names more columns now; rows may be shorter than that."""
    try:
        lines = path.read_bytes().decode("utf-8").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: is not UTF-8. Save it as UTF-8, then try again; nothing was changed.") from error
    for number, line in enumerate(lines):
        bare = line.strip().removeprefix("\ufeff")
        if bare and not bare.startswith("#"):
            cells = tuple(cell.strip().lower() for cell in next(csv.reader([bare], skipinitialspace=True)))
            if cells != columns:
                raise ConfigError(f"{name} line {number + 1}: the names of the columns take more than one line.")
            end = line[len(line.rstrip("\r\n")) :]
            lines[number] = ",".join([line.rstrip("\r\n"), *added]) + end
            return lines
    raise ConfigError(f"{name}: names no columns.")
