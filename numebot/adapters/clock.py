"""The only reader of the time."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        self._never = threading.Event()

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only grow, whatever happens to the wall clock."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass. An Event, not time.sleep: it ends on signals that raise, and survives faked clocks."""
        self._never.wait(max(0.0, seconds))
