"""Writing the step machine down: each change is durable, in the timeline and in the log before the next one begins."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from numebot.core.errors import CheckFailed, NotReady, PluginError, Rejected, RoundClosed
from numebot.core.ports import Clock, SubmissionStore
from numebot.core.submissions import ended, failed
from numebot.core.types import Event, State, Submission
from numebot.steps.open_round import OpenRound
from numebot.steps.tries import Tries

logger = logging.getLogger(__name__)

BAD_NEWS = (State.FAILED, State.REJECTED, State.MISSED, State.LATE)


class Journal:
    """The only way in which a row of the step machine moves."""

    def __init__(
        self,
        store: SubmissionStore,
        clock: Clock,
        *,
        clean: Callable[[str], str] = str,
        at_border: Callable[[str], None] = lambda border: None,
    ) -> None:
        """`clean` takes secrets out of words that may come from a plugin or a library.

        `at_border` is called with "before:STATE" and "STATE" around each durable change.
        """
        self._store = store
        self._clock = clock
        self._clean = clean
        self._at_border = at_border
        self.tries = Tries(clock, clean)
        """Attempts that failed since the last change of a row; the next one takes them into the timeline."""

    def now(self) -> datetime:
        """Return the time that changes are dated with."""
        return self._clock.now()

    def change(self, before: Submission, after: Submission, message: str, **details: object) -> Submission:
        """Write one state change down and return the row as it stands then. Raises: LocalTrouble."""
        message = self._clean(message)
        after = replace(after, error=self._clean(after.error) if after.error else None)
        if after.state in BAD_NEWS:
            # Said first: on a machine in trouble it may be the last that is heard.
            logger.warning("round %s: %s %s", before.round_number, before.model, message)
        event = Event(
            at=self._clock.now(),
            kind="state",
            message=message,
            tournament=before.tournament,
            round_number=before.round_number,
            model=before.model,
            details={**_standing(before, after), **self._tried(before), **details},
        )
        self._at_border(f"before:{after.state.value}")
        changed = self._store.change(before, after, event)
        if after.state not in BAD_NEWS:
            # Said last: what the owner has read survives a power cut.
            logger.info("round %s: %s %s", before.round_number, before.model, message)
        self._at_border(after.state.value)
        return changed

    def _tried(self, row: Submission) -> Mapping[str, object]:
        tries = self.tries.taken(row)
        return {"tries": tries} if tries else {}

    def change_quietly(self, before: Submission, after: Submission) -> Submission:
        """Write a change down that is no news: neither the log nor the timeline hears of it. Raises: LocalTrouble."""
        return self._store.change(before, replace(after, updated_at=self._clock.now()), None)

    def fail(
        self,
        row: Submission,
        error: Exception,
        open_round: OpenRound,
        *,
        run: timedelta = timedelta(),
        lasted_s: float | None = None,
    ) -> Submission:
        """Record a failure in its own class: rejected for good, missed, or to be tried again before the deadline.

        `run` is how long another attempt will take, `lasted_s` how long this one took. A server that calls a round
        closed whose deadline lies ahead is not believed for ever: openings are rough.
        """
        words = str(error)
        details = {"lasted_s": round(lasted_s, 2)} if lasted_s is not None else {}
        if isinstance(error, Rejected):
            return self.change(row, ended(row, State.REJECTED, words), f"rejected: {words}", **details)
        if isinstance(error, RoundClosed) and open_round.left() <= timedelta(0):
            return self.change(row, ended(row, State.MISSED, words), f"missed: {words}", **details)
        if isinstance(error, NotReady):
            return self._wait_for_data(row, words, open_round)
        if isinstance(error, PluginError | CheckFailed):
            after = replace(row, plugin_failures=row.plugin_failures + 1)
        else:
            after = row
        again = open_round.next_attempt(row.attempts + 1, run=run)
        return self.change(row, failed(after, words, next_attempt_at=again), f"failed: {words}", **details)

    def _wait_for_data(self, row: Submission, words: str, open_round: OpenRound) -> Submission:
        """Look again in a minute, every minute: Numerai is late, and no attempt of ours is used up by it."""
        waiting = replace(row, state=State.FAILED, error=words, next_attempt_at=open_round.soon(), begun_at=None)
        if row.state is State.FAILED and row.error == self._clean(words):
            return self.change_quietly(row, replace(waiting, error=row.error))
        return self.change(row, waiting, f"waits for the data: {words}")


def _standing(before: Submission, after: Submission) -> Mapping[str, object]:
    """Return what the timeline keeps of a change: where the row stands then, and what was decided about the rest."""
    details: dict[str, object] = {"state": after.state.value, "step": after.step.value}
    if after.attempts != before.attempts:
        details["attempts"] = after.attempts
    if after.plugin_failures != before.plugin_failures:
        details["plugin_failures"] = after.plugin_failures
    if after.next_attempt_at is not None:
        details["next_attempt_at"] = after.next_attempt_at.isoformat()
    return details
