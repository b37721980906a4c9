"""Changes single cells of model_configs.csv, or adds a row; everything else stays as it is, byte for byte."""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from numebot.adapters.registry.spans import Span, SpannedRecord, spanned_records
from numebot.adapters.registry.table import Table, read_table
from numebot.core.errors import ConfigError
from numebot.durable import local_trouble, write_whole

NAME, ENABLED = "numerai_name", "enabled"
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
    with _edited(path) as sheet:
        column = _column(sheet, ENABLED)
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
    with _edited(path) as sheet:
        for name in cells:
            if name != "description":
                _column(sheet, name)
        sheet.append([cells.get(name, "") for name in sheet.columns])


def _column(sheet: _Sheet, name: str) -> int:
    if name not in sheet.columns:
        sheet.add_column(name)
    return sheet.columns.index(name)


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


@dataclass(frozen=True)
class _Change:
    start: int
    end: int
    words: str


class _Sheet:
    """The text of a file, where its cells are, and the changes to come."""

    def __init__(self, text: str, newline: str) -> None:
        self.text = text
        self._newline = newline
        header, *rows = spanned_records(text)
        self._header = header
        self.rows: Sequence[SpannedRecord] = rows
        self.columns = [self._value(cell).lower() for cell in header.cells]
        self._changes: list[_Change] = []
        self.is_allowed: Callable[[int, str], bool] = lambda row, column: False
        self.added: list[str] = []

    def allow(self, is_allowed: Callable[[int, str], bool]) -> None:
        """Say which cells, by line and column, may read differently afterwards."""
        self.is_allowed = is_allowed

    def add_column(self, name: str) -> None:
        """Add a column behind the last one; rows stay as short as they are."""
        self._changes.append(_Change(self._header.end, self._header.end, f",{name}"))
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
            self._changes.append(_Change(record.end, record.end, "," * missing + change("")))
            return
        cell = record.cells[column]
        raw = self.text[cell.start : cell.end]
        inner = raw.strip()
        place = cell.start + raw.find(inner) if inner else cell.start
        quote = '"' if len(inner) > 1 and inner[0] == inner[-1] == '"' else ""
        new = f"{quote}{change(self._value(cell))}{quote}"
        if new != inner:
            self._changes.append(_Change(place, place + len(inner), new))

    def append(self, cells: Sequence[str]) -> None:
        """Add a row behind everything else."""
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow(cells)
        before = "" if self.text.endswith(("\n", "\r")) else self._newline
        end = len(self.text)
        self._changes.append(_Change(end, end, f"{before}{buffer.getvalue()}{self._newline}"))
        self.added = list(cells)

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


@contextmanager
def _edited(path: Path) -> Iterator[_Sheet]:
    """Yield the file as a sheet, and write it back durably when the block ends well and nothing else would change."""
    path = path.resolve()  # a link stays one
    with _alone_in(path.parent):
        before = read_table(path, str(path))
        content = path.read_bytes()
        mark, text, encoding, errors = _decoded(content, path)
        sheet = _Sheet(text, "\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r")
        yield sheet
        new = mark + sheet.changed().encode(encoding, errors)
        if new == content:
            return
        draft = path.with_name(f".{path.name}.edited")
        try:
            write_whole(draft, new)
            _require_only(before, read_table(draft, str(path)), sheet, path)
        finally:
            draft.unlink(missing_ok=True)
        write_whole(path, new, mode=path.stat().st_mode & 0o777)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep two edits at once from undoing each other."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise local_trouble(error, folder) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _decoded(content: bytes, path: Path) -> tuple[bytes, str, str, str]:
    """Return the byte-order mark, the text behind it, the encoding that table.py reads it by, and how errors survive.

    Raises: ConfigError when the text would not give the same bytes again.
    """
    for mark, encoding, errors in (
        (b"\xff\xfe", "utf-16-le", "strict"),
        (b"\xfe\xff", "utf-16-be", "strict"),
        (b"\xef\xbb\xbf", "utf-8", "strict"),
        (b"", "utf-8", "strict"),
        (b"", "cp1252", "surrogateescape"),
    ):
        with suppress(UnicodeError):
            text = content.removeprefix(mark).decode(encoding, errors)
            if content.startswith(mark) and mark + text.encode(encoding, errors) == content:
                return mark, text, encoding, errors
    raise ConfigError(f"{path}: is in no encoding that can be written back. Save it as UTF-8. Nothing was changed.")


def _require_only(before: Table, after: Table, sheet: _Sheet, path: Path) -> None:
    """Compare what is read before and after: a file whose form is broken may hide what a change would do to it."""
    rows = list(after.rows)
    is_whole = True
    if sheet.added:
        added = rows.pop() if rows else None
        is_whole = added is not None and [added.cells.get(name, "") for name in sheet.columns] == sheet.added
    if not is_whole or len(rows) != len(before.rows):
        raise ConfigError(_refusal(path))
    for old, new in zip(before.rows, rows, strict=True):
        changed = {name for name in sheet.columns if old.cells.get(name, "") != new.cells.get(name, "")}
        is_as_meant = all(sheet.is_allowed(old.line, name) for name in changed)
        if not is_as_meant or (old.line, old.problem) != (new.line, new.problem) or (changed and new.problem):
            raise ConfigError(_refusal(path))


def _refusal(path: Path) -> str:
    return (
        f"{path}: cannot be changed by itself: a row of it is not well formed (a quote that is never closed, or more "
        "values than columns), and the change would be read as another one. Correct that row, or make the change in "
        "an editor; `numebot models` says what is wrong. Nothing was changed."
    )
