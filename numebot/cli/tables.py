"""Tables of text: aligned columns that fold rather than vanish, with colours where they are seen. Loads in no time."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import click

from numebot.cli.columns import GAP, print_lines, terminal_width

NARROWEST = 8
"""No column is folded to less than this."""

Letter = tuple[str, str | None]
"""One character and its colour."""


class Styled:
    """A text made of pieces with colours of their own; `None` is the terminal's own colour."""

    def __init__(self, text: str = "", colour: str | None = None) -> None:
        self.pieces: list[tuple[str, str | None]] = [(text, colour)]

    def append(self, text: str, colour: str | None = None) -> Styled:
        """Add a piece and return this."""
        self.pieces.append((text, colour))
        return self

    def __str__(self) -> str:
        """Return the text with its colours."""
        return "".join(painted(text, colour) for text, colour in self.pieces)


def painted(text: str, colour: str | None) -> str:
    """Return a text in a colour that click knows, or "bold"."""
    if not colour:
        return text
    return click.style(text, bold=True) if colour == "bold" else click.style(text, fg=colour)


def print_text(text: Styled) -> None:
    """Print one text."""
    print_lines([str(text)])


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Styled]], *, title: str | None = None) -> None:
    """Print a table below its title, as wide as the terminal at most."""
    if title is not None:
        print_lines([click.style(title, bold=True)])
    print_lines([*table_lines(columns, list(rows), width=terminal_width()), ""])


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str | Styled]], *, width: int) -> Iterator[str]:
    """Yield the lines of a table of at most `width` columns, as far as the narrowest columns allow that."""
    cells = [[_letters(cell) for cell in row] for row in rows]
    natural = [
        max([_width_of(title), *(_width_of(line) for row in cells for line in _split(row[place]))])
        for place, title in enumerate(columns)
    ]
    cap = _cap(natural, width - len(GAP) * (len(columns) - 1))
    widths = [min(own, cap) for own in natural]
    for line in _row_lines([_letters(title) for title in columns], widths):
        yield click.style(line, bold=True)
    yield GAP.join("─" * own for own in widths)
    for row in cells:
        yield from _row_lines(row, widths)


def _cap(natural: Sequence[int], room: int) -> int:
    """Return how wide the widest columns may be, so that all of them fit into the room."""
    cap = max(natural, default=0)
    while cap > NARROWEST and sum(min(own, cap) for own in natural) > room:
        cap -= 1
    return cap


def _row_lines(row: Sequence[Sequence[Letter]], widths: Sequence[int]) -> Iterator[str]:
    folded = [list(_folded(cell, width)) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, folded))):
        parts = [lines[number] if number < len(lines) else [] for lines in folded]
        padded = (_painted(part) + " " * (width - _width_of(part)) for part, width in zip(parts, widths, strict=True))
        yield GAP.join(padded).rstrip()


def _folded(cell: Sequence[Letter], width: int) -> Iterator[Sequence[Letter]]:
    """Yield the lines of a cell: broken at the last space that fits, else where the room ends."""
    for line in _split(cell):
        while _width_of(line) > width:
            fits = max(1, next(place for place in range(len(line) + 1) if _width_of(line[: place + 1]) > width))
            space = next((place for place in range(fits, 0, -1) if line[place][0] == " "), None)
            yield line[: space or fits]
            line = line[space + 1 :] if space else line[fits:]
        yield line


def _letters(cell: str | Styled) -> list[Letter]:
    pieces = cell.pieces if isinstance(cell, Styled) else [(cell, None)]
    return [(letter, colour) for text, colour in pieces for letter in text]


def _split(cell: Sequence[Letter]) -> list[Sequence[Letter]]:
    lines: list[Sequence[Letter]] = []
    begin = 0
    for place, (letter, _) in enumerate(cell):
        if letter == "\n":
            lines.append(cell[begin:place])
            begin = place + 1
    return [*lines, cell[begin:]]


def _width_of(text: Sequence[Letter] | str) -> int:
    letters = text if isinstance(text, str) else "".join(letter for letter, _ in text)
    if letters.isascii():
        return len(letters)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in letters)
    return len(letters) + wide - sum(bool(unicodedata.combining(letter)) for letter in letters)


def _painted(line: Sequence[Letter]) -> str:
    runs = groupby(line, key=lambda letter: letter[1])
    return "".join(painted("".join(letter for letter, _ in run), colour) for colour, run in runs)
