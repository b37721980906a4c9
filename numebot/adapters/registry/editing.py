"""Opens model_configs.csv as a sheet and writes it back, unless more would change than is meant to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from numebot.adapters.registry.sheet import Sheet
from numebot.adapters.registry.table import Table, read_table
from numebot.core.errors import ConfigError
from numebot.durable import local_trouble, write_whole


@contextmanager
def edited(path: Path) -> Iterator[Sheet]:
    """Yield the file as a sheet, and write it back durably when the block ends well and nothing else would change."""
    path = path.resolve()  # a link stays one
    with _alone_in(path.parent):
        before = read_table(path, str(path))
        content = path.read_bytes()
        mark, text, encoding, errors = _decoded(content, path)
        sheet = Sheet(text, "\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r")
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


def _require_only(before: Table, after: Table, sheet: Sheet, path: Path) -> None:
    """Compare what is read before and after: a file whose form is broken may hide what a change would do to it."""
    rows, added = after.rows[: len(before.rows)], after.rows[len(before.rows) :]
    if [[row.cells.get(name, "") for name in sheet.columns] for row in added] != sheet.added:
        raise ConfigError(_refusal(path))
    if len(rows) != len(before.rows):
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
