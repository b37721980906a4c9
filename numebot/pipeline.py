"""STORY 1: bring every model of the open round to "confirmed".

round → data → predictions → checks → submission → scores

Desired state, not events: a pass compares "every enabled model of the open round is confirmed on-time" with the
database and with Numerai, and does what is missing. A second pass over a finished round does nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from numebot.adapters.datasets import Datasets, LiveData
from numebot.adapters.store import Store
from numebot.core.account import require_scopes, slot_problem
from numebot.core.errors import CheckFailed, LocalTrouble, PluginError, Rejected, RoundClosed, Unavailable
from numebot.core.ports import Clock, TournamentServer
from numebot.core.rounds import SKEW_WORTH_A_WORD, ServerClock, spoken
from numebot.core.submissions import ENDINGS, failed, has_reached, is_our_upload, moved_on, started_over
from numebot.core.types import AccountModel, DataFile, Event, ModelConfig, RoundAnswer, RoundState, State, Submission
from numebot.predicting import Predictor
from numebot.settling import settle_earlier
from numebot.submitting import OpenRound, Submitter

logger = logging.getLogger(__name__)

ONE_MODEL_FAILS = (PluginError, CheckFailed, Unavailable, Rejected, RoundClosed, LocalTrouble)
"""What ends one model's way through the round and no other's. A wrong key or setting ends the whole pass."""


@dataclass(frozen=True)
class Tools:
    """What a pass works with; built in app.py."""

    server: TournamentServer
    store: Store
    datasets: Datasets
    predictor: Predictor
    submitter: Submitter
    clock: Clock
    deadline_margin: timedelta


@dataclass(frozen=True)
class Wishes:
    """What the owner asked of this pass."""

    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True)
class PassResult:
    """What a pass found and left behind. `submissions` are the rows of the models that it was asked to play."""

    tournament: int
    answer: RoundAnswer
    submissions: tuple[Submission, ...] = ()
    is_dry_run: bool = False

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do: all confirmed (or rehearsed without a fault), or no round is open."""
        if self.answer.state is not RoundState.OPEN:
            return self.answer.state is RoundState.CLOSED
        wanted = {State.CONFIRMED, State.CHECKED} if self.is_dry_run else {State.CONFIRMED}
        return all(row.state in wanted for row in self.submissions)


def play_round(tools: Tools, tournament: int, configs: Sequence[ModelConfig], wishes: Wishes) -> PassResult:
    """Play the current round of one tournament for the models in `configs`, as far as it goes now.

    Raises: ConfigError (AccessDenied included) when a person has to act before anything can work; Unavailable when the
    account cannot be read; LocalTrouble when the database cannot be written. The rest is recorded per model.
    """
    answer = tools.server.current_round(tournament)
    _tell_round(tools, tournament, answer)
    if answer.state is RoundState.UNKNOWN or answer.round is None:
        return PassResult(tournament, answer)
    tools.store.remember_round(answer.round, now=tools.clock.now())
    _check_key(tools)
    slots = [slot for slot in tools.server.account_models() if slot.tournament == tournament]
    open_round = _open_round(tools, answer)
    settle_earlier(tools.submitter, tools.store, slots, open_round)
    if answer.state is RoundState.CLOSED:
        return PassResult(tournament, answer, tuple(tools.store.submissions(tournament, answer.round.number)))
    by_name = {slot.name: slot for slot in slots}
    tools.store.remember_models(configs, {name: slot.id for name, slot in by_name.items()}, now=tools.clock.now())
    rows = Pass(tools, open_round, by_name, wishes).play(configs)
    return PassResult(tournament, answer, tuple(rows), wishes.dry_run)


class Pass:
    """One way through an open round. Each model goes its own way; none can stop another."""

    def __init__(self, tools: Tools, open_round: OpenRound, slots: Mapping[str, AccountModel], wishes: Wishes) -> None:
        self._tools = tools
        self._open_round = open_round
        self._slots = slots
        self._wishes = wishes

    def play(self, configs: Sequence[ModelConfig]) -> list[Submission]:
        """Bring every model as far as it goes and return the rows in the order of `configs`."""
        rows = {config.name: self._begin(config) for config in configs}
        todo = [config for config in configs if self._is_to_do(config, rows[config.name])]
        # Ensembles come last: their members' predictions must be there.
        todo.sort(key=lambda config: config.is_ensemble)
        needs_data = any(not has_reached(rows[config.name], State.UPLOADED) for config in todo) or self._wishes.force
        live = self._live_data() if needs_data else None
        for config in todo:
            rows[config.name] = self._go(rows[config.name], config, live)
        if not self._wishes.dry_run:
            self._confirm(rows)
            refused = [config for config in todo if _is_worth_resending(rows[config.name])]
            for config in refused:
                rows[config.name] = self._go(rows[config.name], config, live, is_resending=True)
            self._confirm(rows)
        return [rows[config.name] for config in configs]

    def _confirm(self, rows: dict[str, Submission]) -> None:
        submitted = [row for row in rows.values() if row.state is State.SUBMITTED and row.error is None]
        for row in self._tools.submitter.confirm(submitted, self._open_round):
            rows[row.model] = row

    def _begin(self, config: ModelConfig) -> Submission:
        slot = self._slots.get(config.name)
        round_ = self._open_round.round
        fresh = Submission(round_.tournament, round_.number, config.name, model_id=slot.id if slot else None)
        if self._wishes.dry_run:
            return fresh
        row = self._tools.store.begin_submission(fresh, now=self._tools.clock.now())
        if slot is not None and row.model_id != slot.id:
            # The slot was made, renamed or found only after the first attempt of this round.
            row = self._tools.submitter.change(row, replace(row, model_id=slot.id), f"slot in the account: {slot.id}")
        return self._adopt(row, slot) if slot is not None else row

    def _adopt(self, row: Submission, slot: AccountModel) -> Submission:
        """Take over what Numerai lists as ours already: nothing that is confirmed there is sent again."""
        if row.state is State.CONFIRMED:
            return row
        for entry in slot.submissions:
            is_ours = is_our_upload(entry.filename, row.model, row.round_number)
            is_known = entry.filename == row.filename if row.filename else is_ours
            if entry.round_number == row.round_number and entry.status == "on-time" and is_known:
                found = replace(row, filename=entry.filename, submission_id=entry.id)
                confirmed = moved_on(found, State.CONFIRMED, confirmed_at=self._open_round.now())
                return self._tools.submitter.change(row, confirmed, f"confirmed ({entry.filename}, found at Numerai)")
        return row

    def _is_to_do(self, config: ModelConfig, row: Submission) -> bool:
        if self._wishes.dry_run:
            return True
        if self._wishes.force:
            return True
        if row.state is State.CONFIRMED:
            logger.info("round %s: %s already confirmed (%s)", row.round_number, row.model, row.filename)
            return False
        if row.state is State.REJECTED:
            words = "round %s: %s stays rejected; mend the cause, then use --force. %s"
            logger.warning(words, row.round_number, row.model, row.error)
        return row.state not in ENDINGS

    def _live_data(self) -> LiveData | Exception:
        """Return the round's live data, or why there is none: then every model of this pass fails with that reason."""
        try:
            live = self._tools.datasets.live(self._open_round.round)
        except ONE_MODEL_FAILS as error:
            logger.warning("round %s: no live data: %s", self._open_round.round.number, error)
            return error
        self._announce_newer_version()
        size = live.path.stat().st_size
        number = self._open_round.round.number
        logger.info("round %s: live data %s, %s ids, %s bytes", number, live.version, f"{len(live.ids):,}", f"{size:,}")
        file = DataFile(f"{live.version}/{live.path.name}", live.path, live.sha256, size, number)
        self._tools.store.remember_file(file, now=self._tools.clock.now())
        return live

    def _announce_newer_version(self) -> None:
        tournament = self._open_round.round.tournament
        newer = self._tools.datasets.newer_version(tournament)
        if newer is None:
            return
        words = f"data version {newer} is on offer; the pinned {self._tools.datasets.version(tournament)} stays in use"
        if self._tools.store.record_once(Event(self._tools.clock.now(), "data-version", words, tournament)):
            logger.warning("%s", words)

    def _go(
        self, row: Submission, config: ModelConfig, live: LiveData | Exception | None, *, is_resending: bool = False
    ) -> Submission:
        if self._wishes.dry_run:
            return self._rehearse(row, config, live)
        try:
            problem = slot_problem(config, self._slots)
            if problem:
                raise PluginError(problem)
            if self._wishes.force and not is_resending and row.step is not State.PENDING:
                row = self._start_over_on_purpose(row)
            return self._bring_to_submitted(row, config, live)
        except ONE_MODEL_FAILS as error:
            current = self._tools.store.submission(row.tournament, row.round_number, row.model) or row
            return self._tools.submitter.fail(current, error, self._open_round)

    def _bring_to_submitted(
        self, row: Submission, config: ModelConfig, live: LiveData | Exception | None
    ) -> Submission:
        submitter = self._tools.submitter
        if not has_reached(row, State.UPLOADED):
            row = self._tools.predictor.bring_to_checked(row, config, _usable(live), submitter.change)
        if not has_reached(row, State.SUBMITTED):
            return submitter.submit(row, self._tools.predictor.file_of(row), self._open_round)
        # Submitted in an earlier pass and not confirmed there: what is missing is the read-back alone.
        return submitter.change(row, moved_on(row, State.SUBMITTED), "looking for the confirmation again")

    def _start_over_on_purpose(self, row: Submission) -> Submission:
        logger.warning(
            "round %s: %s --force makes a new submission in place of %s. A stake that you authorised yourself for the "
            "old one no longer fits: authorise it again.",
            row.round_number,
            row.model,
            row.filename or "the old one",
        )
        message = f"starting over on purpose (--force), before: {row.state.value} {row.filename or ''}".rstrip()
        return self._tools.submitter.change(row, started_over(row), message)

    def _rehearse(self, row: Submission, config: ModelConfig, live: LiveData | Exception | None) -> Submission:
        try:
            problem = slot_problem(config, self._slots)
            if problem:
                raise PluginError(problem)
            row = self._tools.predictor.rehearse(row, config, _usable(live))
        except ONE_MODEL_FAILS as error:
            logger.warning("round %s: %s failed: %s (dry run)", row.round_number, row.model, error)
            return failed(row, str(error), next_attempt_at=None)
        name = f"{row.model}_submission_{row.round_number}.csv"
        for action in (f"upload authorisation for {name}", "upload of the file", "createSubmission", "read-back"):
            logger.info("round %s: %s %s (dry run; not sent)", row.round_number, row.model, action)
        return row


def _usable(live: LiveData | Exception | None) -> LiveData:
    """Return the live data, or raise why there is none."""
    if isinstance(live, LiveData):
        return live
    raise live or Unavailable("the live data was not asked for")


def _is_worth_resending(row: Submission) -> bool:
    """Whether a row came back from Numerai's validation with its file still good here."""
    return row.state is State.FAILED and row.step is State.CHECKED and row.submitted_at is not None


def _open_round(tools: Tools, answer: RoundAnswer) -> OpenRound:
    if answer.round is None:
        raise ValueError("no round to play")
    anchor = answer.server_time or tools.clock.now()
    server_clock = ServerClock(anchor, tools.clock.monotonic())
    return OpenRound(answer.round, server_clock, tools.clock, tools.deadline_margin)


def _check_key(tools: Tools) -> None:
    try:
        warning = require_scopes(tools.server.key_info())
    except Unavailable as error:
        # What the key may do is good to know and not needed: the uploads themselves will tell.
        logger.warning("the key's scopes could not be read: %s", error)
        return
    if warning:
        logger.warning("%s", warning)


def _tell_round(tools: Tools, tournament: int, answer: RoundAnswer) -> None:
    now = tools.clock.now()
    number = answer.round.number if answer.round else None
    if answer.state is RoundState.UNKNOWN:
        message = f"the state of the round is unknown, which is not the same as closed: {answer.reason}"
        logger.warning("%s", message)
        tools.store.record(Event(now, "round-unknown", message, tournament, number))
        return
    if answer.round is None:
        logger.info("no round yet: %s", answer.reason or "the server lists none")
        return
    server_now = answer.server_time or now
    skew = abs(server_now - now)
    if skew > SKEW_WORTH_A_WORD:
        message = f"this machine's clock is {spoken(skew)} off the server's; the server's is used for the deadline"
        logger.warning("%s", message)
        details = {"skew_s": skew.total_seconds()}
        tools.store.record(Event(now, "clock-skew", message, tournament, number, details=details))
    deadline = f"{answer.round.deadline:%a %Y-%m-%d %H:%M} UTC"
    if answer.state is RoundState.OPEN:
        left = spoken(answer.round.deadline - server_now)
        logger.info("round %s is open, deadline %s (%s left)", number, deadline, left)
    else:
        logger.info("no round is open; round %s closed at %s", number, deadline)
