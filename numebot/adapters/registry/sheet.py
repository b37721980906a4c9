"""The text of model_configs.csv as a sheet: where its cells are, and changes that leave all other bytes alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from numebot.adapters.registry.spans import Span, SpannedRecord, spanned_records
from numebot.core.errors import ConfigError

NAME = "numerai_name"


@dataclass(frozen=True)
class Change:
    """A piece of the text that is replaced."""

    start: int
    end: int
    words: str


class Sheet:
    """The text of a file, where its cells are, and the changes to come."""

    def __init__(self, text: str, newline: str) -> None:
        self.text = text
        self._newline = newline
        header, *rows = spanned_records(text)
        self._header = header
        self.rows: Sequence[SpannedRecord] = rows
        self.columns = [self._value(cell).lower() for cell in header.cells]
        self._changes: list[Change] = []
        self.is_allowed: Callable[[int, str], bool] = lambda row, column: False
        self.added: list[Sequence[str]] = []

    def allow(self, is_allowed: Callable[[int, str], bool]) -> None:
        """Say which cells, by line and column, may read differently afterwards."""
        self.is_allowed = is_allowed

    def column(self, name: str) -> int:
        """Return the number of a column, which is added behind the last one when it is not there.

        Rows stay as short as they are.
        """
        if name not in self.columns:
            self._add_column(name)
        return self.columns.index(name)

    def _add_column(self, name: str) -> None:
        self._changes.append(Change(self._header.end, self._header.end, f",{name}"))
        self.columns.append(name)

    def row(self, line: int, name: str, path: Path) -> SpannedRecord:
        """Return the row that begins in a line. Raises: ConfigError when it is not that of this model any more."""
        column = self.columns.index(NAME)
        for record in self.rows:
            if record.line == line and column < len(record.cells) and self._value(record.cells[column]) == name:
                return record
        raise ConfigError(f"{path}: line {line} is not the row of {name} any more. Run it again; nothing was changed.")

    def set_cell(self, record: SpannedRecord, column: int, change: Callable[[str], str]) -> None:
        """Change the text inside a cell; its quotes and the blanks around it stay."""
        missing = column - len(record.cells) + 1
        if missing > 0:
            self._changes.append(Change(record.end, record.end, "," * missing + change("")))
            return
        cell = record.cells[column]
        raw = self.text[cell.start : cell.end]
        inner = raw.strip()
        place = cell.start + raw.find(inner) if inner else cell.start
        quote = '"' if len(inner) > 1 and inner[0] == inner[-1] == '"' else ""
        new = f"{quote}{change(self._value(cell))}{quote}"
        if new != inner:
            self._changes.append(Change(place, place + len(inner), new))

    def append(self, cells: Sequence[str]) -> None:
        """Add a row behind everything else."""
        buffer = io.StringIO()
        csv.writer(buffer).writerow(cells)  # it quotes cells that hold its own line end, and no other one's
        row = buffer.getvalue().removesuffix("\r\n")
        before = "" if self.added or self.text.endswith(("\n", "\r")) else self._newline
        end = len(self.text)
        self._changes.append(Change(end, end, f"{before}{row}{self._newline}"))
        self.added.append([cell.strip() for cell in cells])  # as it will be read

    def changed(self) -> str:
        """Return the text with all changes."""
        text = self.text
        # From the end on; of changes at one place the last one first, so that they come to stand in their order.
        for change in sorted(self._changes, key=lambda change: change.start)[::-1]:
            text = text[: change.start] + change.words + text[change.end :]
        return text

    def _value(self, cell: Span) -> str:
        values = next(csv.reader([self.text[cell.start : cell.end]], skipinitialspace=True), [])
        return values[0].strip() if values else ""
