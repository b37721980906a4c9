"""A CSV file as rows with their line numbers, however it was saved: BOM, CRLF, comments, line breaks inside quotes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from numebot.core.errors import ConfigError

_MAX_BYTES = 20_000_000
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Row:
    """One record: the line it starts in, its cells by column (blanks stripped), and what is wrong with its form."""

    line: int
    cells: Mapping[str, str]
    problem: str | None = None


@dataclass(frozen=True)
class Table:
    """The columns in lower case, the rows below them, and remarks on the file as a whole."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notices: tuple[str, ...] = ()


def read_table(path: Path, name: str) -> Table:
    """Return the file's rows. `name` is how messages call it.

    Raises: ConfigError when the file cannot be read at all or has no header.
    """
    text, notices = _text(path, name)
    records = _records(text)
    header = next(records, None)
    if header is None:
        raise ConfigError(f"{name}: is empty. Its first line names the columns: numerai_name,model_code,description.")
    if header.problem:
        raise ConfigError(f"{name} line {header.line}: {header.problem}. This line must name the columns.")
    columns = tuple(cell.strip().lower() for cell in header.cells)
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise ConfigError(f"{name} line {header.line}: the column {twice[0]} stands there twice. Remove one of them.")
    return Table(columns, tuple(_row(record, columns) for record in records), notices)


def _text(path: Path, name: str) -> tuple[str, tuple[str, ...]]:
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{name}: is not a file; a CSV file is expected at {path}.")
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{name}: is larger than {_MAX_BYTES:,} bytes. Is it the right file?")
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"{name}: does not exist (looked for {path}). Make it with any text editor; two lines are enough:\n"
            "    numerai_name,model_code,description\n"
            "    your_model_name,models.example_xgboost,my first model\n"
            "  MODEL_CONFIGS_PATH (environment or .env) says where it lies."
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"{name}: cannot be read ({reason}); this user must be able to read {path}.") from error
    return _decoded(content, name)


def _decoded(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """Read other encodings too, with a notice: a strange letter in a description must not cost a round."""
    try:
        if content.startswith(_BYTE_ORDER_MARKS):
            return content.decode("utf-16"), (f"{name}: is UTF-16 and was read as such. Better save it as UTF-8.",)
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        notice = f"{name} line {line}: is not UTF-8; the file was read as Windows-1252. Better save it as UTF-8."
        return content.decode("cp1252", errors="replace"), (notice,)


@dataclass(frozen=True)
class _Record:
    line: int
    cells: tuple[str, ...]
    problem: str | None = None


class _Lines:
    """Hands lines to the csv module one by one and knows which of them open a record."""

    def __init__(self, text: str) -> None:
        self._lines = enumerate(io.StringIO(text, newline=""), start=1)
        self.is_between_records = True
        self.ended_inside_record = False
        self.first_line = 0
        self.last_line = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for number, line in self._lines:
            bare = line.strip()
            if self.is_between_records and (not bare or bare.startswith("#")):
                continue
            if self.is_between_records:
                self.first_line = number
            self.is_between_records = False
            self.last_line = number
            return line
        self.ended_inside_record = not self.is_between_records
        raise StopIteration


def _records(text: str) -> Iterator[_Record]:
    lines = _Lines(text)
    reader = csv.reader(lines, skipinitialspace=True)
    while True:
        lines.is_between_records = True
        try:
            cells = tuple(next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            yield _Record(lines.first_line, (), f"cannot be read as CSV ({error})")
            if lines.last_line > lines.first_line:
                return  # inside a quoted text of many lines: what follows would be read as nonsense
            continue
        if lines.ended_inside_record:
            lost = 'opens a quote (") that is never closed; the lines below it are lost in that text'
            yield _Record(lines.first_line, cells, lost)
        elif any(cell.strip() for cell in cells):
            yield _Record(lines.first_line, cells)


def _row(record: _Record, columns: tuple[str, ...]) -> Row:
    cells = {column: cell.strip() for column, cell in zip(columns, record.cells, strict=False)}
    problem = record.problem
    extra = [cell for cell in record.cells[len(columns) :] if cell.strip()]
    if problem is None and extra:
        problem = (
            f"has {len(record.cells)} values where the first line names {len(columns)} columns. "
            "A text with a comma in it needs quotes around it"
        )
    if problem is None and "\0" in "".join(record.cells):
        problem = "holds a NUL byte"
    return Row(record.line, cells, problem)
