"""Reads a leaderboard to its end, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from numebot.adapters.numerai.answers import decimal_of, number_of, rows_of, text_of, whole_number_of
from numebot.adapters.numerai.question import Asker, Question, read_rows
from numebot.core.results import LeaderboardRow

PAGE_ROWS = 1000
MOST_PAGES = 50
"""A leaderboard that never ends is not read for ever."""

_NO_FIGURES = frozenset({"id", "username", "rank", "nmrStaked"})


def whole_board(
    asker: Asker, question: Question, variables: Mapping[str, object]
) -> tuple[Sequence[LeaderboardRow], datetime | None]:
    """Return a whole leaderboard, and the server's time when it told it.

    The board may move between two pages: a name that is met twice counts where it was met first. Raises: Unavailable,
    AccessDenied, Rejected.
    """
    known: dict[str, LeaderboardRow] = {}
    server_time = None
    for page in range(MOST_PAGES):
        found, answer = asker.ask(question, {**variables, "limit": PAGE_ROWS, "offset": page * PAGE_ROWS})
        server_time = server_time or answer.server_time
        rows = read_rows(question, found, _line)
        before = len(known)
        for row in rows:
            known.setdefault(row.model, row)
        # Also the end for a server that knows no pages and sends the whole board each time.
        if len(rows_of(found)) != PAGE_ROWS or len(known) == before:
            break
    return list(known.values()), server_time


def _line(row: Mapping[str, Any]) -> LeaderboardRow | None:
    rank, model = whole_number_of(row, "rank"), text_of(row, "username")
    if rank is None or model is None:
        return None
    return LeaderboardRow(
        rank,
        model,
        text_of(row, "id"),
        staked=decimal_of(row, "nmrStaked"),
        figures={name: number_of(row, name) for name in row if name not in _NO_FIGURES},
    )
