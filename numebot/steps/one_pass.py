"""One way through an open round: each model is brought as far as it goes now."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

import pandas as pd

from numebot.core.account import slot_problem
from numebot.core.due import is_due
from numebot.core.ensembles import circles, depths
from numebot.core.errors import AccessDenied, CheckFailed, LocalTrouble, PluginError, Rejected, RoundClosed, Unavailable
from numebot.core.fallback import rung_for
from numebot.core.order import UNKNOWN_RUN, Weight, in_order, p95
from numebot.core.submissions import ENDINGS, failed, has_reached, moved_on, started_over, upload_name
from numebot.core.types import AccountModel, ModelConfig, State, Submission
from numebot.steps.beginning import begin
from numebot.steps.look_ahead import LookAhead
from numebot.steps.open_round import OpenRound
from numebot.steps.preparing import Prepared, Turn, prepared, wanted
from numebot.steps.roster import note_pass
from numebot.steps.tools import Tools, Wishes

logger = logging.getLogger(__name__)

ONE_MODEL_FAILS = (PluginError, CheckFailed, Unavailable, Rejected, RoundClosed, LocalTrouble)
"""What ends one model's way through the round and no other's. A wrong key or setting ends the whole pass."""


class Pass:
    """One way through an open round. Each model goes its own way; none can stop another."""

    def __init__(self, tools: Tools, open_round: OpenRound, slots: Mapping[str, AccountModel], wishes: Wishes) -> None:
        self._tools = tools
        self._open_round = open_round
        self._slots = slots
        self._wishes = wishes
        self._live_files = tools.live_files(open_round.round)
        runs = tools.store.run_times(open_round.round.tournament)
        self._circles: Mapping[str, str] = {}
        self._runs = {name: run for name, took in runs.items() if (run := p95(took)) is not None}

    def play(self, configs: Sequence[ModelConfig]) -> list[Submission]:
        """Bring every model as far as it goes and return the rows in the order of `configs`."""
        self._circles = circles(configs)
        if self._wishes.dry_run:
            stages, made = depths(configs), dict[str, pd.Series]()
            ordered = sorted(configs, key=lambda config: stages[config.name])
            rehearsed = {config.name: self._rehearse(config, made) for config in ordered}
            return [rehearsed[config.name] for config in configs]
        rows = {config.name: self._begin(config.name) for config in configs}
        todo = self._in_order([config for config in configs if self._is_to_do(rows[config.name])], rows)
        if todo:
            self._note_pass([config.name for config in todo])
        stages = depths(todo)
        for _, wave in groupby(todo, key=lambda config: (stages[config.name], rows[config.name].plugin_failures > 0)):
            self._play_together(list(wave), rows)
        self._confirm(rows)
        for config in todo:
            if _is_worth_resending(rows[config.name]):
                rows[config.name] = self._go(rows[config.name], config)
        self._confirm(rows)
        return [rows[config.name] for config in configs]

    def _note_pass(self, models: Sequence[str]) -> None:
        tools, round_ = self._tools, self._open_round.round
        by = "on schedule" if self._wishes.only_due else "by hand"
        left_s = (round_.deadline - self._open_round.now()).total_seconds()
        roster = tools.roster(round_.tournament)
        note_pass(tools.store, round_, models, roster, by=by, left_s=left_s, now=tools.clock.now())

    def _play_together(self, configs: Sequence[ModelConfig], rows: dict[str, Submission]) -> None:
        """Let the plugins of several models run at once, and bring each model on as soon as its own has ended."""
        tools = self._tools
        turns = [
            Turn(config, row := self._at_its_turn(rows[config.name]), self._rung(row, config))
            for config in configs
            if self._problem(config) is None
        ]
        known = prepared(turns, tools.runner, tools.predictor, self._live_files)
        wishes = wanted(turns, known, tools.predictor)
        waiting = list(configs)
        try:
            with LookAhead(tools.runner, tools.clock, wishes) as ahead:
                while waiting:
                    config = self._next(waiting, ahead, rows)
                    waiting.remove(config)
                    ready = known.get(config.name)
                    ready = ready.made_by(ahead, config.name) if ready else None
                    rows[config.name] = self._go(rows[config.name], config, ready, starts_over=self._wishes.force)
        except KeyboardInterrupt:
            # The owner stopped it, whatever the plugins made of that: they are not to blame.
            for config in waiting:
                self._forget_begin(rows[config.name])
            raise

    def _next(self, waiting: Sequence[ModelConfig], ahead: LookAhead, rows: dict[str, Submission]) -> ModelConfig:
        """Wait for the next model whose turn it is: one whose plugin has ended, or one that waits for none."""
        while True:
            for name in ahead.newly_begun():
                rows[name] = self._begun(rows[name])
            done = ahead.first_done([config.name for config in waiting])
            if done is not None:
                return next(config for config in waiting if config.name == done)
            if not ahead.is_made_here(waiting[0].name):
                return waiting[0]
            ahead.wait()

    def _begun(self, row: Submission) -> Submission:
        """Write down that the plugin runs: what takes this process with it must not be tried for ever."""
        if self._wishes.force and row.step is not State.PENDING:
            row = self._start_over_on_purpose(row)
        return self._tools.journal.change_quietly(row, replace(row, begun_at=self._tools.clock.now()))

    def _at_its_turn(self, row: Submission) -> Submission:
        return started_over(row) if self._wishes.force else row

    def _in_order(self, configs: Sequence[ModelConfig], rows: Mapping[str, Submission]) -> list[ModelConfig]:
        """Put first what is at stake and fits into the time that is left, by past run times; ensembles last."""
        if len(configs) < 2:
            return list(configs)
        stakes = self._tools.server.stakes()
        weights = {}
        for config in configs:
            slot, has_failed = self._slots.get(config.name), rows[config.name].plugin_failures > 0
            stake = stakes.get(slot.id, 0.0) if slot else 0.0
            weights[config.name] = Weight(stake, self._run_of(config.name), has_failed)
        now = self._open_round.now()
        return in_order(configs, weights, now=now, last_start=now + self._open_round.left())

    def _run_of(self, name: str) -> timedelta:
        return self._runs.get(name, UNKNOWN_RUN)

    def _begin(self, name: str) -> Submission:
        store, journal, slot = self._tools.store, self._tools.journal, self._slots.get(name)
        return begin(store, journal, self._open_round, model=name, slot=slot, run=self._run_of(name))

    def _confirm(self, rows: dict[str, Submission]) -> None:
        submitted = [row for row in rows.values() if row.state is State.SUBMITTED and row.error is None]
        for row in self._tools.confirmer.confirm(submitted, self._open_round):
            rows[row.model] = row

    def _is_to_do(self, row: Submission) -> bool:
        if self._wishes.force:
            return True
        if self._wishes.only_due and not is_due(row, self._open_round.now()):
            return False
        if row.state is State.CONFIRMED:
            logger.info("round %s: %s already confirmed (%s)", row.round_number, row.model, row.filename)
        if row.state is State.REJECTED:
            words = "round %s: %s stays rejected; mend the cause, then use --force. %s"
            logger.warning(words, row.round_number, row.model, row.error)
        return row.state not in ENDINGS

    def _go(
        self, row: Submission, config: ModelConfig, ready: Prepared | None = None, *, starts_over: bool = False
    ) -> Submission:
        try:
            return self._gone(row, config, ready, starts_over=starts_over)
        except KeyboardInterrupt:
            self._forget_begin(row)
            raise

    def _forget_begin(self, row: Submission) -> None:
        current = self._current(row)
        if current.begun_at is not None:
            self._tools.journal.change_quietly(current, replace(current, begun_at=None))

    def _gone(self, row: Submission, config: ModelConfig, ready: Prepared | None, *, starts_over: bool) -> Submission:
        began = self._tools.clock.monotonic()
        try:
            self._require_slot(config)
            if starts_over and row.step is not State.PENDING:
                row = self._start_over_on_purpose(row)
            return self._bring_to_submitted(row, config, ready)
        except (*ONE_MODEL_FAILS, AccessDenied) as error:
            # The key itself was accepted before; a refusal now concerns this slot alone.
            current = self._current(row)
            run = timedelta() if has_reached(current, State.CHECKED) else self._run_of(row.model)
            lasted_s = self._tools.clock.monotonic() - began
            if isinstance(error, PluginError) and ready is not None:
                lasted_s = max(lasted_s, ready.ran_s())
            return self._tools.journal.fail(current, error, self._open_round, run=run, lasted_s=lasted_s)

    def _current(self, row: Submission) -> Submission:
        return self._tools.store.submission(row.tournament, row.round_number, row.model) or row

    def _require_slot(self, config: ModelConfig) -> None:
        problem = self._problem(config)
        if problem:
            raise PluginError(problem)

    def _problem(self, config: ModelConfig) -> str | None:
        return slot_problem(config, self._slots) or self._circles.get(config.name)

    def _bring_to_submitted(self, row: Submission, config: ModelConfig, ready: Prepared | None) -> Submission:
        journal, predictor = self._tools.journal, self._tools.predictor
        if not has_reached(row, State.UPLOADED):
            rung = ready.rung if ready else self._rung(row, config)
            source = ready.required() if ready else None
            row = predictor.bring_to_checked(row, config, self._live_files, journal, rung=rung, source=source)
        if not has_reached(row, State.SUBMITTED):
            return self._tools.submitter.submit(row, self._tools.predictor.file_of(row), self._open_round)
        # Submitted in an earlier pass and not confirmed there: what is missing is the read-back alone.
        return journal.change(row, moved_on(row, State.SUBMITTED), "looking for the confirmation again")

    def _rung(self, row: Submission, config: ModelConfig) -> str | None:
        """Return the rung of the fallback ladder that it is time for; what is checked already is not made anew.

        With --force it is the model itself: who asks for that may have mended it.
        """
        if has_reached(row, State.CHECKED):
            return row.rung
        failures = 0 if self._wishes.force else row.plugin_failures
        return rung_for(config.fallback, failures, self._open_round.left())

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

    def _rehearse(self, config: ModelConfig, made: dict[str, pd.Series]) -> Submission:
        round_ = self._open_round.round
        row = Submission(round_.tournament, round_.number, config.name)
        try:
            self._require_slot(config)
            row = self._tools.predictor.rehearse(row, config, self._live_files, made)
        except ONE_MODEL_FAILS as error:
            logger.warning("round %s: %s failed: %s (dry run)", row.round_number, row.model, error)
            return failed(row, str(error), next_attempt_at=None)
        name = upload_name(row.model, row.round_number)
        for action in (f"upload authorisation for {name}", "upload of the file", "createSubmission", "read-back"):
            logger.info("round %s: %s %s (dry run; not sent)", row.round_number, row.model, action)
        return row


def _is_worth_resending(row: Submission) -> bool:
    """Whether a row came back from Numerai's validation with its file still good here."""
    return row.state is State.FAILED and row.step is State.CHECKED and row.refusals > 0
