"""Aligned columns of plain text for long answers: thousands of cells in milliseconds, colours where they are seen."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import click

GAP = "  "
PIPE_WIDTH = 10_000
"""Columns where nobody looks: nothing is broken into parts."""


class Cell(NamedTuple):
    """A text and its colour; numbers stand at the right of their column."""

    text: str
    colour: str | None = None
    is_right: bool = False


EMPTY = Cell("")


def signed(value: float | None, *, digits: int = 4) -> Cell:
    """Return a number coloured by its sign, and a dot where there is none."""
    if value is None:
        return Cell("·", None, is_right=True)
    text = f"{value:+.{digits}f}"
    is_nothing = float(text) == 0
    return Cell(text, None if is_nothing else "green" if value > 0 else "red", is_right=True)


def terminal_width() -> int:
    """Return how many columns a line may have."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_WIDTH


def aligned(head: Sequence[str], rows: Sequence[Sequence[Cell]], *, keep: int = 1, width: int = 80) -> Iterator[str]:
    """Yield the lines of a table; one wider than `width` comes in parts that repeat the first `keep` columns."""
    widths = [max([len(title), *(len(row[place].text) for row in rows)]) for place, title in enumerate(head)]
    right = [bool(rows) and any(row[place].is_right for row in rows) for place in range(len(head))]
    titles = [Cell(title, is_right=is_right) for title, is_right in zip(head, right, strict=True)]
    for number, part in enumerate(_parts(widths, keep, width)):
        if number:
            yield ""
        for row in (titles, *rows):
            yield GAP.join(_padded(row[place], widths[place]) for place in part).rstrip()


def is_coloured() -> bool:
    """Return whether colours are wanted: on a terminal, unless NO_COLOR says otherwise."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, without colours where they are not wanted."""
    text = "\n".join(lines)
    click.echo(text if is_coloured() else click.unstyle(text))


def _parts(widths: Sequence[int], keep: int, width: int) -> Iterator[list[int]]:
    kept = list(range(min(keep, len(widths))))
    begin = sum(widths[place] + len(GAP) for place in kept)
    part, used = list(kept), begin
    for place in range(len(kept), len(widths)):
        if used + widths[place] > width and part != kept:
            yield part
            part, used = list(kept), begin
        part.append(place)
        used += widths[place] + len(GAP)
    yield part


def _padded(cell: Cell, width: int) -> str:
    text = cell.text.rjust(width) if cell.is_right else cell.text.ljust(width)
    return click.style(text, fg=cell.colour) if cell.colour else text
