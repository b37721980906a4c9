"""Leaderboards: public."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from statistics import fmean
from typing import Any

from ariadne import QueryType

from numebot.core.types import Tournament
from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.graphql.resolvers.pages import page_of
from numebot.practice.graphql.resolvers.scores import reputations
from numebot.practice.scores.leaderboard import BoardLine, ranked, ranks_by
from numebot.practice.world.account import USERNAME

query = QueryType()
bindables = (query,)

_CLASSIC = {"corr20V2Rep": "v2_corr20", "corr60Rep": "corr60", "mmcRep": "mmc", "mmc60Rep": "mmc60", "bmcRep": "bmc",
            "fncV3Rep": "fnc_v3", "canonCorrLtm": "corr60", "canonMmcLtm": "mmc60"}  # fmt: skip
_SIGNALS = {"alphaRep": "alpha", "mpcRep": "mpc", "corrV4Rep": "corr_v4", "fncV4Rep": "fnc_v4", "icV2Rep": "ic_v2",
            "ricRep": "ric"}  # fmt: skip
_CRYPTO = {"corrRep": "corr", "mmcRep": "mmc", "canonCorrLtm": "corr", "canonMmcLtm": "mmc"}
METRIC_FIELDS = {"corr60": "corr60", "mmc": "mmc", "mmc60": "mmc60", "bmc": "bmc", "fncV3": "fnc_v3", "alpha": "alpha",
                 "mpc": "mpc", "corrV4": "corr_v4", "fncV4": "fnc_v4", "icV2": "ic_v2", "ric": "ric",
                 "corr": "corr"}  # fmt: skip
"""Metrics by the name of their field, where one type has the fields of all tournaments."""
_ACCOUNT_FIELDS = {"v2Corr20": "v2_corr20", **METRIC_FIELDS}
"""The same in the types about accounts, which spell the oldest one in their own way."""
_RETURNS = {"return1Day": "return_1_day", "return13Weeks": "return_13_weeks", "return52Weeks": "return_52_weeks"}


def board(context: RequestContext, tournament: int) -> list[BoardLine]:
    """Return a tournament's models, the account's and the others', best first."""
    own = [own_line(context, model.id) for model in context.world.account.models() if model.tournament == tournament]
    others = context.world.players.leaderboard(tournament)
    return ranked([*own, *others], tournament, context.current_round().number)


def own_line(context: RequestContext, model_id: str) -> BoardLine:
    """Return the line of one of the account's models."""
    model = context.world.account.model(model_id)
    total, _ = context.world.scorebook.stake(model, context.now)
    return BoardLine(model.id, model.name, USERNAME, total, reputations(context, model), model.inserted_at)


def _leaderboard(tournament: Tournament, fields: Mapping[str, str]) -> Callable[..., Sequence[dict[str, Any]]]:
    """Return a resolver for the leaderboard of a tournament whose figures are named by `fields`."""

    def resolve(_: Any, info: Info, **page: Any) -> Sequence[dict[str, Any]]:
        context = context_of(info)
        lines = board(context, tournament)
        by_stake = sorted(lines, key=lambda line: -line.stake_nmr)
        stake_ranks = {line.id: place for place, line in enumerate(by_stake, start=1)}
        places = {f"{name.removesuffix('Rep')}Rank": ranks_by(lines, metric) for name, metric in fields.items()}
        rows = []
        for rank, line in enumerate(lines, start=1):
            row = {**_line_view(line, rank), "nmrStakedRank": stake_ranks[line.id]}
            row.update({name: line.reputations.get(metric) for name, metric in fields.items()})
            row.update({name: found.get(line.id) for name, found in places.items()})
            rows.append(row)
        return page_of(rows, page)

    return resolve


query.set_field("v2Leaderboard", _leaderboard(Tournament.CLASSIC, _CLASSIC))
query.set_field("signalsLeaderboard", _leaderboard(Tournament.SIGNALS, _SIGNALS))
query.set_field("cryptosignalsLeaderboard", _leaderboard(Tournament.CRYPTO, _CRYPTO))


def _line_view(line: BoardLine, rank: int) -> dict[str, Any]:
    return {
        "id": line.id,
        "username": line.name,
        "rank": rank,
        "storedRank": rank,
        "prevRank": rank,
        "rankChange1d": 0,
        "rankChange3m": 0,
        "rankChange1y": 0,
        "nmrStaked": line.stake_nmr,
        "isActive": True,
        "team": False,
        "today": line.return_1_day,
        **{name: getattr(line, attribute) for name, attribute in _RETURNS.items()},
        "latestUserScores": reputation_views(line),
    }


def reputation_views(line: BoardLine) -> list[dict[str, Any]]:
    """Return the reputations of a model by display name."""
    return [{"displayName": name, "reputation": value} for name, value in sorted(line.reputations.items())]


@query.field("accountLeaderboard")
def resolve_account_leaderboard(_: Any, info: Info, **page: Any) -> Sequence[dict[str, Any]]:
    """Return accounts, each with the means of its models, in the order of their best model."""
    context = context_of(info)
    groups: dict[str, list[BoardLine]] = {}
    for line in board(context, checked_tournament(page.get("tournament"))):
        groups.setdefault(line.account, []).append(line)
    rows = [_account_view(name, lines, rank) for rank, (name, lines) in enumerate(groups.items(), start=1)]
    return page_of(rows, page)


def _account_view(name: str, lines: Sequence[BoardLine], rank: int) -> dict[str, Any]:
    stake = sum((line.stake_nmr for line in lines), Decimal(0))
    view = {
        "id": lines[0].id,
        "username": name,
        "displayName": name,
        "rank": rank,
        "storedRank": rank,
        "rankChange1d": 0,
        "rankChange3m": 0,
        "rankChange1y": 0,
        "nmrStaked": stake,
        "team": False,
        "return3m": mean_of([line.return_13_weeks for line in lines]),
        "return1y": mean_of([line.return_52_weeks for line in lines]),
    }
    return {**view, **mean_reputations(lines)}


def mean_reputations(lines: Sequence[BoardLine]) -> dict[str, float | None]:
    """Return the means of an account's models by the field of their metric."""
    reputations_of = {metric: [line.reputations.get(metric) for line in lines] for metric in _ACCOUNT_FIELDS.values()}
    return {field: mean_of(reputations_of[metric]) for field, metric in _ACCOUNT_FIELDS.items()}


def mean_of(values: Sequence[float | None]) -> float | None:
    """Return the mean of what is known, None when nothing is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


@query.field("tournamentOverview")
def resolve_overview(_: Any, info: Info) -> dict[str, Any]:
    """Return totals over all three tournaments."""
    context = context_of(info)
    lines = [line for tournament in Tournament for line in board(context, tournament)]
    staked = [line for line in lines if line.stake_nmr > 0]
    total = sum((line.stake_nmr for line in staked), Decimal(0))
    return {
        "totalAccounts": len({line.account for line in lines}),
        "totalAtStake": total,
        "totalAtStakeValues": [{"time": context.moment(), "value": total, "delta": Decimal(0)}],
        "totalStakes": len(staked),
        "stakedSubmissions": len(staked),
        "stakedAccountsLtm": len({line.account for line in staked}),
        "averageThreeMonthsReturns": mean_of([line.return_13_weeks for line in lines]),
        "totalNetEarnings": Decimal(0),
        "returnsValues": [],
    }
