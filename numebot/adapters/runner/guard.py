"""The border around plugin code: whatever it raises becomes one PluginError with the line it came from."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from numebot.adapters.runner.surroundings import surroundings_kept
from numebot.core.errors import PluginError
from numebot.core.words import plain, text_of, words_of

logger = logging.getLogger(__name__)

_LONGEST_TRACEBACK = 20_000


@contextmanager
def plugin_call(what: str, source: Path | None = None) -> Iterator[None]:
    """Run one call into a plugin, whose file is `source` where it is known, and put back what it changes around it.

    Raises: PluginError, fit to be stored and printed, for everything but an interrupt from outside.
    """
    try:
        with surroundings_kept():
            yield
    except KeyboardInterrupt:
        raise
    except PluginError as error:
        words = plain(text_of(error))
        if type(error) is PluginError and words == text_of(error):
            raise
        raise PluginError(words) from error
    except BaseException as error:
        # Besides SystemExit, libraries have own subclasses of BaseException, and GeneratorExit is one of Python's.
        logger.warning("%s failed\n%s", what, _traceback(error))
        raise PluginError(plain(f"{what} failed at {_where(error, source)}: {words_of(error)}")) from error


def _traceback(error: BaseException) -> str:
    """Return the traceback as plain text: logging it as an exception would print the plugin's words as they are."""
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
