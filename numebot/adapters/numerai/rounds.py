"""Asks which round is on, and answers with three values.

numerapi says "closed" when the API is broken; a daemon that believes it sleeps through the round. Here CLOSED needs
proof: a round whose times say so, or the server's own words. Whatever else comes back is UNKNOWN, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from numebot.adapters.numerai.answers import rows_of, time_of, whole_number_of
from numebot.adapters.numerai.envelope import SchemaMismatch
from numebot.adapters.numerai.transport import Answer, Operation, Transport
from numebot.core.errors import NumebotError, RoundClosed
from numebot.core.types import Round, RoundAnswer, RoundState

_WINDOW = "number openTime closeStakingTime"
_ROUNDS = "query($tournament: Int) {{ rounds(tournament: $tournament, number: 0) {{ {fields} }} }}"
ROUNDS = Operation("rounds", _ROUNDS.format(fields=f"{_WINDOW} closeTime dataDatestamp"))
ROUNDS_WINDOW_ONLY = Operation("rounds", _ROUNDS.format(fields=_WINDOW))
"""What a decision needs, for the day on which an optional field is gone."""


def current_round(transport: Transport, tournament: int) -> RoundAnswer:
    """Return the current round of `tournament`; a server that cannot be asked is UNKNOWN, never an exception."""
    try:
        answer = _ask(transport, tournament)
    except RoundClosed as closed:
        return RoundAnswer(RoundState.CLOSED, None, reason=str(closed))
    except NumebotError as error:
        return RoundAnswer(RoundState.UNKNOWN, None, reason=str(error))
    return judge(answer.data.get("rounds"), answer.server_time or transport.clock.now(), answer.server_time, tournament)


def judge(listed: object, now: datetime, server_time: datetime | None, tournament: int) -> RoundAnswer:
    """Say what a list of rounds means at `now`: OPEN only from openTime until closeStakingTime."""
    rows = [row for row in map(_read, rows_of(listed)) if row is not None]
    opened = [row for row in rows if row.opens_at <= now]
    if opened:
        newest = max(opened, key=lambda row: row.number)
        if newest.deadline is None:
            reason = f"round {newest.number} has opened, but the server names no deadline (closeStakingTime is null)"
            return RoundAnswer(RoundState.UNKNOWN, None, server_time, reason)
        state = RoundState.OPEN if now < newest.deadline else RoundState.CLOSED
        return RoundAnswer(state, newest.as_round(tournament, newest.deadline), server_time)
    if rows:
        coming = min(rows, key=lambda row: row.opens_at)
        reason = f"round {coming.number} opens at {coming.opens_at:%Y-%m-%d %H:%M:%S} UTC"
        return RoundAnswer(RoundState.CLOSED, None, server_time, reason)
    return RoundAnswer(RoundState.UNKNOWN, None, server_time, f"the server listed no usable round: {_shown(listed)}")


@dataclass(frozen=True)
class _Row:
    number: int
    opens_at: datetime
    deadline: datetime | None
    closes_at: datetime | None
    data_datestamp: int | None

    def as_round(self, tournament: int, deadline: datetime) -> Round:
        return Round(tournament, self.number, self.opens_at, deadline, self.closes_at, self.data_datestamp)


def _ask(transport: Transport, tournament: int) -> Answer:
    try:
        return transport.query(ROUNDS, {"tournament": tournament})
    except SchemaMismatch:
        return transport.query(ROUNDS_WINDOW_ONLY, {"tournament": tournament})


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
