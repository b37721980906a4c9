"""The account itself, its keys and its settings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ariadne import MutationType, ObjectType, QueryType, convert_camel_case_to_snake

from numebot.practice.graphql.resolvers.context import Info, RequestContext, context_of
from numebot.practice.graphql.resolvers.money import WALLET, wallet_transactions
from numebot.practice.world.account import MAXIMUM_MODEL_SLOTS, SCOPES, USERNAME
from numebot.practice.world.state import ApiKey

query = QueryType()
mutation = MutationType()
account_type = ObjectType("Account")
bindables = (query, mutation, account_type)

EMAIL_SWITCHES = (
    "compute", "cryptoRoundOpen", "cryptoRoundSummary", "cryptoSubmission", "deposit", "diagnostics",
    "modelUploadReceipt", "pickleRoundOpen", "pickleRoundStatus", "roundOpen", "roundSummary", "signalsRoundOpen",
    "signalsRoundSummary", "signalsSubmission", "stakeChange", "submission", "submissionSuccess", "submissionsStatus",
    "withdrawal",
)  # fmt: skip


@query.field("account")
def resolve_account(_: Any, info: Info) -> dict[str, Any]:
    """Return the account of the key."""
    context = context_of(info)
    context.require("read_user_info")
    models = context.world.account.models()
    began = min((model.inserted_at for model in models), default=context.moment())
    nothing = Decimal(0)
    return {
        "id": context.world.account.id,
        "username": USERNAME,
        "displayName": USERNAME,
        "email": "player@practice.invalid",
        "status": "VERIFIED",
        "mfaEnabled": False,
        "isBeta": False,
        "isTestPilot": False,
        "acceptedTos": True,
        "insertedAt": began,
        "updatedAt": began,
        "walletAddress": WALLET,
        "availableNmr": nothing,
        "availableStakeCredit": nothing,
        "heldForFusionStakes": nothing,
        "heldForPendingWithdrawals": nothing,
        "heldForScheduledStakeIncreases": nothing,
        "onChainWalletBalance": nothing,
        "defaultCurrency": "USD",
        "defaultCurrencySymbol": "$",
        "maxModelSlots": MAXIMUM_MODEL_SLOTS,
        "models": models,
        "apiTokens": [_token_view(key) for key in context.world.state.keys],
        "emailPreferences": _email_preferences(context),
        "walletTxns": lambda _: wallet_transactions(context),
        "pendingTxns": [],
        "reports": [],
        "scheduledStakeTxns": [],
        "achievements": lambda _, tournament=None: [],
        "returnsValues": [],
        "totalStakeValue": lambda _: _stake_values(context),
        "totalStakeValues": lambda _: _stake_values(context),
    }


def _stake_values(context: RequestContext) -> list[dict[str, Any]]:
    book = context.world.scorebook
    total = sum((book.stake(model, context.now)[0] for model in context.world.account.models()), Decimal(0))
    return [{"time": context.moment(), "value": total, "delta": Decimal(0)}]


def _token_view(key: ApiKey) -> dict[str, Any]:
    return {"name": key.name, "publicId": key.public_id, "scopes": list(key.scopes)}


@query.field("apiTokenInfo")
def resolve_token_info(_: Any, info: Info) -> dict[str, Any]:
    """Return the key in use: any valid key may ask."""
    return {**_token_view(context_of(info).require()), "accountUsername": USERNAME}


@query.field("apiTokenScopes")
def resolve_scopes(_: Any, info: Info) -> list[dict[str, str]]:
    """Return every scope there is."""
    context_of(info).require()
    return [{"name": name, "description": description} for name, description in SCOPES.items()]


@mutation.field("updateEmailPreferences")
def resolve_update_email(_: Any, info: Info, **switches: bool | None) -> dict[str, bool]:
    """Set switches; no e-mail is ever sent."""
    context = context_of(info)
    context.require("write_user_info")
    wanted = {name: switches.get(convert_camel_case_to_snake(name)) for name in EMAIL_SWITCHES}
    context.world.state.email_preferences.update({name: value for name, value in wanted.items() if value is not None})
    context.world.save()
    return _email_preferences(context)


def _email_preferences(context: RequestContext) -> dict[str, bool]:
    return {name: context.world.state.email_preferences.get(name, False) for name in EMAIL_SWITCHES}
