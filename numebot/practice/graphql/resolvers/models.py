"""Model slots: their fields, and the mutations that change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.graphql.resolvers.money import returns_view, stake_view
from numebot.practice.graphql.resolvers.pickles import pickle_view
from numebot.practice.graphql.resolvers.scores import user_scores
from numebot.practice.graphql.resolvers.submissions import listed_view, submission_view, submissions_of
from numebot.practice.world.account import check_name
from numebot.practice.world.refusals import Refusal
from numebot.practice.world.state import ModelSlot

query = QueryType()
mutation = MutationType()
model_type = ObjectType("Model")
bindables = (query, mutation, model_type)

MOST_ROUNDS_LISTED = 200


@query.field("model")
def resolve_model(_: Any, info: Info, *, model_id: str | None = None) -> ModelSlot:
    """Return one of the account's models."""
    context = context_of(info)
    context.require("read_user_info")
    return context.model(model_id)


def _field(name: str) -> Callable[[Callable[[ModelSlot, RequestContext], Any]], None]:
    """Bind a function of the model and the context to a field of Model without arguments."""

    def bind(answer: Callable[[ModelSlot, RequestContext], Any]) -> None:
        model_type.set_field(name, lambda model, info: answer(model, context_of(info)))

    return bind


for _name, _attribute in {
    "insertedAt": "inserted_at",
    "archivedAt": "archived_at",
    "description": "bio",
    "submissionWebhook": "webhook",
}.items():
    model_type.set_alias(_name, _attribute)

_field("username")(lambda model, _: model.name)
_field("accountId")(lambda _, context: context.world.account.id)
_field("archived")(lambda model, _: model.archived_at is not None)
_field("hidden")(lambda model, _: False)
_field("computeEnabled")(lambda model, _: model.webhook is not None)
_field("computeLiteEnabled")(lambda model, _: False)
_field("isComputeWeekdayEnabled")(lambda model, _: model.webhook is not None)
_field("submissions")(lambda model, context: submissions_of(context, model))
_field("signalsSubmissions")(lambda model, context: submissions_of(context, model) if model.tournament == 11 else [])
_field("latestSubmission")(lambda model, context: submissions_of(context, model)[:1])
_field("latestSignalsSubmission")(
    lambda model, context: submissions_of(context, model)[:1] if model.tournament == 11 else []
)
_field("latestSubmissionV2")(lambda model, context: _newest(model, context))
_field("latestSignalsSubmissionV2")(
    lambda model, context: _newest(model, context) if model.tournament == 11 else None
)
_field("latestUserScores")(lambda model, context: user_scores(context, model))
_field("v2Stake")(lambda model, context: stake_view(context, model))
_field("signalsStake")(lambda model, context: stake_view(context, model) if model.tournament == 11 else None)
_field("returns")(lambda model, context: returns_view(context, model))
_field("nmrReturns")(lambda model, context: returns_view(context, model))
_field("returnsValues")(lambda model, context: [])


def _newest(model: ModelSlot, context: RequestContext) -> dict[str, Any] | None:
    context.require("read_submission_info")
    entries = context.world.submissions.of_model(model.id)
    return submission_view(context, entries[0]) if entries else None


@model_type.field("latestSubmissions")
def resolve_latest_submissions(
    model: ModelSlot, info: Info, *, latest_n_rounds: int = 20
) -> list[dict[str, Any]]:
    """Return a row per round, newest first: the read-back of every client."""
    context = context_of(info)
    context.require("read_submission_info")
    rounds = max(1, min(latest_n_rounds, MOST_ROUNDS_LISTED))
    return [listed_view(row) for row in context.world.submissions.listed(model.id, context.now, rounds=rounds)]


@model_type.field("computePickleUpload")
def resolve_compute_pickle_upload(model: ModelSlot, info: Info) -> dict[str, Any] | None:
    """Return the model upload assigned to a slot."""
    context = context_of(info)
    return None if model.pickle_id is None else pickle_view(context, context.world.pickles.find(model.pickle_id))


@query.field("modelNameAvailable")
def resolve_name_available(_: Any, info: Info, *, name: str, tournament: int) -> bool:
    """Return whether a name is free."""
    return context_of(info).world.account.is_name_free(name, checked_tournament(tournament))


@mutation.field("addModel")
def resolve_add_model(_: Any, info: Info, *, name: str, tournament: int) -> ModelSlot:
    """Make a slot."""
    context = context_of(info)
    context.require("write_user_info")
    check_name(name)
    return context.world.add_model(name, checked_tournament(tournament))


@mutation.field("renameModel")
def resolve_rename_model(_: Any, info: Info, *, model_id: str, name: str) -> ModelSlot:
    """Rename a slot; its id stays."""
    check_name(name)
    model = _changeable(context_of(info), model_id)
    if not context_of(info).world.account.is_name_free(name, model.tournament):
        raise Refusal(f"Model name {name} is already taken")
    return _changed(context_of(info), model, name=name)


@mutation.field("archiveModel")
def resolve_archive_model(_: Any, info: Info, *, model_id: str) -> ModelSlot:
    """Archive a slot."""
    context = context_of(info)
    return _changed(context, _changeable(context, model_id), archived_at=context.moment())


@mutation.field("unarchiveModel")
def resolve_unarchive_model(_: Any, info: Info, *, model_id: str) -> ModelSlot:
    """Bring an archived slot back."""
    context = context_of(info)
    return _changed(context, _changeable(context, model_id), archived_at=None)


@mutation.field("setUserBio")
def resolve_set_bio(_: Any, info: Info, *, value: str, model_id: str | None = None) -> bool:
    """Set the text of a model's public page."""
    context = context_of(info)
    _changed(context, _changeable(context, model_id), bio=value)
    return True


@mutation.field("setUserLink")
def resolve_set_link(
    _: Any, info: Info, *, link_url: str, link_text: str | None = None, model_id: str | None = None
) -> bool:
    """Set the link of a model's public page."""
    context = context_of(info)
    _changed(context, _changeable(context, model_id), link_url=link_url, link_text=link_text)
    return True


@mutation.field("setSubmissionWebhook")
def resolve_set_webhook(
    _: Any, info: Info, *, model_id: str | None = None, new_submission_webhook: str | None = None
) -> str:
    """Store the address of a model's webhook, or remove it. The practice server never calls it."""
    context = context_of(info)
    context.require("upload_submission")
    if new_submission_webhook is not None and not new_submission_webhook.startswith(("https://", "http://")):
        raise Refusal("Submission webhook must be an http or https address")
    _changed(context, context.model(model_id), webhook=new_submission_webhook)
    return "true"


@mutation.field("triggerModelWebhook")
def resolve_trigger_webhook(_: Any, info: Info, *, model_id: str) -> str:
    """Return the id of a trigger, as if the webhook had been called."""
    context = context_of(info)
    context.require("upload_submission")
    model = context.model(model_id)
    if model.webhook is None:
        raise Refusal(f"{model.name} has no submission webhook")
    trigger = context.world.pickles.trigger(model, context.moment())
    context.world.save()
    return trigger.id


def _changeable(context: RequestContext, model_id: str | None) -> ModelSlot:
    context.require("write_user_info")
    return context.model(model_id)


def _changed(context: RequestContext, model: ModelSlot, **changes: object) -> ModelSlot:
    changed = context.world.account.change_model(model, **changes)
    context.world.save()
    return changed


