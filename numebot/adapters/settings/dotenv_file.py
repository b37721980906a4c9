"""Files of NAME=value lines (.env, .secret), with line numbers and without ever showing a value."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from numebot.adapters.settings.textfile import read_text_file


@dataclass(frozen=True)
class Entry:
    """One NAME=value; the value is None when there is no equals sign. It may be a secret: it is not in the repr."""

    name: str
    value: str | None = field(repr=False)
    line: int


@dataclass(frozen=True)
class DotenvFile:
    """What stands in the file, what could not be read, and who may read it."""

    path: Path
    name: str
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    mode: int
    owner: int


def read_dotenv_file(path: Path, name: str) -> DotenvFile | None:
    """Return the entries of a dotenv file in their order, or None when there is no such file.

    Values are taken as they stand: ${NAME} is left alone, and nothing goes into the environment.
    Raises: ConfigError when the file as a whole cannot be read.
    """
    file = read_text_file(path, name)
    if file is None:
        return None
    entries: list[Entry] = []
    problems: list[str] = []
    for binding in parse_stream(io.StringIO(file.text)):
        if binding.error:
            problems.append(
                f"{name} line {_line(binding)}: is not of the form NAME=value, or a quote is not closed. "
                "(What stands there is not shown: it may be a secret.)"
            )
        elif binding.key is not None:
            entries.append(Entry(binding.key, binding.value, _line(binding)))
    return DotenvFile(path, name, tuple(entries), tuple(problems), file.mode, file.owner)


def _line(binding: Binding) -> int:
    """Return the line of the name: the parser counts from the blank lines before it."""
    text = binding.original.string
    blank = text[: len(text) - len(text.lstrip())]
    return binding.original.line + blank.replace("\r\n", "\n").replace("\r", "\n").count("\n")
