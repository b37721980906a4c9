"""Scores and play-money payouts of the account's submissions, as they become known day by day."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from numebot.practice.market_port import ScoreLike, Scorer
from numebot.practice.payouts import payout, payout_rule
from numebot.practice.rounds import Calendar, Phase, PracticeRound
from numebot.practice.state import ModelSlot, SubmissionEntry, Verdict
from numebot.practice.submissions import Standing, Submissions

_REMEMBERED = 1024
_NMR = Decimal("0.000000000000000001")


@dataclass(frozen=True)
class RoundResult:
    """What is known of a model in a round. `payout_nmr` is pending until `is_final`; amounts are play money."""

    round: PracticeRound
    entry: SubmissionEntry | None
    standing: Standing
    scores: tuple[ScoreLike, ...]
    at_risk_nmr: Decimal
    payout_nmr: Decimal | None
    is_final: bool

    def latest(self) -> list[ScoreLike]:
        """Return the newest score of every metric."""
        newest: dict[tuple[str, str], ScoreLike] = {}
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
        self._known: OrderedDict[tuple[str, int, int], tuple[ScoreLike, ...]] = OrderedDict()

    def result(self, model: ModelSlot, number: int, now: datetime) -> RoundResult | None:
        """Return a model's result in a listed, opened round; None for any other number."""
        listed = self._calendar.round(number, now)
        if listed is None or not listed.has_opened:
            return None
        standing, entry = self._submissions.standing(model.id, number, now)
        scores = self._scores(entry, listed, now)
        rule = payout_rule(model.tournament, number)
        result = RoundResult(
            round=listed,
            entry=entry,
            standing=standing,
            scores=scores,
            at_risk_nmr=self._at_risk(model, listed, standing, now),
            payout_nmr=None,
            is_final=listed.phase(now) is Phase.RESOLVED,
        )
        known = {score.display_name: score.value for score in result.latest()}
        return replace(result, payout_nmr=payout(result.at_risk_nmr, known, rule))

    def results(self, model: ModelSlot, now: datetime) -> list[RoundResult]:
        """Return the results of every round the model has something in, newest first."""
        numbers = {entry.round_number for entry in self._submissions.of_model(model.id)}
        numbers |= {number + 1 for number in numbers}
        found = (self.result(model, number, now) for number in sorted(numbers, reverse=True))
        return [result for result in found if result is not None and result.standing is not Standing.NONE]

    def stake(self, model: ModelSlot, now: datetime) -> tuple[Decimal, Decimal]:
        """Return a model's play stake in NMR: with pending payouts, and with settled ones only."""
        results = self.results(model, now)
        settled = Decimal(model.stake_nmr) + sum(
            (result.payout_nmr for result in results if result.is_final and result.payout_nmr is not None), Decimal(0)
        )
        pending = sum(
            (result.payout_nmr for result in results if not result.is_final and result.payout_nmr is not None),
            Decimal(0),
        )
        return settled + pending, settled

    def _scores(
        self, entry: SubmissionEntry | None, listed: PracticeRound, now: datetime
    ) -> tuple[ScoreLike, ...]:
        days = listed.days_scored(now)
        if entry is None or entry.verdict is not Verdict.VALID or days == 0:
            return ()
        key = (entry.id, listed.number, days)
        if key not in self._known:
            predictions = self._submissions.predictions(entry, listed.number)
            self._known[key] = tuple(self._scorer.scores(entry.tournament, listed.number, predictions, days=days))
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return self._known[key]

    @staticmethod
    def _at_risk(model: ModelSlot, listed: PracticeRound, standing: Standing, now: datetime) -> Decimal:
        """Return what of the stake a round risks: nothing before the deadline, nothing for a late upload."""
        if standing is not Standing.ON_TIME or now < listed.deadline:
            return Decimal(0)
        rule = payout_rule(model.tournament, listed.number)
        return (Decimal(model.stake_nmr) / rule.rounds_per_stake).quantize(_NMR)


def metric_payout(tournament: int, result: RoundResult, score: ScoreLike) -> Decimal | None:
    """Return one metric's part of the payout before the clip; None for a metric that does not pay."""
    rule = payout_rule(tournament, result.round.number)
    multiplier = rule.multipliers.get(score.display_name)
    if multiplier is None or score.value is None:
        return None
    return (result.at_risk_nmr * rule.factor * multiplier * Decimal(repr(float(score.value)))).quantize(_NMR)
