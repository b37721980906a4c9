"""What submissions and diagnostics share: uploaded predictions are received, and judged a moment later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from numebot.practice.market.market import Market
from numebot.practice.world.rounds import Calendar
from numebot.practice.world.state import JudgedEntry, State, Verdict
from numebot.practice.world.uploads import Uploads
from numebot.practice.world.validator import Invalid

Entry = TypeVar("Entry", bound=JudgedEntry)


@dataclass(frozen=True)
class Desk:
    """Where uploads come in, and what they are judged by."""

    state: State
    calendar: Calendar
    market: Market
    uploads: Uploads
    validation_delay: timedelta

    def content(self, entry: JudgedEntry) -> bytes:
        """Return the file of an entry as it was when it came in. Raises: FileNotFoundError."""
        return self.uploads.path(entry.sha256).read_bytes()


def judged(entry: Entry, accept: Callable[[Entry], Entry]) -> Entry:
    """Return an entry with its verdict; `accept` adds what is known of a valid one, or raises Invalid."""
    try:
        return replace(accept(entry), verdict=Verdict.VALID)
    except (Invalid, FileNotFoundError) as error:  # a kept file that was removed must not stop the whole server
        return replace(entry, verdict=Verdict.INVALID, error=str(error))


def newest_first(entries: dict[str, Entry], model_id: str) -> list[Entry]:
    """Return a model's entries, newest first."""
    return [entry for entry in reversed(entries.values()) if entry.model_id == model_id]
