"""Stakes: mutations are refused, whoever asks; the view of staking v3 shows a contract that does not exist."""

from __future__ import annotations

import hashlib
from decimal import Decimal, InvalidOperation
from typing import Any

from ariadne import MutationType, QueryType

from numebot.core.types import Tournament
from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.graphql.resolvers.money import WALLET
from numebot.practice.scores.payouts import STAKE_THRESHOLD_NMR, WEI_PER_NMR, payout_rule
from numebot.practice.world.refusals import STAKES_DISABLED, Refusal
from numebot.practice.world.rounds import Phase, PracticeRound
from numebot.practice.world.scorebook import RoundResult
from numebot.practice.world.state import ModelSlot

query = QueryType()
mutation = MutationType()
bindables = (query, mutation)

NO_CONTRACT = "0x" + "0" * 40


def _refuse(_: Any, info: Info, **__: Any) -> None:
    context_of(info).require()
    raise Refusal(STAKES_DISABLED)


for _name in (
    "v2ChangeStake",
    "increaseStake",
    "releaseStake",
    "cancelPendingStakeRelease",
    "v2ChangePayoutSelection",
    "v3ChangePayoutSelection",
):
    mutation.set_field(_name, _refuse)


@query.field("v3StakeConfig")
def resolve_config(_: Any, info: Info, *, tournament_id: int | None = None) -> dict[str, Any]:
    """Return the contract: paused, at the zero address."""
    context_of(info).require()
    checked_tournament(tournament_id)
    addresses = ("address", "authorizationSigner", "nmrAddress", "owner", "pendingOwner", "serviceWallet")
    return {**dict.fromkeys(addresses, NO_CONTRACT), "paused": True}


@query.field("v3StakeServiceWallet")
def resolve_wallet(_: Any, info: Info, *, tournament_id: int | None = None) -> dict[str, Any]:
    """Return an empty wallet."""
    context_of(info).require()
    checked_tournament(tournament_id)
    addresses = ("nmrAddress", "serviceWallet", "stakingAddress")
    return {**dict.fromkeys(addresses, NO_CONTRACT), "stakingAllowance": "0", "walletBalance": "0"}


@query.field("v3StakeRound")
def resolve_round(
    _: Any, info: Info, *, round_id: str, tournament_id: int | None = None
) -> dict[str, Any]:
    """Return a round by its number or its id, as the contract would hold it."""
    context = context_of(info)
    context.require()
    tournament, listed = _round(context, round_id, tournament_id)
    phase = listed.phase(context.now)
    total = sum((_stake_wei(result) for _, result in _in_round(context, tournament, listed)), 0)
    return {
        "roundId": str(listed.number),
        "tournamentId": str(tournament),
        "openTime": str(int(listed.opens_at.timestamp())),
        "closeTime": str(int(listed.deadline.timestamp())),
        "resolveTime": str(int(listed.resolves_at.timestamp())),
        "resolved": phase is Phase.RESOLVED,
        "state": phase.value,
        "payoutFactor": str(float(payout_rule(tournament, listed.number).factor)),
        "stakeThreshold": str(int(STAKE_THRESHOLD_NMR[Tournament(tournament)])),
        "stakeCap": "0",
        "totalStaked": str(total),
        "totalPayout": "0",
        "remainingPayout": "0",
        "remainingBurn": "0",
        "merkleRoot": None,
    }


@query.field("v3StakeAuth")
def resolve_authorization(
    _: Any,
    info: Info,
    *,
    submission_id: str,
    staker: str,
    max_amount: str,
    tournament_id: int | None = None,
) -> dict[str, Any]:
    """Return an authorisation for the selected submission; its signature is one that no contract would take."""
    context = context_of(info)
    context.require("web3_staking")
    entry = context.world.state.submissions.get(submission_id)
    if entry is None or tournament_id not in (None, entry.tournament):
        raise Refusal("Submission not found")
    if not context.world.submissions.is_selected(entry, context.now):
        raise Refusal("Submission is not the selected submission of its round")
    _check_amount(max_amount)
    current = context.current_round()
    digest = "0x" + hashlib.sha256(f"{submission_id} {staker} {max_amount}".encode()).hexdigest()
    return {
        "authorizationDigest": digest,
        "authorizationSigner": NO_CONTRACT,
        "chainId": "0",
        "deadline": str(int(current.deadline.timestamp())),
        "maxAmount": max_amount,
        "modelId": str(int(entry.model_id.replace("-", ""), 16)),
        "nmrAddress": NO_CONTRACT,
        "nonce": "0",
        "roundId": str(entry.round_number),
        "signature": "0x" + "0" * 130,
        "staker": staker,
        "stakingAddress": NO_CONTRACT,
        "submissionHash": "0x" + entry.sha256,
        "submissionId": submission_id,
        "tournamentId": str(entry.tournament),
    }


def _check_amount(text: str) -> None:
    try:
        is_amount = Decimal(text) > 0
    except InvalidOperation:
        is_amount = False
    if not is_amount:
        raise Refusal(f"maxAmount must be a positive decimal, not {text}")


@query.field("v3StakeClaim")
def resolve_claim(
    _: Any, info: Info, *, model_id: str, round_id: str, staker: str, tournament_id: int | None = None
) -> dict[str, Any]:
    """Return what a model could claim for a resolved round."""
    context = context_of(info)
    context.require()
    model = context.model(model_id, tournament_id)
    _, listed = _round(context, round_id, model.tournament)
    result = context.world.scorebook.result(model, listed.number, context.now)
    if result is None or not result.is_final or result.payout_nmr is None:
        raise Refusal(f"No claim found for round {listed.number}")
    return _claim_view(model, result, staker, result.payout_nmr)


@query.field("v3StakeClaims")
def resolve_claims(
    _: Any, info: Info, *, staker: str, tournament_id: int | None = None
) -> list[dict[str, Any]]:
    """Return every claim of the account: only the practice wallet has any."""
    context = context_of(info)
    context.require()
    if staker != WALLET:
        return []
    return [
        _claim_view(model, result, staker, result.payout_nmr)
        for model in context.world.account.models()
        if tournament_id in (None, model.tournament)
        for result in context.world.scorebook.results(model, context.now)
        if result.is_final and result.payout_nmr is not None
    ]


def _claim_view(model: ModelSlot, result: RoundResult, staker: str, amount_nmr: Decimal) -> dict[str, Any]:
    wei = int(amount_nmr * WEI_PER_NMR)
    return {
        "apiModelId": model.id,
        "modelId": str(int(model.id.replace("-", ""), 16)),
        "roundId": str(result.round.number),
        "submissionId": result.entry.id if result.entry else None,
        "staker": staker,
        "tournamentId": str(model.tournament),
        "payoutAmountWei": str(max(0, wei)),
        "burnAmountWei": str(max(0, -wei)),
        "merkleRoot": None,
        "proof": [],
    }


def _round(context: RequestContext, round_id: str, tournament_id: int | None) -> tuple[int, PracticeRound]:
    """Return tournament and round for a number or a round's UUID. Raises: Refusal."""
    tournament = checked_tournament(tournament_id)
    for listed in context.world.calendar.rounds(context.now):
        if round_id in (str(listed.number), context.round_id(tournament, listed.number)):
            return tournament, listed
    raise Refusal(f"Round {round_id} not found")


def _in_round(context: RequestContext, tournament: int, listed: PracticeRound) -> list[tuple[ModelSlot, RoundResult]]:
    found = []
    for model in context.world.account.models():
        result = context.world.scorebook.result(model, listed.number, context.now)
        if model.tournament == tournament and result is not None:
            found.append((model, result))
    return found


def _stake_wei(result: RoundResult) -> int:
    return int(result.at_risk_nmr * WEI_PER_NMR)
