"""Roots about rounds and tournaments: public, no key needed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ariadne import ObjectType, QueryType

from numebot.core.types import Tournament
from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.scores.metrics import LAG_DAYS, Metric, with_returns
from numebot.practice.scores.payouts import STAKE_THRESHOLD_NMR, payout_rule
from numebot.practice.world.account import TOURNAMENT_NAMES
from numebot.practice.world.rounds import Phase, PracticeRound
from numebot.practice.world.state import Verdict

query = QueryType()
tournament_type = ObjectType("Tournament")
bindables = (query, tournament_type)

_STATUS = {
    Phase.UPCOMING: "UPCOMING",
    Phase.OPEN: "OPEN",
    Phase.CLOSED: "RESOLVING",
    Phase.RESOLVING: "RESOLVING",
    Phase.RESOLVED: "RESOLVED",
}


@query.field("rounds")
def resolve_rounds(
    _: Any,
    info: Info,
    *,
    number: int | None = None,
    status: str | None = None,
    target: str | None = None,
    tournament: int | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return rounds, newest first; number 0 is the last opened one."""
    context = context_of(info)
    wanted = checked_tournament(tournament)
    listed = _wanted_rounds(context, number)
    views = [round_view(context, wanted, each) for each in listed if status in (None, _STATUS[each.phase(context.now)])]
    chosen = [view for view in views if target in (None, view["target"])]
    return chosen if limit is None else chosen[: max(0, limit)]


def _wanted_rounds(context: RequestContext, number: int | None) -> list[PracticeRound]:
    if number == 0:
        return [context.current_round()]
    if number is None:
        return context.world.calendar.rounds(context.now)
    one = context.world.calendar.round(number, context.now)
    return [] if one is None else [one]


def round_view(context: RequestContext, tournament: int, listed: PracticeRound) -> dict[str, Any]:
    """Return a Round."""
    phase = listed.phase(context.now)
    view = {
        "id": context.round_id(tournament, listed.number),
        "number": listed.number,
        "tournament": tournament,
        "target": payout_rule(tournament, listed.number).target,
        "openTime": listed.opens_at,
        "closeStakingTime": listed.deadline,
        "closeTime": listed.closes_at,
        "scoreTime": listed.scores_at,
        "resolveTime": listed.resolves_at,
        "resolvedGeneral": phase is Phase.RESOLVED,
        "resolvedStaking": phase is Phase.RESOLVED,
        "payoutFactor": payout_factor(tournament, listed, context.now),
        "stakeThreshold": STAKE_THRESHOLD_NMR[Tournament(tournament)],
        "dataDatestamp": listed.data_datestamp,
        "isDaily": True,
        "numTickers": lambda _: len(context.world.market.ids(tournament, listed.number)),
        "roundScoreConfigs": lambda _: [
            config_view(context, tournament, listed, metric) for metric in with_returns(tournament)
        ],
    }
    for name in ("Corr", "Mmc", "Tc"):
        view.update({f"{bound}{name}Multiplier": 0.0 for bound in ("min", "max", "default")})
    return view


def payout_factor(tournament: int, listed: PracticeRound, now: datetime) -> str | None:
    """Return the payout factor as text; the server knows none before the deadline."""
    if listed.phase(now) in (Phase.UPCOMING, Phase.OPEN):
        return None
    return str(float(payout_rule(tournament, listed.number).factor))


def config_view(
    context: RequestContext, tournament: int, listed: PracticeRound, metric: Metric
) -> dict[str, Any]:
    """Return a RoundScoreConfig."""
    rule = payout_rule(tournament, listed.number)
    multiplier, pays = float(rule.multiplier(metric.display_name)), metric.display_name in rule.multipliers
    return {
        **_metric_view(context, tournament, listed.number, metric),
        "roundNumberStart": context.world.calendar.oldest_number,
        "roundNumberEnd": None,
        "totalScoreDays": metric.days,
        "returnsLagDays": 2,
        "dataDelayDays": 1,
        "universe": TOURNAMENT_NAMES[Tournament(tournament)],
        "isCanonScore": pays,
        "isPayout": pays,
        "scoringStart": listed.scores_at,
        "scoringEnd": listed.scored_at(metric.days + LAG_DAYS),
        "minMultiplier": multiplier,
        "maxMultiplier": multiplier,
        "defaultMultiplier": multiplier,
        "clipThreshold": float(rule.clip) if pays else None,
        "stakeThreshold": STAKE_THRESHOLD_NMR[Tournament(tournament)] if pays else None,
        "payoutFactor": float(rule.factor) if pays else None,
    }


def multiplier_views(context: RequestContext, tournament: int, round_number: int) -> list[dict[str, Any]]:
    """Return what the paying metrics of a round count."""
    rule = payout_rule(tournament, round_number)
    return [
        {
            **_metric_view(context, tournament, round_number, metric),
            "multiplier": float(rule.multiplier(metric.display_name)),
        }
        for metric in with_returns(tournament)
        if metric.display_name in rule.multipliers
    ]


def _metric_view(context: RequestContext, tournament: int, round_number: int, metric: Metric) -> dict[str, Any]:
    stable_id = context.world.account.stable_id
    return {
        "id": stable_id("config", tournament, round_number, metric.display_name),
        "scoreConfigId": stable_id("config", tournament, metric.display_name),
        "name": metric.name,
        "version": metric.version,
        "displayName": metric.display_name,
    }


@query.field("roundDetails")
def resolve_round_details(
    _: Any, info: Info, *, round_number: int, tournament: int
) -> dict[str, Any] | None:
    """Return counts and totals of a round; its status is lower-case here."""
    context = context_of(info)
    wanted = checked_tournament(tournament)
    listed = context.current_round() if round_number == 0 else context.world.calendar.round(round_number, context.now)
    if listed is None:
        return None
    phase, days = listed.phase(context.now), listed.days_scored(context.now)
    return {
        "roundId": context.round_id(wanted, listed.number),
        "roundNumber": listed.number,
        "tournament": wanted,
        "status": phase.value,
        "roundTarget": payout_rule(wanted, listed.number).target,
        "isDaily": True,
        "openTime": listed.opens_at,
        "closeTime": listed.closes_at,
        "closeStakingTime": listed.deadline,
        "scoreTime": listed.scores_at,
        "scoresUpdatedTime": listed.scored_at(days) if days else None,
        "roundResolveTime": listed.resolves_at,
        "roundResolved": phase is Phase.RESOLVED,
        "payoutFactor": payout_factor(wanted, listed, context.now),
        "payoutMultipliers": multiplier_views(context, wanted, listed.number),
        **_totals(context, wanted, listed),
    }


def _totals(context: RequestContext, tournament: int, listed: PracticeRound) -> dict[str, Any]:
    """Return what the account's own models put into a round; the other players are not counted here."""
    models = [model for model in context.world.account.models() if model.tournament == tournament]
    results = [context.world.scorebook.result(model, listed.number, context.now) for model in models]
    in_it = [result for result in results if result is not None and result.entry is not None]
    valid = [result for result in in_it if result.entry is not None and result.entry.verdict is Verdict.VALID]
    payouts = [float(result.payout_nmr) for result in valid if result.payout_nmr is not None]
    return {
        "totalSubmitted": len(valid),
        "totalStakes": sum(result.at_risk_nmr > 0 for result in valid),
        "totalAtStake": float(sum(result.at_risk_nmr for result in valid)),
        "totalPayout": sum(payouts) if payouts else None,
        "totalEarned": sum(amount for amount in payouts if amount > 0) if payouts else None,
        "totalBurned": -sum(amount for amount in payouts if amount < 0) if payouts else None,
    }


@query.field("tournaments")
def resolve_tournaments(_: Any, info: Info) -> list[dict[str, Any]]:
    """Return the three tournaments."""
    account = context_of(info).world.account
    return [
        {"id": account.stable_id("tournament", number), "name": name, "tournament": int(number), "active": True}
        for number, name in TOURNAMENT_NAMES.items()
    ]


@tournament_type.field("rounds")
def resolve_tournament_rounds(parent: dict[str, Any], info: Info) -> list[dict[str, Any]]:
    """Return every listed round of a tournament."""
    context = context_of(info)
    return [round_view(context, parent["tournament"], each) for each in context.world.calendar.rounds(context.now)]
