"""Asks which round is on, and answers with three values.

numerapi says "closed" when the API is broken; a daemon that believes it sleeps through the round. Here CLOSED needs
proof: a round whose times say so on every clock that there is, or the server's own words. Whatever else comes back is
UNKNOWN, with the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from numebot.adapters.numerai.answers import root_of, rows_of, text_of, time_of, whole_number_of
from numebot.adapters.numerai.envelope import SchemaMismatch
from numebot.adapters.numerai.transport import Answer, Operation, Transport
from numebot.core.errors import NumebotError, RoundClosed
from numebot.core.types import Round, RoundAnswer, RoundState

logger = logging.getLogger(__name__)

_WINDOW = "number openTime closeStakingTime"
_ROUNDS = "query($tournament: Int) {{ rounds(tournament: $tournament, number: 0) {{ {fields} }} }}"
ROUNDS = Operation("rounds", _ROUNDS.format(fields=f"{_WINDOW} closeTime dataDatestamp"))
ROUNDS_WINDOW_ONLY = Operation("rounds", _ROUNDS.format(fields=_WINDOW))
"""What a decision needs, for the day on which an optional field is gone."""
STATUS = Operation(
    "roundDetails",
    """query($number: Int!, $tournament: Int!) {
      roundDetails(roundNumber: $number, tournament: $tournament) { status } }""",
)
"""The server's own word on a round, which no proxy's clock can spoil."""

NOT_OPEN = frozenset({"upcoming", "closed", "resolving", "resolved"})
"""The words of `roundDetails.status` beside "open"."""
STATUS_TIMEOUT_S = 10.0
"""The second opinion may not eat the time of the round."""
PLAUSIBLE_BEFORE = timedelta(days=1)
PLAUSIBLE_AFTER = timedelta(days=7)
"""How far around the listed rounds our own clock is believed when it is the only one."""

StatusOf = Callable[[int], str | None]
"""Returns the server's word on the round of a number; None when it cannot be had."""


def current_round(transport: Transport, tournament: int) -> RoundAnswer:
    """Return the current round of `tournament`; a server that cannot be asked is UNKNOWN, never an exception."""
    try:
        answer = _ask(transport, tournament)
    except RoundClosed as closed:
        return RoundAnswer(RoundState.CLOSED, None, reason=str(closed))
    except NumebotError as error:
        return RoundAnswer(RoundState.UNKNOWN, None, reason=str(error))

    def status_of(number: int) -> str | None:
        return _status(transport, tournament, number)

    own = transport.clock.now()
    listed = answer.data.get("rounds")
    return judge(listed, tournament, header=answer.server_time, own=own, status_of=status_of)


def judge(
    listed: object,
    tournament: int,
    *,
    header: datetime | None,
    own: datetime,
    status_of: StatusOf = lambda number: None,
) -> RoundAnswer:
    """Say what a list of rounds means: OPEN from openTime until closeStakingTime by either of two clocks.

    `header` is the Date header of the answer, `own` this machine's clock, and both can be wrong: a home server starts
    with a clock that stands still, and a proxy or load balancer may put its own time into the header. An upload in vain
    is harmless, a missed round is not, so:

    * where the header says open, it is open. A wrong clock of ours cannot close a round.
    * where our clock alone says open, the server is asked for its own word (`status_of`). Unless that says that the
      round is not open, it is open and `server_time` is our clock, by which the time left is reckoned from then on.
    * closed takes both clocks. One that is wrong by days is in no round at all and so agrees with "closed".
    * without a header our clock decides, and its "closed" counts only near the rounds that are listed.

    `reason` names both times wherever the clocks disagree.
    """
    rows = [row for row in map(_read, rows_of(listed)) if row is not None]
    if not rows:
        return RoundAnswer(RoundState.UNKNOWN, None, header, f"the server listed no usable round: {_shown(listed)}")
    by_own = _at(rows, own, tournament)
    if header is None:
        return _by_own_clock_alone(replace(by_own, server_time=None), rows, own)
    by_header = _at(rows, header, tournament)
    is_open, is_open_by_own = (answer.state is RoundState.OPEN for answer in (by_header, by_own))
    if is_open == is_open_by_own:
        return by_header
    clocks = (
        f"the clocks disagree: the server's Date header says {_spoken(header)} ({by_header.state}), "
        f"this machine {_spoken(own)} ({by_own.state})"
    )
    if is_open or by_own.round is None:
        return replace(by_header, reason=f"{clocks}; the header counts")
    status = status_of(by_own.round.number)
    if status in NOT_OPEN:
        reason = f"{clocks}; the server calls round {by_own.round.number} {status}"
        return replace(by_header, reason="; ".join(filter(None, (by_header.reason, reason))))
    reason = f"{clocks}; round {by_own.round.number} is taken for open, since an upload in vain harms nothing"
    logger.warning("%s", reason)
    return replace(by_own, reason=reason)


def _at(rows: Sequence[_Row], now: datetime, tournament: int) -> RoundAnswer:
    """Say what the rounds mean by one clock."""
    opened = [row for row in rows if row.opens_at <= now]
    if not opened:
        coming = min(rows, key=lambda row: row.opens_at)
        return RoundAnswer(RoundState.CLOSED, None, now, f"round {coming.number} opens at {_spoken(coming.opens_at)}")
    newest = max(opened, key=lambda row: row.number)
    if newest.deadline is None:
        reason = f"round {newest.number} has opened, but the server names no deadline (closeStakingTime is null)"
        return RoundAnswer(RoundState.UNKNOWN, None, now, reason)
    state = RoundState.OPEN if now < newest.deadline else RoundState.CLOSED
    return RoundAnswer(state, newest.as_round(tournament, newest.deadline), now)


def _by_own_clock_alone(answer: RoundAnswer, rows: Sequence[_Row], own: datetime) -> RoundAnswer:
    is_near = any(row.opens_at - own <= PLAUSIBLE_BEFORE and own - row.ends_at <= PLAUSIBLE_AFTER for row in rows)
    if is_near or answer.state is not RoundState.CLOSED:
        return answer
    reason = (
        f"the server sent no Date header, and this machine's clock ({_spoken(own)}) is far from the round that the "
        f"server lists (round {rows[0].number}, opens at {_spoken(rows[0].opens_at)})"
    )
    return RoundAnswer(RoundState.UNKNOWN, None, reason=reason)


@dataclass(frozen=True)
class _Row:
    number: int
    opens_at: datetime
    deadline: datetime | None
    closes_at: datetime | None
    data_datestamp: int | None

    @property
    def ends_at(self) -> datetime:
        return max(moment for moment in (self.opens_at, self.deadline, self.closes_at) if moment is not None)

    def as_round(self, tournament: int, deadline: datetime) -> Round:
        return Round(tournament, self.number, self.opens_at, deadline, self.closes_at, self.data_datestamp)


def _ask(transport: Transport, tournament: int) -> Answer:
    try:
        return transport.query(ROUNDS, {"tournament": tournament})
    except SchemaMismatch:
        return transport.query(ROUNDS_WINDOW_ONLY, {"tournament": tournament})


def _status(transport: Transport, tournament: int, number: int) -> str | None:
    variables = {"number": number, "tournament": tournament}
    try:
        answer = transport.query(STATUS, variables, tries=1, total_timeout_s=STATUS_TIMEOUT_S)
        details = root_of(answer.data, STATUS.root)
    except NumebotError as error:
        logger.warning("round %s: %s Whether the server calls it open is not known.", number, error)
        return None
    word = text_of(details, "status") if isinstance(details, dict) else None
    return word.lower() if word else None


def _read(row: Mapping[str, Any]) -> _Row | None:
    number, opens_at = whole_number_of(row, "number"), time_of(row, "openTime")
    if number is None or opens_at is None:
        return None
    return _Row(
        number,
        opens_at,
        time_of(row, "closeStakingTime"),
        time_of(row, "closeTime"),
        whole_number_of(row, "dataDatestamp"),
    )


def _shown(listed: object) -> str:
    if isinstance(listed, Sequence) and not isinstance(listed, str):
        return f"{len(listed)} rows, {str(listed)[:100]}"
    return "null" if listed is None else str(listed)[:100]


def _spoken(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
