"""Roots about rounds and tournaments: public, no key needed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ariadne import ObjectType, QueryType

from numebot.core.types import Tournament
from numebot.practice.account import TOURNAMENT_NAMES
from numebot.practice.payouts import payout_rule
from numebot.practice.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.rounds import LONGEST_METRIC_DAYS, SCORE_DAYS, Phase, PracticeRound
from numebot.practice.score_configs import STAKE_THRESHOLD_NMR, ScoreConfig, paying, score_configs
from numebot.practice.state import Verdict

query = QueryType()
tournament_type = ObjectType("Tournament")
bindables = (query, tournament_type)

TARGETS = {Tournament.CLASSIC: "ender_60", Tournament.SIGNALS: "alpha_20", Tournament.CRYPTO: "return_20"}
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
        "target": TARGETS[Tournament(tournament)],
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
            config_view(context, tournament, listed, each) for each in score_configs(tournament, listed.number)
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
    context: RequestContext, tournament: int, listed: PracticeRound, config: ScoreConfig
) -> dict[str, Any]:
    """Return a RoundScoreConfig."""
    metric, threshold = config.metric, STAKE_THRESHOLD_NMR[Tournament(tournament)]
    stable_id = context.world.account.stable_id
    return {
        "id": stable_id("config", tournament, listed.number, metric.display_name),
        "scoreConfigId": stable_id("config", tournament, metric.display_name),
        "roundNumberStart": context.world.calendar.oldest_number,
        "roundNumberEnd": None,
        "name": metric.name,
        "version": metric.version,
        "displayName": metric.display_name,
        "totalScoreDays": metric.total_days,
        "returnsLagDays": 2,
        "dataDelayDays": 1,
        "universe": TOURNAMENT_NAMES[Tournament(tournament)],
        "isCanonScore": config.is_payout,
        "isPayout": config.is_payout,
        "scoringStart": listed.scores_at,
        "scoringEnd": listed.scored_at(metric.total_days + SCORE_DAYS - LONGEST_METRIC_DAYS),
        "minMultiplier": config.multiplier,
        "maxMultiplier": config.multiplier,
        "defaultMultiplier": config.multiplier,
        "clipThreshold": config.clip if config.is_payout else None,
        "stakeThreshold": threshold if config.is_payout else None,
        "payoutFactor": config.factor if config.is_payout else None,
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
        "roundTarget": TARGETS[Tournament(wanted)],
        "isDaily": True,
        "openTime": listed.opens_at,
        "closeTime": listed.closes_at,
        "closeStakingTime": listed.deadline,
        "scoreTime": listed.scores_at,
        "scoresUpdatedTime": listed.scored_at(days) if days else None,
        "roundResolveTime": listed.resolves_at,
        "roundResolved": phase is Phase.RESOLVED,
        "payoutFactor": payout_factor(wanted, listed, context.now),
        "payoutMultipliers": [
            {"displayName": config.metric.display_name, "multiplier": config.multiplier}
            for config in paying(wanted, listed.number)
        ],
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
