"""The border around plugin code: whatever it raises becomes one PluginError with the line it came from."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from numebot.core.errors import PluginError
from numebot.core.words import plain, text_of, words_of

_LONGEST_TRACEBACK = 20_000


class OutOfMemory(PluginError):
    """A plugin asked for more memory than there is for it."""


@contextmanager
def plugin_call(what: str, source: Path | None = None) -> Iterator[None]:
    """Run one call into a plugin, whose file is `source` where it is known; its traceback goes to stderr.

    Raises: PluginError, fit to be stored and printed, for everything.
    """
    try:
        yield
    except PluginError as error:
        words = plain(text_of(error))
        if type(error) in (PluginError, OutOfMemory) and words == text_of(error):
            raise
        raise PluginError(words) from error
    except BaseException as error:
        # Besides SystemExit, libraries have own subclasses of BaseException, and GeneratorExit is one of Python's.
        kind = OutOfMemory if isinstance(error, MemoryError) else PluginError
        words = plain(f"{what} failed at {_where(error, source)}: {words_of(error)}")
        with suppress(Exception):  # a plugin may have closed or replaced the stream
            print(f"{what} failed\n{_traceback(error)}", file=sys.__stderr__, flush=True)
        raise kind(words) from error


def _traceback(error: BaseException) -> str:
    """Return the traceback as plain text: it is shown on terminals later."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception as trouble:  # noqa: BLE001 # inside one plugin call: the exception is an object of the plugin
        text = f"(no traceback can be had: {words_of(trouble)})"
    return plain(text, longest=_LONGEST_TRACEBACK, lines=True)


def _where(error: BaseException, source: Path | None) -> str:
    """Return the last line of the plugin's own file that was running, "file.py line 12"."""
    if isinstance(error, SyntaxError) and isinstance(error.filename, str):
        return f"{_shown(error.filename)} line {error.lineno}"
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(name, line) for name, line in frames if Path(name) == source]
    name, line = (own or frames or [("an unknown place", 0)])[-1]
    return f"{_shown(name)} line {line}"


def _shown(filename: str) -> str:
    path = Path(filename)
    return f"{path.parent.name}/{path.name}" if path.name == "__init__.py" else path.name
