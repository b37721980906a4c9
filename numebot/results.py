"""STORY 3: bring Numerai's results home: past rounds, what was submitted, scores, payouts, the leaderboard.

A sync is made of parts. One that fails is recorded and told, the others land, and the next sync does it again: each
part compares what Numerai has with what is here, so neither a repetition nor an interruption leaves anything wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from numebot.core.errors import AccessDenied, Rejected, RoundClosed, Unavailable
from numebot.core.ports import Clock, ResultsServer, ResultsStore, TournamentServer
from numebot.core.results import Leaderboard, Part, PartReport, Score, ScoreMark, SyncReport
from numebot.core.syncing import (
    FIRST_ROUNDS,
    ScorePlan,
    kept_rows,
    leaves_a_gap,
    rounds_back,
    score_plan,
)
from numebot.core.types import AccountModel, Event, Round, RoundState

logger = logging.getLogger(__name__)

PART_FAILS = (Unavailable, Rejected, RoundClosed, AccessDenied)
"""What ends one part and no other. A database that cannot be written ends the whole sync."""

DISCOVERY_ROUNDS = 3
"""The newest rounds show every metric there is; unfiltered questions about more may take the server too long."""
FAILURES_IN_A_ROW = 3
"""After so many models in a row the server is taken for unusable, and the others are left for the next sync."""


@dataclass(frozen=True)
class ResultsTools:
    """What a sync works with; built in app.py. `record` writes a line of the timeline, `clean` takes secrets out."""

    server: TournamentServer
    results: ResultsServer
    store: ResultsStore
    record: Callable[[Event], None]
    clock: Clock
    clean: Callable[[str], str] = str


def sync_results(
    tools: ResultsTools, tournament: int, *, full: bool = False, top: int = 20, neighbours: int = 2
) -> SyncReport:
    """Read what is new of a tournament's results; with `full` everything that Numerai still has.

    The snapshot keeps the `top` of the leaderboard, our own models and `neighbours` on both sides of each.
    Raises: LocalTrouble when the database cannot be written. Everything else is told in the report.
    """
    sync = _Sync(tools, tournament, full=full)
    parts = {
        Part.ROUNDS: sync.rounds,
        Part.SETTINGS: sync.settings,
        Part.SUBMISSIONS: sync.submissions,
        Part.SCORES: sync.scores,
        Part.PAYOUTS: sync.payouts,
        Part.LEADERBOARD: lambda: sync.leaderboard(top=top, neighbours=neighbours),
    }
    return SyncReport(tournament, tuple(sync.run(part, action) for part, action in parts.items()))


@dataclass(frozen=True)
class _Landed:
    """The rows of a part, and what of it is missing in spite of them."""

    read: int
    changed: int
    error: str | None = None


class _Sync:
    """One sync of one tournament: what an early part learns, the later ones use."""

    def __init__(self, tools: ResultsTools, tournament: int, *, full: bool) -> None:
        self._tools = tools
        self._tournament = tournament
        self._full = full
        self._current: Round | None = None
        # As it was before this sync: what has become final since must be read once more.
        self._open_before = tools.store.oldest_open_round(tournament)

    def run(self, part: Part, action: Callable[[], _Landed]) -> PartReport:
        """Do one part, and turn its failure into a line of the timeline."""
        try:
            landed = action()
        except PART_FAILS as error:
            landed = _Landed(0, 0, str(error))
        words = None if landed.error is None else self._tools.clean(landed.error)
        if words is not None:
            message = f"{part.value}: {words} The next sync repeats it."
            logger.warning("%s", message)
            self._tools.record(Event(self._tools.clock.now(), "sync-failed", message, self._tournament))
        return PartReport(part, landed.read, landed.changed, words)

    def rounds(self) -> _Landed:
        """Read the rounds up to the current one; later ones are announcements, and theirs may still move."""
        answer = self._tools.server.current_round(self._tournament)
        if answer.state is RoundState.UNKNOWN:
            raise Unavailable(f"the current round is not known: {answer.reason}")
        self._current, now = answer.round, self._tools.clock.now()
        found = self._tools.results.past_rounds(self._tournament, last=self._last_rounds())
        if self._current is not None:
            opened = [facts for facts in found if facts.round.number <= self._current.number]
        else:
            opened = [facts for facts in found if facts.round.opens_at <= (answer.server_time or now)]
        return _Landed(len(opened), self._tools.store.remember_rounds(opened, now=now))

    def settings(self) -> _Landed:
        """Read how the rounds count their metrics."""
        found = self._tools.results.payout_settings(self._tournament, last=self._last_rounds())
        return _Landed(len(found), self._tools.store.remember_settings(found))

    def submissions(self) -> _Landed:
        """Read the account's models and what Numerai lists of their submissions."""
        last = self._last_rounds() or FIRST_ROUNDS
        listed = self._tools.server.account_models(last_rounds=last)
        slots = [slot for slot in listed if slot.tournament == self._tournament]
        changed = self._tools.store.remember_listed(self._tournament, slots, now=self._tools.clock.now())
        return _Landed(sum(len(slot.submissions) for slot in slots), changed)

    def scores(self) -> _Landed:
        """Read the scores of every model; one that fails stops no other, unless the server seems to be gone."""
        models = self._tools.store.own_models(self._tournament)
        read = changed = in_a_row = 0
        failures: list[str] = []
        for model in models:
            reader = _ScoreReader(self._tools, self._tournament, model)
            try:
                self._read_scores(reader)
                in_a_row = 0
            except PART_FAILS as error:
                failures.append(f"{model.name}: {error}")
                in_a_row += 1
            read += reader.read
            changed += reader.changed
            if in_a_row == FAILURES_IN_A_ROW:
                failures.append("the models after these were not asked for.")
                break
        return _Landed(read, changed, " ".join(failures) or None)

    def _read_scores(self, reader: _ScoreReader) -> None:
        now, newest = self._tools.clock.now(), self._current.number if self._current else None
        mark = self._tools.store.score_mark(self._tournament, reader.model.id)
        plan = score_plan(mark, newest, now, full=self._full)
        reader.read_all(plan)
        complete_at = now if plan.all_days or mark is None else mark.complete_at
        # As it is known: where the rounds could not be read it asks for more than is needed, never for less.
        oldest = self._tools.store.oldest_open_round(self._tournament)
        self._tools.store.mark_scores(self._tournament, reader.model.id, ScoreMark(now, complete_at, oldest))

    def payouts(self) -> _Landed:
        """Read what the models earned."""
        found = self._tools.results.payouts(self._tournament)
        return _Landed(len(found), self._tools.store.remember_payouts(found))

    def leaderboard(self, *, top: int, neighbours: int) -> _Landed:
        """Take the snapshot of the day. One for a day before the newest is refused: a clock must be wrong."""
        board, server_time = self._tools.results.leaderboard(self._tournament)
        taken_at = (server_time or self._tools.clock.now()).astimezone(UTC)
        if not board:
            raise Unavailable("the leaderboard came without a line.")
        newest = self._tools.store.newest_leaderboard_day(self._tournament)
        if newest is not None and taken_at.date() < newest:
            raise Unavailable(_clock_words(taken_at, newest.isoformat()))
        own = self._tools.store.own_models(self._tournament)
        ids, names = [model.id for model in own], [model.name for model in own]
        rows = kept_rows(board, ids, names, top=top, neighbours=neighbours)
        snapshot = Leaderboard(self._tournament, taken_at, len(board), tuple(rows))
        return _Landed(len(board), self._tools.store.remember_leaderboard(snapshot))

    def _last_rounds(self) -> int | None:
        if self._full:
            return None
        return rounds_back(self._current.number if self._current else None, self._open_before)


class _ScoreReader:
    """Reads the scores of one model and counts what came; what was read before a failure is kept."""

    def __init__(self, tools: ResultsTools, tournament: int, model: AccountModel) -> None:
        self._tools = tools
        self._tournament = tournament
        self.model = model
        self.read = 0
        self.changed = 0

    def read_all(self, plan: ScorePlan) -> None:
        """Read every metric: the newest day where that is enough, all days where some are missing."""
        newest = self._ask(None, DISCOVERY_ROUNDS, newest_only=False)
        self._keep(newest)
        since = min((score.round_number for score in newest), default=0) - (plan.last_rounds or 0)
        known = self._tools.store.newest_days(self._tournament, self.model.id, since_round=since)
        names = {score.metric for score in newest} | set(self._tools.store.metric_names(self._tournament))
        for name in sorted(names):
            scores = self._ask(name, plan.last_rounds, newest_only=not plan.all_days)
            if not plan.all_days and leaves_a_gap(known, scores):
                # Nothing of it is kept before all is there: what is known may have gaps nowhere but at its end.
                scores = self._ask(name, plan.last_rounds, newest_only=False)
            self._keep(scores)

    def _ask(self, metric: str | None, last: int | None, *, newest_only: bool) -> Sequence[Score]:
        return self._tools.results.scores(
            self._tournament, self.model.id, metric=metric, last=last, newest_only=newest_only
        )

    def _keep(self, scores: Sequence[Score]) -> None:
        self.read += len(scores)
        self.changed += self._tools.store.remember_scores(scores)


def _clock_words(taken_at: datetime, newest: str) -> str:
    return (
        f"by the clock it is {taken_at:%Y-%m-%d}, but there is a snapshot of {newest} already. "
        "Nothing was stored; check the clock of this machine."
    )
