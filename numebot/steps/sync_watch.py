"""Looking whether a sync is worth its questions, with one small question of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from numebot.core.errors import AccessDenied, Rejected, RoundClosed, Unavailable
from numebot.core.ports import Clock, StandingServer, StandingStore
from numebot.core.scoring import ScoringStatus, next_question, reason_to_sync


@dataclass(frozen=True)
class Outlook:
    """Why a sync is due (None: there can be nothing new), and in how long to look again."""

    reason: str | None
    look_again_in: timedelta


def sync_outlook(
    server: StandingServer, standing: StandingStore, clock: Clock, tournament: int, *, every: timedelta
) -> Outlook:
    """Ask how far the scoring is. A server that does not say makes the sync due, as it was before one could ask.

    Raises: LocalTrouble when the database cannot be read.
    """
    status, now = _status(server, clock.now(), tournament)
    return Outlook(
        reason_to_sync(status, standing.part_marks(tournament), now), next_question(status, now, every=every) - now
    )


def _status(server: StandingServer, now: datetime, tournament: int) -> tuple[ScoringStatus | None, datetime]:
    try:
        status, server_time = server.scoring(tournament, now.astimezone(UTC).date())
        if server_time is not None and server_time.astimezone(UTC).date() != now.astimezone(UTC).date():
            # Our clock is on another day than the server's, whose days these are.
            status, server_time = server.scoring(tournament, server_time.astimezone(UTC).date())
    except (Unavailable, Rejected, RoundClosed, AccessDenied):
        return None, now
    return status, server_time or now
