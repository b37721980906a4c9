"""A real store with rounds, rows, lists and lines of the timeline, for the questions about how we stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from numebot.adapters.store import Store
from numebot.core.results import PayoutSetting, RoundFacts, Score
from numebot.core.types import AccountModel, Event, ListedSubmission, ModelConfig, Round, State, Submission

FIRST = 1400


class LedgerRows:
    """Rounds 1400, 1401, … that opened a day apart, the newest of `count` a day before `now`; each is open for an hour.

    numebot has seen each of them a minute after its opening.
    """

    def __init__(self, folder: Path, now: datetime, count: int = 6, tournament: int = 8) -> None:
        self.now = now
        self.tournament = tournament
        self.store = Store(f"sqlite:///{folder / 'numebot.db'}")
        self.count = count
        for number in range(FIRST, FIRST + count):
            self.see(number)

    def round(self, number: int) -> Round:
        opens_at = self.now - timedelta(days=self.count - (number - FIRST))
        deadline = opens_at + timedelta(hours=1)
        return Round(self.tournament, number, opens_at, deadline, opens_at + timedelta(days=1))

    def see(self, number: int, *, after: timedelta = timedelta(minutes=1), **facts: object) -> None:
        """Let numebot hear of a round so long after its opening; a round that it knows keeps the first time."""
        round_ = self.round(number)
        self.store.results.remember_rounds([replace(RoundFacts(round_), **facts)], now=round_.opens_at + after)

    def slots(self, **listed: Mapping[int, str]) -> None:
        """Let the account list models, by name, with what it says of their rounds."""
        slots = [
            AccountModel(
                f"id-{name}",
                name,
                self.tournament,
                submissions=tuple(
                    ListedSubmission(number, status, f"sub-{number}", f"{name}_submission_{number}-abcdefgh.csv")
                    for number, status in of.items()
                ),
            )
            for name, of in listed.items()
        ]
        self.store.results.remember_listed(self.tournament, slots, now=self.round(FIRST).opens_at)

    def configured(self, *names: str) -> None:
        configs = [ModelConfig(name, "models.x", tournament=self.tournament) for name in names]
        self.store.remember_models(configs, {name: f"id-{name}" for name in names}, now=self.now)

    def row(self, number: int, model: str, state: State, error: str | None = None, **changes: object) -> Submission:
        row = Submission(self.tournament, number, model, model_id=f"id-{model}")
        row = self.store.begin_submission(row, now=self.round(number).opens_at)
        name = f"{model}_submission_{number}-abcdefgh.csv" if state is State.CONFIRMED else None
        after = replace(row, state=state, error=error, **{"filename": name, **changes})
        return self.store.change(row, after, None)

    def note(self, number: int, kind: str, message: str, model: str | None = None, *, at_s: float = 60,
             **details: object) -> None:  # fmt: skip
        """Write a line of the timeline, so many seconds after the opening."""
        at = self.round(number).opens_at + timedelta(seconds=at_s)
        self.store.record(Event(at, kind, message, self.tournament, number, model, details))

    def pays(self, number: int, **multipliers: float) -> None:
        settings = [
            PayoutSetting(self.tournament, number, name, "v1", is_payout=True, multiplier=multiplier)
            for name, multiplier in multipliers.items()
        ]
        other = PayoutSetting(self.tournament, number, "bmc", "v1", is_payout=False, multiplier=7.0)
        self.store.results.remember_settings([*settings, other])

    def scored(self, number: int, model: str, day: int = 1, **values: float | None) -> None:
        scores = [
            Score(self.tournament, number, f"id-{model}", name, day, value, version="v1")
            for name, value in values.items()
        ]
        self.store.results.remember_scores(scores)
