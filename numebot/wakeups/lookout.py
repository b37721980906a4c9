"""Looking: which round is on, what of ours is missing in it, and what earlier rounds left to do."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from numebot.core.due import Missing, missing_in
from numebot.core.ledger import CANNOT_ASK
from numebot.core.openings import is_entered, left_out_reason
from numebot.core.ports import Clock
from numebot.core.rounds import round_state
from numebot.core.submissions import ENDINGS
from numebot.core.types import Event, ModelConfig, Round, RoundAnswer, RoundState, State, Submission
from numebot.steps.alarms import ALARM
from numebot.steps.roster import note_left_out

logger = logging.getLogger(__name__)

ASK_SOON = timedelta(hours=1)
"""For so long after a deadline, rows without an ending are looked after at every wake-up."""
ASK_SELDOM = timedelta(minutes=30)
"""Later, so seldom: Numerai may take its time, and rows from long ago may never be decided."""
NET_RESERVE = timedelta(minutes=15)
"""So shortly before the next nominal opening no upload for it is begun any more."""
UNKNOWN_LASTS = timedelta(minutes=15)
"""From here on it is an alarm that Numerai cannot be asked."""
TO_PREDICT = (State.PENDING, State.FAILED, State.MISSED)
"""What leaves it open whether there are predictions; the other states tell that there are."""


class RoundServer(Protocol):
    """Who is asked for the round."""

    def current_round(self, tournament: int) -> RoundAnswer:
        """Return the current round, three-valued. Never raises."""


class Rows(Protocol):
    """A table of the step machine."""

    def of_round(self, tournament: int, round_number: int) -> Sequence[Submission]:
        """Return the rows of one round."""


class LookStore(Protocol):
    """The part of the store that a look needs."""

    @property
    def nets(self) -> Rows:
        """Uploads made after a deadline."""

    def newest_round(self, tournament: int) -> Round | None:
        """Return the last round that was seen."""

    def remember_round(self, round_: Round, *, now: datetime) -> None:
        """Insert or update a round."""

    def submissions(self, tournament: int, round_number: int) -> Sequence[Submission]:
        """Return the rows of one round."""

    def unfinished(self, tournament: int) -> Sequence[Submission]:
        """Return the rows of all rounds that have not come to an end."""

    def record(self, event: Event) -> None:
        """Add a line to the timeline."""

    def record_once(self, event: Event) -> bool:
        """Add a line to the timeline unless it is there."""


@dataclass(frozen=True)
class Look:
    """What was found of one tournament. `now` is the server's time where it told one.

    `round` is the newest round as far as known, also when the server could not be asked; `missing` are the models that
    are not confirmed in it while it is open and entered.
    """

    tournament: int
    state: RoundState
    round: Round | None
    now: datetime
    missing: tuple[Missing, ...] = ()
    has_leftovers: bool = False

    @property
    def wants_pass(self) -> bool:
        """Whether a pass has something to do right now."""
        is_open = self.state is RoundState.OPEN
        return self.has_leftovers or (is_open and any(one.is_due(self.now) for one in self.missing))

    @property
    def wants_predictions(self) -> bool:
        """Whether a plugin will have to run in that pass, as far as can be said before it."""
        return self.state is RoundState.OPEN and any(
            one.state in TO_PREDICT and one.is_due(self.now) for one in self.missing
        )

    @property
    def is_waiting(self) -> bool:
        """Whether a round is open, as far as known, and not all of it confirmed."""
        return bool(self.missing)


class Lookout:
    """Looks at the tournaments, and notices when Numerai cannot be asked for long."""

    def __init__(
        self, server: RoundServer, store: LookStore, clock: Clock, *, play: str = "all", has_net: bool = False
    ) -> None:
        self._server = server
        self._store = store
        self._clock = clock
        self._play = play
        self._has_net = has_net
        self._unknown_since: dict[int, tuple[float, datetime]] = {}
        self._settled_at: dict[int, float] = {}
        self._left_out: set[tuple[int, int, str]] = set()

    def look(self, tournament: int, configs: Sequence[ModelConfig]) -> Look:
        """Ask once and compare with the database. `configs` are the rows to play. Raises: LocalTrouble."""
        answer = self._server.current_round(tournament)
        now = answer.server_time or self._clock.now()
        self._watch_over_answers(tournament, answer)
        if answer.state is RoundState.UNKNOWN:
            return self._as_last_known(tournament, configs, now)
        if answer.round is None:
            newest, leftovers = self._store.newest_round(tournament), self._has_unfinished(tournament, None, now)
            return Look(tournament, answer.state, newest, now, has_leftovers=leftovers)
        if answer.round != self._store.newest_round(tournament):
            self._store.remember_round(answer.round, now=self._clock.now())
        is_open = answer.state is RoundState.OPEN
        missing = self.missing_now(answer.round, configs) if is_open else ()
        if is_open:
            self._tell_left_out(answer.round, configs)
        leftovers = self._has_unfinished(tournament, answer.round if is_open else None, now)
        leftovers = leftovers or (not is_open and self._wants_net(answer.round, configs, now))
        return Look(tournament, answer.state, answer.round, now, tuple(missing), leftovers)

    def _as_last_known(self, tournament: int, configs: Sequence[ModelConfig], now: datetime) -> Look:
        """Go by the round that was seen last: its deadline runs also while nobody answers."""
        newest = self._store.newest_round(tournament)
        if newest is None or round_state(newest, now) is not RoundState.OPEN:
            return Look(tournament, RoundState.UNKNOWN, newest, now)
        return Look(tournament, RoundState.UNKNOWN, newest, now, tuple(self.missing_now(newest, configs)))

    def missing_now(self, round_: Round, configs: Sequence[ModelConfig]) -> Sequence[Missing]:
        """Return what is missing in an open round by the database alone. Raises: LocalTrouble."""
        ours = self.entered(round_, configs)
        return missing_in(ours, self._store.submissions(round_.tournament, round_.number)) if ours else ()

    def entered(self, round_: Round, configs: Sequence[ModelConfig]) -> Sequence[ModelConfig]:
        """Return the models that the owner wants in a round: those of its tournament, none when it is left out."""
        if not is_entered(round_, self._play):
            return ()
        return [config for config in configs if config.tournament == round_.tournament]

    def _tell_left_out(self, round_: Round, configs: Sequence[ModelConfig]) -> None:
        if self.entered(round_, configs):
            return
        reason = "no model is enabled" if is_entered(round_, self._play) else left_out_reason(self._play)
        told = (round_.tournament, round_.number, reason)
        if told not in self._left_out:
            note_left_out(self._store, round_, reason, now=self._clock.now())
            self._left_out.add(told)

    def _has_unfinished(self, tournament: int, open_round: Round | None, now: datetime) -> bool:
        """Whether rows of rounds that are over wait for their ending, and it is time to look after them."""
        rows = [
            row
            for row in self._store.unfinished(tournament)
            if open_round is None or row.round_number != open_round.number
        ]
        if not rows:
            return False
        newest = self._store.newest_round(tournament)
        is_fresh = newest is not None and timedelta() <= now - newest.deadline <= ASK_SOON
        last = self._settled_at.get(tournament)
        monotonic_s = self._clock.monotonic()
        if not is_fresh and last is not None and monotonic_s - last < ASK_SELDOM.total_seconds():
            return False
        self._settled_at[tournament] = monotonic_s
        return True

    def _wants_net(self, over: Round, configs: Sequence[ModelConfig], now: datetime) -> bool:
        if not self._has_net or over.closes_at is None or now >= over.closes_at - NET_RESERVE:
            return False
        if not is_entered(over, self._play):
            return False
        rows = {row.model: row for row in self._store.nets.of_round(over.tournament, over.number)}
        for config in configs:
            row = rows.get(config.name)
            if config.tournament != over.tournament or config.problem or (row is not None and row.state in ENDINGS):
                continue
            if row is None or row.next_attempt_at is None or row.next_attempt_at <= now:
                return True
        return False

    def _watch_over_answers(self, tournament: int, answer: RoundAnswer) -> None:
        monotonic_s = self._clock.monotonic()
        if answer.state is not RoundState.UNKNOWN:
            since = self._unknown_since.pop(tournament, None)
            if since is not None:
                logger.info("Numerai answers again after %.0f s", monotonic_s - since[0])
            return
        # The beginning is kept as it was read: one that is computed anew would move with the clock, and alarm again.
        began_s, began = self._unknown_since.setdefault(tournament, (monotonic_s, self._clock.now()))
        logger.warning("the state of the round is unknown, which is not the same as closed: %s", answer.reason)
        if monotonic_s - began_s >= UNKNOWN_LASTS.total_seconds():
            words = f"{CANNOT_ASK} since {began:%Y-%m-%d %H:%M} UTC"
            event = Event(self._clock.now(), ALARM, words, tournament, details={"error": answer.reason})
            if self._store.record_once(event):
                logger.error("%s: %s", words, answer.reason)
