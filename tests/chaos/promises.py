"""What must hold on the server and on this machine, whatever happened in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from numebot.core.types import State


def accepted(bot: Any, model: str, number: int) -> list[Any]:
    """What the server holds as valid submissions of a model in a round."""
    return [entry for entry in bot.server.world.submissions_of(model, number) if entry.error is None]


def assert_kept(bot: Any, number: int, models: Sequence[str]) -> None:
    """One accepted submission per model, the one that the database calls confirmed, and a database that is whole."""
    rows = {row.model: row for row in bot.rows()}
    for model in models:
        on_server = accepted(bot, model, number)
        assert len(on_server) == 1, f"round {number}, {model}: {len(on_server)} accepted submissions"
        row = rows[model]
        assert (row.round_number, row.state) == (number, State.CONFIRMED), row
        assert row.filename == on_server[0].filename
        assert row.sha256 == on_server[0].sha256
    assert_whole(bot)


def assert_whole(bot: Any) -> None:
    """The database passes SQLite's own check."""
    connection = sqlite3.connect(bot.data_folder / "numebot.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()
