"""Asking for the round: is one open, how long is left, and may our key play it?"""

from __future__ import annotations

import logging
from datetime import timedelta

from numebot.adapters.store import Store
from numebot.core.account import require_scopes
from numebot.core.errors import Rejected, Unavailable
from numebot.core.ledger import UNASKED
from numebot.core.ports import Clock, TournamentServer
from numebot.core.rounds import SKEW_WORTH_A_WORD, ServerClock, spoken
from numebot.core.types import Event, RoundAnswer, RoundState
from numebot.steps.open_round import OpenRound

logger = logging.getLogger(__name__)


def ask_round(server: TournamentServer, store: Store, clock: Clock, tournament: int) -> RoundAnswer:
    """Return the server's answer, told to the owner, and remember the round. Raises: LocalTrouble."""
    answer = server.current_round(tournament)
    now = clock.now()
    if answer.state is RoundState.UNKNOWN:
        message = f"the state of the round is unknown, which is not the same as closed: {answer.reason}"
        logger.warning("%s", message)
        store.record(Event(now, UNASKED, message, tournament))
        return answer
    if answer.round is None:
        logger.info("no round yet: %s", answer.reason or "the server lists none")
        return answer
    store.remember_round(answer.round, now=now)
    if answer.reason:
        logger.warning("%s", answer.reason)
        store.record(Event(now, "round-doubt", answer.reason, tournament, answer.round.number))
    server_now = answer.server_time or now
    skew = abs(server_now - now)
    if skew > SKEW_WORTH_A_WORD:
        message = f"this machine's clock is {spoken(skew)} off the server's; the server's is used for the deadline"
        logger.warning("%s", message)
        details = {"skew_s": skew.total_seconds()}
        store.record(Event(now, "clock-skew", message, tournament, answer.round.number, details=details))
    deadline = f"{answer.round.deadline:%a %Y-%m-%d %H:%M} UTC"
    if answer.state is RoundState.OPEN:
        left = spoken(answer.round.deadline - server_now)
        logger.info("round %s is open, deadline %s (%s left)", answer.round.number, deadline, left)
    else:
        logger.info("no round is open; the deadline of round %s was %s", answer.round.number, deadline)
    return answer


def check_key(server: TournamentServer) -> None:
    """Stop when the key lacks a scope, and warn when it may do too much. Raises: AccessDenied."""
    try:
        warning = require_scopes(server.key_info())
    except (Unavailable, Rejected) as error:
        # What the key may do is good to know and not needed: the uploads themselves will tell.
        logger.warning("the key's scopes could not be read: %s", error)
        return
    if warning:
        logger.warning("%s", warning)


def open_round_of(answer: RoundAnswer, clock: Clock, *, margin: timedelta) -> OpenRound:
    """Return the round of an answer with the server's clock; ours stands in where the server gave no time."""
    if answer.round is None:
        raise ValueError("there is no round in this answer")
    anchor = answer.server_time or clock.now()
    return OpenRound(answer.round, ServerClock(anchor, clock.monotonic()), clock, margin)
