"""A look at a database file that changes nothing: is it whole, and of which schema?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from numebot.adapters.store.tables import HEAD

_THOROUGH_BYTES = 100_000_000
"""Up to this size every index is compared with its table, which takes about a second."""


@dataclass(frozen=True)
class DatabaseState:
    """What was seen: the problems, the revision of the schema (None for none), and the one that is wanted."""

    problems: tuple[str, ...] = ()
    revision: str | None = None
    head: str = HEAD

    @property
    def is_usable(self) -> bool:
        """Whether it can be read as it is."""
        return not self.problems and self.revision == self.head


def look(path: Path) -> DatabaseState:
    """Return the state of a SQLite file. Never raises: what cannot be read is a problem."""
    check = "integrity_check" if path.stat().st_size <= _THOROUGH_BYTES else "quick_check"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as database:
            found = tuple(str(row[0]) for row in database.execute(f"PRAGMA {check}(5)"))
            tables = {str(row[0]) for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            rows = database.execute("SELECT version_num FROM alembic_version").fetchall() if _REVISION in tables else []
    except sqlite3.Error as error:
        return DatabaseState((str(error),))
    return DatabaseState(() if found == ("ok",) else found, str(rows[0][0]) if rows else None)


_REVISION = "alembic_version"
