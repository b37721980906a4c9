"""STORY 3: bring Numerai's results home: past rounds, what was submitted, scores, payouts, how we stand.

A sync is made of parts. One that fails is recorded and told, the others land, and the next sync does it again: each
part compares what Numerai has with what is here, so neither a repetition nor an interruption leaves anything wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from numebot.core.errors import AccessDenied, Rejected, RoundClosed, Unavailable
from numebot.core.ports import Clock, ResultsServer, ResultsStore, StandingServer, StandingStore, TournamentServer
from numebot.core.results import Part, PartReport, ScoreMark, SyncReport
from numebot.core.syncing import FIRST_ROUNDS, models_to_read_whole, rounds_back, score_plan
from numebot.core.types import Event, Round, RoundState
from numebot.steps.score_reading import Manners, ScoreReader
from numebot.steps.standing import Landed, StandingReader, Width

logger = logging.getLogger(__name__)

PART_FAILS = (Unavailable, Rejected, RoundClosed, AccessDenied)
"""What ends one part and no other. A database that cannot be written ends the whole sync."""

FAILURES_IN_A_ROW = 3
"""After so many models in a row the server is taken for unusable, and the others are left for the next sync."""

Progress = Callable[[str, int, int | None], None]
"""Hears of what is done: a part, how many models of it, of how many."""


@dataclass(frozen=True)
class ResultsTools:
    """What a sync works with; built in app.py. `record` writes a line of the timeline, `clean` takes secrets out."""

    server: TournamentServer
    results: ResultsServer
    figures: StandingServer
    store: ResultsStore
    standing: StandingStore
    record: Callable[[Event], None]
    clock: Clock
    clean: Callable[[str], str] = str
    progress: Progress = lambda part, done, of: None


def sync_results(
    tools: ResultsTools, tournament: int, *, full: bool = False, top: int = 20, neighbours: int = 2
) -> SyncReport:
    """Read what is new of a tournament's results; with `full` everything that Numerai still has.

    The snapshots keep the `top` of the leaderboards, our own lines and `neighbours` on both sides of each.
    Raises: LocalTrouble when the database cannot be written. Everything else is told in the report.
    """
    sync = _Sync(tools, tournament, full=full)
    width = Width(top, neighbours)
    standing = StandingReader(tools.figures, tools.results, tools.store, tools.standing, tournament, sync.moment)
    parts: dict[Part, Callable[[], Landed]] = {
        Part.ROUNDS: sync.rounds,
        Part.SETTINGS: sync.settings,
        Part.SUBMISSIONS: sync.submissions,
        Part.SCORES: sync.scores,
        Part.PAYOUTS: sync.payouts,
        Part.ACCOUNT: standing.account,
        Part.LEADERBOARD: lambda: standing.leaderboard(width),
        Part.ACCOUNTS: lambda: standing.accounts(width),
        Part.HISTORY: lambda: standing.history(full=full, progress=tools.progress),
        Part.PRICE: standing.price,
    }
    return SyncReport(tournament, tuple(sync.run(part, action) for part, action in parts.items()))


class _Sync:
    """One sync of one tournament: what an early part learns, the later ones use."""

    def __init__(self, tools: ResultsTools, tournament: int, *, full: bool) -> None:
        self._tools = tools
        self._tournament = tournament
        self._full = full
        self._current: Round | None = None
        self._server_time: datetime | None = None
        # As it was before this sync: what has become final since must be read once more.
        self._open_before = tools.store.oldest_open_round(tournament)

    def moment(self) -> datetime:
        """Return when this sync began by the server's clock, or what ours says when it did not tell."""
        return (self._server_time or self._tools.clock.now()).astimezone(UTC)

    def run(self, part: Part, action: Callable[[], Landed]) -> PartReport:
        """Do one part, turn its failure into a line of the timeline, and remember how it ended."""
        self._tools.progress(part.value, 0, None)
        try:
            landed = action()
        except PART_FAILS as error:
            landed = Landed(0, 0, str(error))
        words = None if landed.error is None else self._tools.clean(landed.error)
        if words is not None:
            message = f"{part.value}: {words} The next sync repeats it."
            logger.warning("%s", message)
            self._tools.record(Event(self._tools.clock.now(), "sync-failed", message, self._tournament))
        self._tools.standing.mark_part(self._tournament, part, at=self.moment(), error=words)
        return PartReport(part, landed.read, landed.changed, words)

    def rounds(self) -> Landed:
        """Read the rounds up to the current one; later ones are announcements, and theirs may still move."""
        answer = self._tools.server.current_round(self._tournament)
        if answer.state is RoundState.UNKNOWN:
            raise Unavailable(f"the current round is not known: {answer.reason}")
        self._current, self._server_time = answer.round, answer.server_time
        found = self._tools.results.past_rounds(self._tournament, last=self._last_rounds())
        if self._current is not None:
            opened = [facts for facts in found if facts.round.number <= self._current.number]
        else:
            opened = [facts for facts in found if facts.round.opens_at <= self.moment()]
        return Landed(len(opened), self._tools.store.remember_rounds(opened, now=self._tools.clock.now()))

    def settings(self) -> Landed:
        """Read how the rounds count their metrics."""
        found = self._tools.results.payout_settings(self._tournament, last=self._last_rounds())
        return Landed(len(found), self._tools.store.remember_settings(found))

    def submissions(self) -> Landed:
        """Read the account's models and what Numerai lists of their submissions."""
        last = self._last_rounds() or FIRST_ROUNDS
        listed = self._tools.server.account_models(last_rounds=last)
        slots = [slot for slot in listed if slot.tournament == self._tournament]
        changed = self._tools.store.remember_listed(self._tournament, slots, now=self._tools.clock.now())
        return Landed(sum(len(slot.submissions) for slot in slots), changed)

    def scores(self) -> Landed:
        """Read the scores of every model; one that fails stops no other, unless the server seems to be gone."""
        store, tools = self._tools.store, self._tools
        models = store.own_models(self._tournament)
        marks = {model.id: store.score_mark(self._tournament, model.id) for model in models}
        whole = models_to_read_whole(marks, tools.clock.now())
        manners = Manners()
        read = changed = in_a_row = 0
        failures: list[str] = []
        for place, model in enumerate(models):
            tools.progress(Part.SCORES.value, place, len(models))
            reader = ScoreReader(tools.results, store, tools.standing, model, manners)
            try:
                self._read_scores(reader, marks[model.id], whole=model.id in whole)
                in_a_row = 0
            except PART_FAILS as error:
                failures.append(f"{model.name}: {error}")
                in_a_row += 1
            read += reader.read
            changed += reader.changed
            if in_a_row == FAILURES_IN_A_ROW:
                failures.append("the models after these were not asked for.")
                break
        return Landed(read, changed, " ".join(failures) or None)

    def _read_scores(self, reader: ScoreReader, mark: ScoreMark | None, *, whole: bool) -> None:
        now, newest = self._tools.clock.now(), self._current.number if self._current else None
        plan = score_plan(mark, newest, full=self._full, whole=whole)
        reader.read_all(plan)
        complete_at = now if plan.all_days or mark is None else mark.complete_at
        # As it is known: where the rounds could not be read it asks for more than is needed, never for less.
        oldest = self._tools.store.oldest_open_round(self._tournament)
        self._tools.store.mark_scores(self._tournament, reader.model.id, ScoreMark(now, complete_at, oldest))

    def payouts(self) -> Landed:
        """Read what the models earned."""
        found = self._tools.results.payouts(self._tournament)
        return Landed(len(found), self._tools.store.remember_payouts(found))

    def _last_rounds(self) -> int | None:
        if self._full:
            return None
        return rounds_back(self._current.number if self._current else None, self._open_before)
