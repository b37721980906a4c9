"""Numerai's request limits per address and GraphQL root, as its graphqlRateLimits listed them in July 2026."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol

_MINUTE = timedelta(minutes=1)

PER_MINUTE = {
    "createSubmission": 500,
    "submissionUploadAuth": 1000,
    "listDatasets": 10,
    "dataset": 200,
    "rounds": 250,
    "roundDetails": 100,
    "pipelineStatus": 20,
    "account": 1000,
    "model": 500,
    "submissions": 100,
    "submissionDownloadAuth": 100,
    "submissionScores": 300,
    "v2RoundModelPerformances": 500,
    "v3UserProfile": 300,
    "accountProfile": 100,
    "v2Leaderboard": 200,
    "accountLeaderboard": 20,
    "signalsLeaderboard": 20,
    "cryptosignalsLeaderboard": 20,
    "setSubmissionWebhook": 50,
    "triggerModelWebhook": 50,
    "createDiagnostics": 5,
    "diagnostics": 50,
    "computePickles": 600,
    "computePickleUploadAuth": 20,
    "triggerLogs": 20,
    "pendingModelPayouts": 100,
    "stakeTransactions": 300,
    "apiTokenInfo": 100,
    "apiTokenScopes": 10,
    "latestNmrPrice": 100,
    "addModel": 10,
}
"""Requests that one address may make in any minute."""

PER_MINUTES: dict[str, tuple[int, timedelta]] = {
    **{name: (count, _MINUTE) for name, count in PER_MINUTE.items()},
    "diagnosticsUploadAuth": (50, 10 * _MINUTE),
    "createComputePickleUpload": (3, 30 * _MINUTE),
    "triggerComputePickleUpload": (3, 10 * _MINUTE),
}
"""All limits with the time they count over."""


class Named(Protocol):
    """Something with the camelCase name of a GraphQL root."""

    @property
    def name(self) -> str:
        """The root's name."""


class RateLimits:
    """Counts requests in sliding windows of practice time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._times: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)

    def exceeded(self, address: str, roots: Sequence[Named]) -> int | None:
        """Count a request; return the seconds to wait when it is one too many, None when it may pass."""
        now = self._now()
        with self._lock:
            waits = [wait for root in roots if (wait := self._wait(address, root.name, now)) is not None]
        return max(waits, default=None)

    def _wait(self, address: str, name: str, now: datetime) -> int | None:
        if name not in PER_MINUTES:
            return None
        count, window = PER_MINUTES[name]
        times = self._times[address, name]
        while times and times[0] <= now - window:
            times.popleft()
        if len(times) >= count:
            return max(1, ceil((times[0] + window - now).total_seconds()))
        times.append(now)
        return None
