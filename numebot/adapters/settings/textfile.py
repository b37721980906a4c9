"""Reading small text files of the user: every way a file can be unusable, in words."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from numebot.core.errors import ConfigError

_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class TextFile:
    """A file's text and who may read it; mode and owner are those of the bytes that were read, also behind a link."""

    text: str = field(repr=False)
    mode: int
    owner: int


def read_text_file(path: Path, name: str) -> TextFile | None:
    """Return the file's content, or None when there is none. `name` is how messages call it.

    Links are followed. The facts are taken from the open file, so nobody can swap it between the look and the reading;
    opening does not wait, so a named pipe in that place cannot hang the program.
    Raises: ConfigError for anything that is there but is not a small UTF-8 text file that we may read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{name}: cannot be opened ({error.strerror}); this user must be able to read it.") from error
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            # Docker makes a folder where the file to be mounted is missing
            kind = "a folder" if stat.S_ISDIR(facts.st_mode) else "not a regular file"
            raise ConfigError(f"{name}: is {kind}; a text file is expected at {path}.")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(_MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{name}: is larger than {_MAX_BYTES:,} bytes. Is it the right file?")
    return TextFile(_decoded(content, name), stat.S_IMODE(facts.st_mode), facts.st_uid)


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name} line {line}: is not UTF-8. Save the file as UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError(f"{name} line {line}: holds a NUL byte: not a text, or UTF-16. Save the file as UTF-8.")
    return text
