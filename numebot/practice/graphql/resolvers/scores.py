"""Roots about scores: public, as at Numerai. Scores follow from the uploaded files and come out day by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from statistics import fmean
from typing import Any

from ariadne import QueryType

from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.graphql.resolvers.pages import part_of
from numebot.practice.graphql.resolvers.rounds import multiplier_views, payout_factor
from numebot.practice.graphql.resolvers.scalars import number
from numebot.practice.scores.metrics import Score
from numebot.practice.world.rounds import Phase
from numebot.practice.world.scorebook import RoundResult
from numebot.practice.world.state import ModelSlot

query = QueryType()
bindables = (query,)

REPUTATION_ROUNDS = 20
"""Scored rounds that a reputation averages over."""


@query.field("submissionScores")
def resolve_submission_scores(_: Any, info: Info, *, model_id: str, **wanted: Any) -> list[dict[str, Any]]:
    """Return the scores of a model, newest round and day first; unknown models have none."""
    context = context_of(info)
    model = model_of(context, model_id, wanted.get("tournament"))
    if model is None:
        return []
    results = [result for result in context.world.scorebook.results(model, context.now) if result.scores]
    last = wanted.get("last_n_rounds")
    rows = [
        (result, score)
        for result in (results if last is None else results[: max(0, last)])
        for score in sorted(result.scores, key=lambda score: -score.day)
        if _is_wanted(result, score, wanted)
    ]
    if wanted.get("distinct_on_round"):
        rows = list({result.round.number: (result, score) for result, score in reversed(rows)}.values())[::-1]
    return [score_view(context, model, result, score) for result, score in rows]


def _is_wanted(result: RoundResult, score: Score, wanted: Mapping[str, Any]) -> bool:
    facts = {
        "display_name": score.display_name,
        "version": score.version,
        "day": score.day,
        "resolved": result.is_final,
    }
    return all(wanted.get(name) in (None, fact) for name, fact in facts.items())


def model_of(context: RequestContext, model_id: str, tournament: int | None) -> ModelSlot | None:
    """Return a model of the account by id, if it is of that tournament."""
    model = context.world.state.models.get(model_id)
    return model if model is not None and tournament in (None, model.tournament) else None


def score_view(context: RequestContext, model: ModelSlot, result: RoundResult, score: Score) -> dict[str, Any]:
    """Return a SubmissionScore; amounts only for metrics that pay."""
    amount = result.payout_of(score)
    return {
        "roundId": context.round_id(model.tournament, result.round.number),
        "submissionId": result.entry.id if result.entry else None,
        "roundNumber": result.round.number,
        "roundResolveTime": result.round.resolves_at,
        "roundScoreTime": result.round.scores_at,
        "roundCloseStakingTime": result.round.deadline,
        "value": number(score.value),
        "percentile": number(score.percentile),
        "displayName": score.display_name,
        "version": score.version,
        "date": result.round.scored_at(score.day),
        "day": score.day,
        "resolveDate": result.round.resolves_at,
        "resolved": result.is_final,
        "payoutPending": None if result.is_final else amount,
        "payoutSettled": amount if result.is_final else None,
    }


@query.field("v2RoundModelPerformances")
def resolve_performances(_: Any, info: Info, *, model_id: str, **wanted: Any) -> list[dict[str, Any]]:
    """Return a row per opened round of a model, newest first, also for rounds without a submission."""
    context = context_of(info)
    model = model_of(context, model_id, checked_tournament(wanted.get("tournament")))
    if model is None:
        return []
    last = wanted.get("last_n_rounds")
    numbers = range(context.current_round().number, context.world.calendar.oldest_number - 1, -1)
    found = (context.world.scorebook.result(model, one, context.now) for one in numbers[:last])
    results = [result for result in found if result is not None and _passes(context, result, wanted)]
    return [_performance_view(context, model, result) for result in part_of(results, wanted)]


def _passes(context: RequestContext, result: RoundResult, wanted: Mapping[str, Any]) -> bool:
    """Whether a row survives the filters; days count back from now."""
    listed = result.round
    resolved_days, scored_days = wanted.get("resolved_within_last_n_days"), wanted.get("scored_within_last_n_days")
    days = listed.days_scored(context.now)
    refused = (
        wanted.get("round_number_eq") not in (None, listed.number),
        listed.number < (wanted.get("round_number_gte") or 0),
        listed.number > (wanted.get("round_number_lte") or listed.number),
        listed.data_datestamp < (wanted.get("round_data_datestamp_gte") or 0),
        bool(wanted.get("resolved_only")) and not result.is_final,
        bool(wanted.get("submitted_only")) and result.entry is None,
        resolved_days is not None
        and not (result.is_final and listed.resolves_at >= context.now - timedelta(days=resolved_days)),
        scored_days is not None
        and not (days and listed.scored_at(days) >= context.now - timedelta(days=scored_days)),
    )
    return not any(refused)


def _performance_view(context: RequestContext, model: ModelSlot, result: RoundResult) -> dict[str, Any]:
    listed = result.round
    is_past_deadline = listed.phase(context.now) is not Phase.OPEN
    return {
        "atRisk": result.at_risk_nmr,
        "roundId": context.round_id(model.tournament, listed.number),
        "roundNumber": listed.number,
        "roundOpenTime": listed.opens_at,
        "roundCloseStakingTime": listed.deadline,
        "roundResolveTime": listed.resolves_at,
        "roundScoreTime": listed.scores_at,
        "roundResolved": result.is_final,
        "roundTarget": result.rule.target,
        "roundPayoutFactor": payout_factor(model.tournament, listed, context.now),
        "roundDataDatestamp": listed.data_datestamp,
        "submissionId": result.entry.id if result.entry else None,
        "tickersAcceptedCount": result.entry.accepted if result.entry else None,
        "tickersSubmittedCount": result.entry.rows if result.entry else None,
        "submissionScores": _views(context, model, result, result.latest()),
        "intraRoundSubmissionScores": _views(context, model, result, result.scores),
        "allSubmissionScores": _views(context, model, result, result.scores),
        "payoutMultipliers": multiplier_views(context, model.tournament, listed.number) if is_past_deadline else [],
    }


def _views(
    context: RequestContext, model: ModelSlot, result: RoundResult, scores: Iterable[Score]
) -> list[dict[str, Any]] | None:
    """Return scores, null (not an empty list) for a round without any."""
    return [score_view(context, model, result, score) for score in scores] or None


@query.field("userScores")
def resolve_user_scores(_: Any, info: Info, *, model_id: str) -> list[dict[str, Any]]:
    """Return the reputations of a model."""
    context = context_of(info)
    model = model_of(context, model_id, None)
    return [] if model is None else user_scores(context, model)


def user_scores(context: RequestContext, model: ModelSlot) -> list[dict[str, Any]]:
    """Return a model's reputation per metric; none before its first score."""
    return [
        {"displayName": name, "reputation": reputation, "rank": None, "stakedRank": None, "date": context.moment()}
        for name, reputation in sorted(reputations(context, model).items())
    ]


def reputations(context: RequestContext, model: ModelSlot) -> dict[str, float]:
    """Return the mean of the newest score of each metric over the last scored rounds."""
    scored = [result for result in context.world.scorebook.results(model, context.now) if result.scores]
    values: defaultdict[str, list[float]] = defaultdict(list)
    for result in scored[:REPUTATION_ROUNDS]:
        for score in result.latest():
            value = number(score.value)
            if value is not None:
                values[score.display_name].append(value)
    return {name: fmean(each) for name, each in values.items()}


def at_risk_total(context: RequestContext, model: ModelSlot) -> Decimal:
    """Return the play money a model has at risk in rounds that are not resolved."""
    results = context.world.scorebook.results(model, context.now)
    return sum((result.at_risk_nmr for result in results if not result.is_final), Decimal(0))
