"""Play money: stakes, payouts, the wallet. Nothing here is worth anything, and nothing can be moved."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ariadne import QueryType

from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.graphql.resolvers.pages import part_of
from numebot.practice.world.scorebook import RoundResult
from numebot.practice.world.state import ModelSlot

query = QueryType()
bindables = (query,)

NMR_PRICE_USD = Decimal("12.50")
WALLET = "0x" + "0" * 33 + "ac71ce0"
"""An address without an owner: 40 hex digits."""


def stake_view(context: RequestContext, model: ModelSlot) -> dict[str, Any]:
    """Return a V2Stake; a model without a stake has zeros and nulls. Values are computed only when asked for."""
    book, has_stake = context.world.scorebook, Decimal(model.stake_nmr) > 0
    return {
        "latestValue": lambda _: book.stake(model, context.now)[0],
        "latestValueSettled": lambda _: book.stake(model, context.now)[1],
        "stakeValue": lambda _: book.stake(model, context.now)[0] if has_stake else None,
        "status": "confirmed" if has_stake else None,
        "tournamentNumber": model.tournament,
        "txHash": None,
        "pendingV2ChangeStakeRequest": None,
    }


def returns_view(context: RequestContext, model: ModelSlot) -> dict[str, Any] | None:
    """Return a model's return since its start, in percent of its stake; null before the first settled round."""
    stake = Decimal(model.stake_nmr)
    _, settled = context.world.scorebook.stake(model, context.now)
    if stake <= 0 or settled == stake:
        return None
    earned = settled - stake
    return {"oneDay": None, "threeMonths": None, "oneYear": None, "allTime": float(earned / stake * 100),
            "allTimeNmr": earned}  # fmt: skip


@query.field("pendingModelPayouts")
def resolve_pending_payouts(_: Any, info: Info, *, tournament: int) -> dict[str, Any]:
    """Return the payouts of resolved rounds and what the open ones would pay now."""
    context = context_of(info)
    context.require("read_user_info")
    wanted = checked_tournament(tournament)
    payouts: dict[str, list[dict[str, Any]]] = {"actual": [], "pending": []}
    for model in context.world.account.models():
        if model.tournament == wanted:
            for result in context.world.scorebook.results(model, context.now):
                if result.payout_nmr is not None:
                    kind = "actual" if result.is_final else "pending"
                    payouts[kind].append(_payout_view(context, model, result, result.payout_nmr))
    return payouts


def _payout_view(
    context: RequestContext, model: ModelSlot, result: RoundResult, amount_nmr: Decimal
) -> dict[str, Any]:
    return {
        "roundId": context.round_id(model.tournament, result.round.number),
        "roundNumber": result.round.number,
        "roundResolveTime": result.round.resolves_at,
        "modelId": model.id,
        "modelName": model.name,
        "modelDisplayName": model.name,
        "payoutNmr": amount_nmr,
        "payoutValue": amount_nmr * NMR_PRICE_USD,
        "currencySymbol": "USD",
    }


@query.field("stakeTransactions")
def resolve_stake_transactions(_: Any, info: Info, **wanted: Any) -> Sequence[dict[str, Any]]:
    """Return the settled payouts as transactions, newest first."""
    context = context_of(info)
    context.require("read_user_info")
    ids = set(wanted.get("model_ids") or ([wanted["model_id"]] if wanted.get("model_id") else []))
    rows = [
        _transaction_view(context, model, result, result.payout_nmr)
        for model in context.world.account.models()
        if not ids or model.id in ids
        for result in context.world.scorebook.results(model, context.now)
        if result.is_final and result.payout_nmr
    ]
    rows = [row for row in rows if wanted.get("type") in (None, row["type"])]
    rows.sort(key=lambda row: (row["timestamp"], row["model"]), reverse=True)
    return part_of(rows, wanted)


def _transaction_view(
    context: RequestContext, model: ModelSlot, result: RoundResult, amount_nmr: Decimal
) -> dict[str, Any]:
    return {
        "amount": amount_nmr,
        "model": model.name,
        "modelId": model.id,
        "nmrPrice": NMR_PRICE_USD,
        "nmrPriceLastUpdated": context.moment(),
        "note": "practice money",
        "round": result.round.number,
        "timestamp": result.round.resolves_at,
        "tournament": model.tournament,
        "type": "payout" if amount_nmr > 0 else "burn",
        "value": amount_nmr * NMR_PRICE_USD,
    }


def wallet_transactions(context: RequestContext) -> list[dict[str, Any]]:
    """Return the one transaction there is: the deposit that the play stakes were made from."""
    models = context.world.account.models()
    if not models:
        return []
    return [
        {
            "amount": sum((Decimal(model.stake_nmr) for model in models), Decimal(0)),
            "from": WALLET,
            "to": WALLET,
            "status": "confirmed",
            "time": min(model.inserted_at for model in models),
            "tournament": None,
            "txHash": "0x" + "0" * 64,
            "type": "deposit",
        }
    ]


@query.field("latestNmrPrice")
def resolve_nmr_price(_: Any, info: Info) -> dict[str, Any]:
    """Return a fixed price: practice money has no market."""
    return {"priceUsd": str(NMR_PRICE_USD), "lastUpdated": context_of(info).moment().strftime("%Y-%m-%dT%H:%M:%SZ")}


@query.field("latestCurrencyPrice")
def resolve_currency_price(
    _: Any, info: Info, *, base_symbol: str, target_symbol: str
) -> dict[str, Any] | None:
    """Return the fixed price of NMR in dollars, null for any other pair."""
    if (base_symbol.upper(), target_symbol.upper()) != ("NMR", "USD"):
        return None
    updated = context_of(info).moment().strftime("%Y-%m-%dT%H:%M:%SZ")
    price = str(NMR_PRICE_USD)
    return {"baseSymbol": base_symbol, "targetSymbol": target_symbol, "price": price, "lastUpdated": updated}
