"""The border around plugin code: whatever it raises becomes one PluginError with the line it came from."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from numebot.core.errors import PluginError

logger = logging.getLogger(__name__)


@contextmanager
def plugin_call(what: str, source: Path) -> Iterator[None]:
    """Run one call into a plugin, whose file is `source`.

    Raises: PluginError for every exception and for sys.exit; only an interrupt from outside passes.
    """
    try:
        yield
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        logger.warning("%s failed", what, exc_info=error)
        text = str(error).strip().splitlines()
        words = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
        raise PluginError(f"{what} failed at {_where(error, source)}: {words}") from error


def _where(error: BaseException, source: Path) -> str:
    """Return the last line of the plugin's own file that was running, "file.py line 12"."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name} line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename) == source]
    frame = own[-1] if own else frames[-1]
    return f"{Path(frame.filename).name} line {frame.lineno}"
