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
from numebot.core.account import slot_problem
from numebot.core.errors import AccessDenied, CheckFailed, LocalTrouble, PluginError, Rejected, RoundClosed, Unavailable
from numebot.core.ports import Clock, TournamentServer
from numebot.core.submissions import ENDINGS, failed, has_reached, is_our_upload, moved_on, started_over
from numebot.core.types import AccountModel, DataFile, Event, ModelConfig, RoundAnswer, RoundState, State, Submission
from numebot.steps.asking import ask_round, check_key, open_round_of
from numebot.steps.confirming import Confirmer
from numebot.steps.journal import Journal
from numebot.steps.open_round import OpenRound
from numebot.steps.predicting import Predictor
from numebot.steps.settling import settle_earlier
from numebot.steps.submitting import Submitter

logger = logging.getLogger(__name__)

ONE_MODEL_FAILS = (PluginError, CheckFailed, Unavailable, Rejected, RoundClosed, LocalTrouble)
"""What ends one model's way through the round and no other's. A wrong key or setting ends the whole pass."""


@dataclass(frozen=True)
class Tools:
    """What a pass works with; built in app.py."""

    server: TournamentServer
    store: Store
    datasets: Datasets
    journal: Journal
    predictor: Predictor
    submitter: Submitter
    confirmer: Confirmer
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
    answer = ask_round(tools.server, tools.store, tools.clock, tournament)
    if answer.state is RoundState.UNKNOWN or answer.round is None:
        return PassResult(tournament, answer)
    check_key(tools.server)
    slots = [slot for slot in tools.server.account_models() if slot.tournament == tournament]
    open_round = open_round_of(answer, tools.clock, margin=tools.deadline_margin)
    settle_earlier(tools.confirmer, tools.journal, tools.store, slots=slots, current=open_round)
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
        for row in self._tools.confirmer.confirm(submitted, self._open_round):
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
            row = self._tools.journal.change(row, replace(row, model_id=slot.id), f"slot in the account: {slot.id}")
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
                return self._tools.journal.change(row, confirmed, f"confirmed ({entry.filename}, found at Numerai)")
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
        except (*ONE_MODEL_FAILS, AccessDenied) as error:
            # The key itself was accepted before; a refusal now concerns this slot alone.
            current = self._tools.store.submission(row.tournament, row.round_number, row.model) or row
            return self._tools.journal.fail(current, error, self._open_round)

    def _bring_to_submitted(
        self, row: Submission, config: ModelConfig, live: LiveData | Exception | None
    ) -> Submission:
        change = self._tools.journal.change
        if not has_reached(row, State.UPLOADED):
            row = self._tools.predictor.bring_to_checked(row, config, _usable(live), change)
        if not has_reached(row, State.SUBMITTED):
            return self._tools.submitter.submit(row, self._tools.predictor.file_of(row), self._open_round)
        # Submitted in an earlier pass and not confirmed there: what is missing is the read-back alone.
        return change(row, moved_on(row, State.SUBMITTED), "looking for the confirmation again")

    def _start_over_on_purpose(self, row: Submission) -> Submission:
        logger.warning(
            "round %s: %s --force makes a new submission in place of %s. A stake that you authorised yourself for the "
            "old one no longer fits: authorise it again.",
            row.round_number,
            row.model,
            row.filename or "the old one",
        )
        message = f"starting over on purpose (--force), before: {row.state.value} {row.filename or ''}".rstrip()
        return self._tools.journal.change(row, started_over(row), message)

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
