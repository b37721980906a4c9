"""Reading the scores of one model with as few questions as it takes.

One answer holds the newest scores of all open rounds and metrics. Only rounds with days missing, or all of them when it
is time to look for corrections, are read day by day, some rounds at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from numebot.core.errors import Rejected, Unavailable
from numebot.core.ports import ResultsServer, ResultsStore, StandingStore
from numebot.core.results import Score
from numebot.core.standing import ModelRound
from numebot.core.syncing import ScorePlan, pages, rounds_with_gaps
from numebot.core.types import AccountModel

PAGE_ROUNDS = 8
"""Rounds that are read day by day in one answer: some ten thousand scores. Larger ones may take the server too long."""
DISCOVERY_ROUNDS = 3
"""Metric by metric, the newest rounds show which there are; more of them at once may take the server too long."""


@dataclass
class Manners:
    """What a sync learns about how much the server can be asked for; shared by its readers."""

    page_rounds: int = PAGE_ROUNDS
    has_rounds: bool = True
    """Whether the server answers with whole rounds; if not, each metric is asked for."""


@dataclass
class ScoreReader:
    """Reads the scores of one model and counts what came; what was read before a failure is kept."""

    server: ResultsServer
    store: ResultsStore
    standing: StandingStore
    model: AccountModel
    manners: Manners = field(default_factory=Manners)
    read: int = 0
    changed: int = 0

    def read_all(self, plan: ScorePlan) -> None:
        """Read the newest day where that is enough, all days where some are missing or the plan says so.

        Raises: Unavailable, AccessDenied, Rejected, RoundClosed.
        """
        if self.manners.has_rounds:
            try:
                self._read_rounds(plan)
                return
            except Rejected:
                self.manners.has_rounds = False
        self._read_metrics(plan)

    def _read_rounds(self, plan: ScorePlan) -> None:
        tournament, id = self.model.tournament, self.model.id
        newest = self.server.model_rounds(tournament, id, last=plan.last_rounds, newest_only=True)
        self.standing.remember_at_risk(newest)
        scores = [score for each in newest for score in each.scores]
        since = min((each.round_number for each in newest), default=0)
        known = self.store.newest_days(tournament, id, since_round=since)
        wanted = {score.round_number for score in scores} if plan.all_days else rounds_with_gaps(known, scores)
        read = set()
        for found in self._pages(wanted):
            # A round at once, and nothing of it before all is there: what is known has gaps nowhere but at its end.
            days = [score for each in found for score in each.scores]
            self._keep(days)
            read |= {_key(score) for score in days}
        self._keep([score for score in scores if _key(score) not in read])

    def _pages(self, rounds: set[int] | frozenset[int]) -> Iterator[Sequence[ModelRound]]:
        """Yield the rounds with all days; a server that has no answer in time is asked for fewer at once."""
        left = set(rounds)
        while left:
            among = pages(left, self.manners.page_rounds)[0]
            try:
                found = self.server.model_rounds(self.model.tournament, self.model.id, among=among, newest_only=False)
            except Unavailable as error:
                size = self.manners.page_rounds
                if size == 1 or error.retry_after_s is not None:
                    raise
                self.manners.page_rounds = size // 2
                if size < PAGE_ROUNDS:
                    raise  # once smaller is a try, again smaller is a server that is gone
                continue
            yield found
            left = {number for number in left if number < among[0]}

    def _read_metrics(self, plan: ScorePlan) -> None:
        """Read every metric by itself: more questions, for a server that does not know whole rounds."""
        newest = self._ask(None, DISCOVERY_ROUNDS, newest_only=False)
        self._keep(newest)
        since = min((score.round_number for score in newest), default=0) - (plan.last_rounds or 0)
        known = self.store.newest_days(self.model.tournament, self.model.id, since_round=since)
        names = {score.metric for score in newest} | set(self.store.metric_names(self.model.tournament))
        for name in sorted(names):
            scores = self._ask(name, plan.last_rounds, newest_only=not plan.all_days)
            if not plan.all_days and rounds_with_gaps(known, scores):
                scores = self._ask(name, plan.last_rounds, newest_only=False)
            self._keep(scores)

    def _ask(self, metric: str | None, last: int | None, *, newest_only: bool) -> Sequence[Score]:
        return self.server.scores(
            self.model.tournament, self.model.id, metric=metric, last=last, newest_only=newest_only
        )

    def _keep(self, scores: Sequence[Score]) -> None:
        self.read += len(scores)
        self.changed += self.store.remember_scores(scores)


def _key(score: Score) -> tuple[int, str, str, int]:
    return score.round_number, score.metric, score.version, score.day
