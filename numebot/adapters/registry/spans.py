"""Where each cell of a CSV text stands, so that one can be changed and every other byte stays as it is.

It goes by the same rules as the csv module does for table.py: quotes count at the beginning of a cell only, blanks in
front of it do not, and blank lines and comments lie between records.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

_LINE_ENDS = "\r\n"


@dataclass(frozen=True)
class Span:
    """A cell: text[start:end], with its quotes and the blanks around it."""

    start: int
    end: int


@dataclass(frozen=True)
class SpannedRecord:
    """One record: the line that it starts in, and its cells."""

    line: int
    cells: tuple[Span, ...]

    @property
    def end(self) -> int:
        """Where the record ends, before its line end."""
        return self.cells[-1].end


def spanned_records(text: str) -> list[SpannedRecord]:
    """Return the records of a CSV text with the places of their cells."""
    records: list[SpannedRecord] = []
    place, number = 0, 0
    while place < len(text):
        number += 1
        line = _line_at(text, place)
        bare = line.strip()
        if not bare or bare.startswith("#"):
            place += len(line)
            continue
        record = SpannedRecord(number, tuple(_cells(text, place)))
        records.append(record)
        number += len(io.StringIO(text[place : record.end], newline="").readlines()) - 1
        place = record.end + len(_line_end_at(text, record.end))
    return records


def _cells(text: str, start: int) -> list[Span]:
    cells: list[Span] = []
    while True:
        end = _cell_end(text, start)
        cells.append(Span(start, end))
        if end == len(text) or text[end] != ",":
            return cells
        start = end + 1


def _cell_end(text: str, start: int) -> int:
    place = start
    while place < len(text) and text[place] == " ":
        place += 1
    if place < len(text) and text[place] == '"':
        place = _after_quotes(text, place + 1)
    while place < len(text) and text[place] not in f",{_LINE_ENDS}":
        place += 1
    return place


def _after_quotes(text: str, place: int) -> int:
    while (found := text.find('"', place)) >= 0:
        if text[found + 1 : found + 2] != '"':
            return found + 1
        place = found + 2
    return len(text)


def _line_at(text: str, place: int) -> str:
    end = place
    while end < len(text) and text[end] not in _LINE_ENDS:
        end += 1
    return text[place:end] + _line_end_at(text, end)


def _line_end_at(text: str, place: int) -> str:
    return "\r\n" if text.startswith("\r\n", place) else text[place : place + 1]
