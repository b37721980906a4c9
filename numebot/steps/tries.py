"""What went wrong on the way to a row's next durable step: kept in memory and written down with that step.

Most attempts succeed and cost nothing here; the others cost no write of their own, so that a server in trouble does not
make a pass slower still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numebot.core.ports import Clock
from numebot.core.types import Submission
from numebot.core.words import plain

MOST = 20
"""Different failures that are kept for one step; a server that fails more often than that repeats itself."""

_Key = tuple[int, int, str]


class Tries:
    """Failed attempts by row, until a durable change takes them along. `clean` takes secrets out of words."""

    def __init__(self, clock: Clock, clean: Callable[[str], str] = str) -> None:
        self._clock = clock
        self._clean = clean
        self._kept: dict[_Key, list[dict[str, Any]]] = {}
        self._current: Submission | None = None

    def add(self, row: Submission, words: str, *, decided: str = "", lasted_s: float | None = None) -> None:
        """Keep one failed attempt: what was said, what was decided then, and how long it took.

        The same words once more only count up.
        """
        kept = self._kept.setdefault(_key(row), [])
        said = plain(self._clean(words))
        if kept and (kept[-1]["words"], kept[-1].get("decided", "")) == (said, decided):
            kept[-1]["times"] = kept[-1].get("times", 1) + 1
            return
        one: dict[str, Any] = {"at": self._clock.now().isoformat(), "words": said}
        one |= {"decided": decided} if decided else {}
        one |= {"lasted_s": round(lasted_s, 2)} if lasted_s is not None else {}
        if len(kept) < MOST:
            kept.append(one)

    def overheard(self, words: str) -> None:
        """Keep what an adapter says of an attempt that it repeats by itself, for the row that is at work if one is."""
        if self._current is not None:
            self.add(self._current, words)

    @contextmanager
    def of(self, row: Submission) -> Iterator[None]:
        """Let what is overheard inside the block belong to `row`."""
        before, self._current = self._current, row
        try:
            yield
        finally:
            self._current = before

    def taken(self, row: Submission) -> list[dict[str, Any]]:
        """Return the attempts that were kept for a row, and forget them."""
        return self._kept.pop(_key(row), [])


def _key(row: Submission) -> _Key:
    return row.tournament, row.round_number, row.model
