"""Scores and play-money payouts of the account's submissions, as they become known day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from numebot.practice.recent import Recent
from numebot.practice.scores.metrics import Score
from numebot.practice.scores.payouts import PayoutRule, metric_payout, payout, payout_rule, stake_at_risk
from numebot.practice.scores.scorer import Scorer
from numebot.practice.world.rounds import Calendar, Phase, PracticeRound
from numebot.practice.world.state import ModelSlot, SubmissionEntry, Verdict
from numebot.practice.world.submissions import Standing, Submissions

_REMEMBERED = 1024


@dataclass(frozen=True)
class RoundResult:
    """What is known of a model in a round: pending until `is_final`. Amounts are play money."""

    round: PracticeRound
    entry: SubmissionEntry | None
    standing: Standing
    scores: tuple[Score, ...]
    at_risk_nmr: Decimal
    rule: PayoutRule
    is_final: bool

    @property
    def payout_nmr(self) -> Decimal | None:
        """What the newest scores pay; None while one that pays is unknown."""
        return payout(self.at_risk_nmr, {score.display_name: score.value for score in self.latest()}, self.rule)

    def payout_of(self, score: Score) -> Decimal | None:
        """Return one metric's part of the payout before the clip; None for a metric that does not pay."""
        return metric_payout(self.at_risk_nmr, score.display_name, score.value, self.rule)

    def latest(self) -> list[Score]:
        """Return the newest score of every metric."""
        newest: dict[tuple[str, str], Score] = {}
        for score in self.scores:
            key = (score.display_name, score.version)
            if key not in newest or score.day >= newest[key].day:
                newest[key] = score
        return list(newest.values())


class Scorebook:
    """Answers what a model scored in a round, at a moment. Scores follow from the uploaded files alone."""

    def __init__(self, calendar: Calendar, submissions: Submissions, scorer: Scorer) -> None:
        self._calendar = calendar
        self._submissions = submissions
        self._scorer = scorer
        self._known: Recent[tuple[str, int, int], tuple[Score, ...]] = Recent(_REMEMBERED)

    def result(self, model: ModelSlot, number: int, now: datetime) -> RoundResult | None:
        """Return a model's result in a listed, opened round; None for any other number."""
        listed = self._calendar.round(number, now)
        if listed is None or not listed.has_opened:
            return None
        standing, entry = self._submissions.standing(model.id, number, now)
        scores = self._scores(entry, listed, now)
        # Nothing is at risk before the deadline, and nothing for a late upload.
        is_staked = standing is Standing.ON_TIME and now >= listed.deadline
        rule = payout_rule(model.tournament, number)
        return RoundResult(
            round=listed,
            entry=entry,
            standing=standing,
            scores=scores,
            at_risk_nmr=stake_at_risk(Decimal(model.stake_nmr), rule) if is_staked else Decimal(0),
            rule=rule,
            is_final=listed.phase(now) is Phase.RESOLVED,
        )

    def results(self, model: ModelSlot, now: datetime) -> list[RoundResult]:
        """Return the results of every round the model has something in, newest first."""
        numbers = {entry.round_number for entry in self._submissions.of_model(model.id)}
        numbers |= {number + 1 for number in numbers}
        found = (self.result(model, number, now) for number in sorted(numbers, reverse=True))
        return [result for result in found if result is not None and result.standing is not Standing.NONE]

    def stake(self, model: ModelSlot, now: datetime) -> tuple[Decimal, Decimal]:
        """Return a model's play stake in NMR: with pending payouts, and with settled ones only."""
        settled = pending = Decimal(model.stake_nmr)
        for result in self.results(model, now):
            paid = result.payout_nmr or Decimal(0)
            pending += paid
            settled += paid if result.is_final else 0
        return pending, settled

    def _scores(
        self, entry: SubmissionEntry | None, listed: PracticeRound, now: datetime
    ) -> tuple[Score, ...]:
        days = listed.days_scored(now)
        if entry is None or entry.verdict is not Verdict.VALID or days == 0:
            return ()
        return self._known.get((entry.id, listed.number, days), lambda: self._scored(entry, listed.number, days))

    def _scored(self, entry: SubmissionEntry, number: int, days: int) -> tuple[Score, ...]:
        predictions = self._submissions.predictions(entry, number)
        return tuple(self._scorer.scores(entry.tournament, number, predictions, days=days))
