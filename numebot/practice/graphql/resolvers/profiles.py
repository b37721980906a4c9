"""Public pages of models and accounts; an unknown name is null, as at Numerai."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from ariadne import QueryType

from numebot.core.types import Tournament
from numebot.practice.graphql.resolvers.boards import METRIC_FIELDS, board, mean_reputations, reputation_views
from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.graphql.resolvers.money import returns_view
from numebot.practice.graphql.resolvers.scores import at_risk_total, reputations, score_view
from numebot.practice.scores.leaderboard import BoardLine, ranks_by
from numebot.practice.world.account import USERNAME
from numebot.practice.world.state import ModelSlot

query = QueryType()
bindables = (query,)

PERFORMANCE_DAYS = 5
"""Scoring days that dailyModelPerformances goes back."""

_REPS = {"corr20V2": "v2_corr20", **METRIC_FIELDS}


@query.field("v3UserProfile")
def resolve_profile(
    _: Any, info: Info, *, model_name: str, tournament: int = 8
) -> dict[str, Any] | None:
    """Return the public page of a model."""
    return _profile(context_of(info), model_name, checked_tournament(tournament))


@query.field("v2SignalsProfile")
def resolve_signals_profile(
    _: Any, info: Info, *, model_name: str, tournament: int = 11
) -> dict[str, Any] | None:
    """Return the public page of a Signals model."""
    return _profile(context_of(info), model_name, checked_tournament(tournament))


def _profile(context: RequestContext, name: str, tournament: int) -> dict[str, Any] | None:
    lines = board(context, tournament)
    line = next((one for one in lines if one.name == name), None)
    if line is None:
        return None
    view = {
        "id": line.id,
        "username": line.name,
        "accountName": line.account,
        "tournament": tournament,
        "startDate": line.started_at,
        "isActive": True,
        "team": False,
        "control": 1.0,
        "nmrStaked": line.stake_nmr if line.stake_nmr else None,
        "stakeValue": line.stake_nmr if line.stake_nmr else None,
        "stakeValues": [],
        "latestReps": {field: line.reputations.get(metric) for field, metric in _REPS.items()},
        "latestRanks": {field: ranks_by(lines, metric).get(line.id) for field, metric in _REPS.items()},
        "latestUserScores": reputation_views(line),
        "latestReturns": None,
        "latestSubmissionScores": [],
        "dailyModelPerformances": [],
        "roundModelPerformances": [],
        "returns": [],
        "typedMedals": [],
    }
    model = context.world.state.models.get(line.id)
    return view if model is None else {**view, **_own_part(context, model, lines)}


def _own_part(context: RequestContext, model: ModelSlot, lines: list[BoardLine]) -> dict[str, Any]:
    """Return what the server knows only of the account's own models."""
    return {
        "bio": model.bio,
        "linkText": model.link_text,
        "linkUrl": model.link_url,
        "computeEnabled": model.webhook is not None,
        "computeLiteEnabled": False,
        "nmrStaked": lambda _: at_risk_total(context, model),
        "latestReturns": lambda _: returns_view(context, model),
        "latestSubmissionScores": lambda _: _latest_scores(context, model),
        "dailyModelPerformances": lambda _: _daily(context, model, lines),
        "roundModelPerformances": lambda _: _rounds(context, model),
    }


def _latest_scores(context: RequestContext, model: ModelSlot) -> list[dict[str, Any]]:
    results = [result for result in context.world.scorebook.results(model, context.now) if result.scores]
    return [score_view(context, model, result, score) for result in results[:1] for score in result.latest()]


def _daily(context: RequestContext, model: ModelSlot, lines: list[BoardLine]) -> list[dict[str, Any]]:
    """Return the reputations of the last scoring days, newest first; ranks only for the newest."""
    period = context.current_round().period
    names = {field: metric for field, metric in _REPS.items() if field not in ("corr20V2", "mmc60", "bmc", "ric")}
    if model.tournament == Tournament.CLASSIC:
        names["corr"] = "v2_corr20"
    rows = []
    for back in range(PERFORMANCE_DAYS):
        then = replace(context, now=context.now - back * period)
        known = reputations(then, model)
        if known:
            row: dict[str, Any] = {f"{field}Rep": known.get(metric) for field, metric in names.items()}
            row["date"] = then.moment()
            if back == 0:
                row.update({f"{field}Rank": ranks_by(lines, metric).get(model.id) for field, metric in names.items()})
            rows.append(row)
    return rows


def _rounds(context: RequestContext, model: ModelSlot) -> list[dict[str, Any]]:
    fields = {field: metric for field, metric in _REPS.items() if field not in ("mmc60", "bmc", "alpha", "mpc")}
    return [
        {
            **{field: values.get(metric) for field, metric in fields.items()},
            "payout": result.payout_nmr,
            "roundNumber": result.round.number,
            "roundOpenTime": result.round.opens_at,
            "roundScoreTime": result.round.scores_at,
            "roundResolveTime": result.round.resolves_at,
            "roundResolved": result.is_final,
            "selectedStakeValue": result.at_risk_nmr,
        }
        for result in context.world.scorebook.results(model, context.now)
        for values in ({score.display_name: score.value for score in result.latest()},)
    ]


@query.field("accountProfile")
def resolve_account_profile(
    _: Any, info: Info, *, username: str, tournament: int = 8
) -> dict[str, Any] | None:
    """Return the public page of an account with its models of one tournament."""
    context = context_of(info)
    wanted = checked_tournament(tournament)
    lines = [line for line in board(context, wanted) if line.account == username]
    if not lines and username != USERNAME:
        return None
    total = sum((line.stake_nmr for line in lines), Decimal(0))
    return {
        "id": context.world.account.id if username == USERNAME else lines[0].id,
        "username": username,
        "displayName": username,
        "tournament": wanted,
        "startDate": min((line.started_at for line in lines), default=context.moment()),
        "isActive": True,
        "team": False,
        "totalStake": total,
        "models": [_model_view(line, wanted) for line in lines],
        "scores": {
            **mean_reputations(lines),
            "date": context.now.date(),
        },
        "scoresTs": [],
        "returnsTs": [],
        "totalStakeTs": [{"date": context.now.date(), "time": context.moment(), "value": total, "delta": Decimal(0)}],
        "achievements": [],
    }


def _model_view(line: BoardLine, tournament: int) -> dict[str, Any]:
    return {
        "id": line.id,
        "displayName": line.name,
        "username": line.name,
        "tournament": tournament,
        "stake": line.stake_nmr,
        "startDate": line.started_at,
        "return1y": line.return_52_weeks,
        **{f"{field}Rep": line.reputations.get(metric) for field, metric in _REPS.items()},
    }
