"""STORY 1: bring every model of the open round to "confirmed".

round → data → predictions → checks → submission → scores

Desired state, not events: a pass compares "every enabled model of the open round is confirmed on-time" with the
database and with Numerai, and does what is missing. A second pass over a finished round does nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from numebot.adapters.store import Store
from numebot.core.due import missing_in
from numebot.core.openings import is_entered, left_out_reason
from numebot.core.submissions import has_reached
from numebot.core.types import ModelConfig, RoundAnswer, RoundState, State, Submission
from numebot.steps.alarms import raise_alarms
from numebot.steps.asking import ask_round, check_key, open_round_of
from numebot.steps.one_pass import Pass
from numebot.steps.roster import note_left_out
from numebot.steps.safety_net import settle_nets, spread_net
from numebot.steps.settling import rounds_to_read, settle
from numebot.steps.tools import Tools, Wishes

__all__ = ["PassResult", "Tools", "Wishes", "play_round"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PassResult:
    """What a pass found and left behind. `submissions` are the rows of the models that it was asked to play."""

    tournament: int
    answer: RoundAnswer
    submissions: tuple[Submission, ...] = ()
    is_dry_run: bool = False
    is_entered: bool = True
    """False for an open round that the owner does not want to enter."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do: all confirmed (or rehearsed without a fault), or no round is open."""
        if self.answer.state is not RoundState.OPEN:
            return self.answer.state is RoundState.CLOSED
        wanted = {State.CONFIRMED, State.CHECKED} if self.is_dry_run else {State.CONFIRMED}
        return not self.is_entered or all(row.state in wanted for row in self.submissions)


def play_round(tools: Tools, tournament: int, configs: Sequence[ModelConfig], wishes: Wishes) -> PassResult:
    """Play the current round of one tournament for the models in `configs`, as far as it goes now.

    Raises: ConfigError (AccessDenied included) when a person has to act before anything can work; Unavailable when the
    account cannot be read; LocalTrouble when the database cannot be written. The rest is recorded per model.
    """
    answer = ask_round(tools.server, tools.store, tools.clock, tournament)
    if answer.state is RoundState.UNKNOWN or answer.round is None:
        return PassResult(tournament, answer)
    if answer.state is RoundState.OPEN and _is_to_predict(tools.store, tournament, answer.round.number, configs):
        tools.runner.warm_up()
    check_key(tools.server)
    unfinished = tools.store.unfinished(tournament)
    listed = tools.server.account_models(last_rounds=rounds_to_read(unfinished, answer.round.number))
    slots = [slot for slot in listed if slot.tournament == tournament]
    open_round = open_round_of(answer, tools.clock, margin=tools.deadline_margin)
    if not wishes.dry_run:
        settle(tools.confirmer, tools.journal, unfinished, slots=slots, current=open_round)
    by_name = {slot.name: slot for slot in slots}
    is_wanted = is_entered(answer.round, wishes.play)
    if answer.state is RoundState.CLOSED:
        if tools.net is not None and is_wanted and not wishes.dry_run:
            spread_net(tools.net, open_round, configs, by_name, tools.live_files(open_round.round))
        return PassResult(tournament, answer, tuple(tools.store.submissions(tournament, answer.round.number)))
    if tools.net is not None and not wishes.dry_run:
        settle_nets(tools.net, tournament, by_name, open_number=answer.round.number)
    if not is_wanted:
        reason = left_out_reason(wishes.play)
        logger.info("round %s is left out: %s", answer.round.number, reason)
        note_left_out(tools.store, answer.round, reason, now=tools.clock.now())
        return PassResult(tournament, answer, is_dry_run=wishes.dry_run, is_entered=False)
    tools.store.remember_models(configs, {name: slot.id for name, slot in by_name.items()}, now=tools.clock.now())
    rows = Pass(tools, open_round, by_name, wishes).play(configs)
    if wishes.only_due:
        # Nobody reads what a timer prints; where no daemon runs, this is the only voice.
        raise_alarms(tools.store, open_round.round, missing_in(configs, rows), now=open_round.now())
    return PassResult(tournament, answer, tuple(rows), wishes.dry_run)


def _is_to_predict(store: Store, tournament: int, number: int, configs: Sequence[ModelConfig]) -> bool:
    uploaded = {row.model for row in store.submissions(tournament, number) if has_reached(row, State.UPLOADED)}
    return any(config.name not in uploaded for config in configs)
