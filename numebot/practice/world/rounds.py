"""Rounds of the practice tournament: pure arithmetic from one anchor, the same for every tournament number.

Rounds follow each other at a fixed period, and one period counts as one business day: from the day after the opening
scores appear once a period, on the fourth day those that need returns, and a round resolves when the 60 daily values of
its 60-day metrics are out. Numbers are those of a real tournament week; the rounds before the first start are a back
catalogue without submissions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from numebot.practice.numbering import previous_market_day
from numebot.practice.scores.metrics import LAG_DAYS, LONGEST_DAYS

SCORING_BEGINS_PERIODS = LAG_DAYS + 1
"""Business days from the opening to scoreTime: the first scores that need returns."""
SCORE_DAYS = LAG_DAYS + LONGEST_DAYS
"""Scoring days of a round: three before the first returns are in, then one for each of 60 days of returns."""
BACK_CATALOGUE = 80
"""Rounds listed before the first one that was really played: enough that some have resolved."""


class Phase(StrEnum):
    """Where a round stands."""

    UPCOMING = "upcoming"
    """Not opened yet."""
    OPEN = "open"
    """Opened, deadline ahead."""
    CLOSED = "closed"
    """Past the deadline; no official score yet."""
    RESOLVING = "resolving"
    """Scored daily."""
    RESOLVED = "resolved"
    """Final."""


@dataclass(frozen=True)
class PracticeRound:
    """One round. All times are aware UTC on the practice clock; `deadline` is the API's closeStakingTime."""

    number: int
    opens_at: datetime
    deadline: datetime
    closes_at: datetime
    scores_at: datetime
    resolves_at: datetime
    data_datestamp: int
    period: timedelta
    has_opened: bool = True

    def phase(self, now: datetime) -> Phase:
        """Return where the round stands at `now`."""
        if not self.has_opened:  # also when its announced opening has passed: it is late
            return Phase.UPCOMING
        steps = (
            (self.deadline, Phase.OPEN),
            (self.scores_at, Phase.CLOSED),
            (self.resolves_at, Phase.RESOLVING),
        )
        return next((phase for until, phase in steps if now < until), Phase.RESOLVED)

    def days_scored(self, now: datetime) -> int:
        """Return how many daily scores are out at `now`: 0 to SCORE_DAYS."""
        return max(0, min(SCORE_DAYS, (now - self.scored_at(0)) // self.period))

    def scored_at(self, day: int) -> datetime:
        """Return when the score of `day` (1 is the first) comes out."""
        return self.scores_at + (day - SCORING_BEGINS_PERIODS) * self.period


@dataclass(frozen=True)
class Calendar:
    """All rounds, from the number and the nominal opening of the first played one.

    `late` is how long after its nominal opening a played round really opens. Until then the server announces the
    nominal times; with the opening, openTime and the deadline slide, while closeTime stays.
    """

    first_number: int
    first_opens_at: datetime
    window: timedelta
    period: timedelta
    late: timedelta = timedelta()

    @property
    def oldest_number(self) -> int:
        """The first round of the back catalogue."""
        return max(1, self.first_number - BACK_CATALOGUE)

    def current(self, now: datetime) -> PracticeRound:
        """Return the last opened round, open or not: what the API calls round 0."""
        number = self.first_number + (now - self.first_opens_at) // self.period
        candidate = self._round(number, late=self._late(number))
        return candidate if now >= candidate.opens_at else self._round(number - 1, late=self._late(number - 1))

    def round(self, number: int, now: datetime) -> PracticeRound | None:
        """Return a round as the server describes it at `now`; None when it does not list that number."""
        newest = self.current(now).number + 1
        if not self.oldest_number <= number <= newest:
            return None
        if number == newest:
            return replace(self._round(number, late=timedelta()), has_opened=False)
        return self._round(number, late=self._late(number))

    def rounds(self, now: datetime) -> list[PracticeRound]:
        """Return every listed round, newest (the one upcoming) first."""
        numbers = range(self.current(now).number + 1, self.oldest_number - 1, -1)
        return [listed for number in numbers if (listed := self.round(number, now)) is not None]

    def next_opening(self, now: datetime) -> datetime:
        """Return the actual opening of the upcoming round, delay included."""
        number = self.current(now).number + 1
        return self._round(number, late=self._late(number)).opens_at

    def _late(self, number: int) -> timedelta:
        return self.late if number >= self.first_number else timedelta()

    def _round(self, number: int, *, late: timedelta) -> PracticeRound:
        nominal = self.first_opens_at + (number - self.first_number) * self.period
        scores_at = nominal + SCORING_BEGINS_PERIODS * self.period
        return PracticeRound(
            number=number,
            opens_at=nominal + late,
            deadline=nominal + late + self.window,
            closes_at=nominal + self.period,
            scores_at=scores_at,
            resolves_at=nominal + SCORE_DAYS * self.period,
            data_datestamp=int(previous_market_day(nominal.date()).strftime("%Y%m%d")),
            period=self.period,
        )


def whole_seconds(moment: datetime) -> datetime:
    """Return `moment` in UTC without its fraction: the resolution of the API's times."""
    return moment.astimezone(UTC).replace(microsecond=0)
