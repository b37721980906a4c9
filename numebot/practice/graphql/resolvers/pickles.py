"""Model uploads: kept, assigned and triggered on paper. No pickle is ever loaded here."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, QueryType

from numebot.core.types import Tournament
from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.graphql.resolvers.submissions import grant_view
from numebot.practice.world.refusals import Refusal
from numebot.practice.world.state import PickleEntry, Purpose, TriggerEntry

query = QueryType()
mutation = MutationType()
bindables = (query, mutation)


@query.field("computePickleDataVersions")
def resolve_data_versions(_: Any, info: Info, *, deprecated: bool = False) -> list[dict[str, Any]]:
    """Return the one data version a model upload can ask for."""
    context = context_of(info)
    context.require()
    return [_data_version(context)]


def _data_version(context: RequestContext) -> dict[str, Any]:
    version = context.world.market.version
    return {
        "id": context.world.account.stable_id("data version", version),
        "name": version,
        "version": version,
        "type": "classic",
        "default": True,
        "deprecated": False,
        "experimental": False,
    }


@query.field("computePickleDockerImages")
def resolve_docker_images(_: Any, info: Info, *, deprecated: bool = False) -> list[dict[str, Any]]:
    """Return the Python images on offer."""
    context = context_of(info)
    context.require()
    oldest = min(model.inserted_at for model in context.world.account.models())
    return [
        {
            "id": image.id,
            "name": image.name,
            "image": image.image,
            "tag": image.tag,
            "default": image.is_default,
            "deprecated": False,
            "experimental": False,
            "insertedAt": oldest,
        }
        for image in context.world.pickles.docker_images()
    ]


@query.field("computePickleUploadAuth")
def resolve_upload_auth(
    _: Any, info: Info, *, filename: str = "model.pkl", model_id: str | None = None
) -> dict[str, Any]:
    """Grant the upload of a pickle."""
    context = context_of(info)
    context.require("upload_submission")
    if not filename.endswith(".pkl"):
        raise Refusal(f"{filename} is not a .pkl file")
    models = [model for model in context.world.account.models() if model.tournament == Tournament.CLASSIC]
    owner = context.model(model_id, Tournament.CLASSIC) if model_id else models[0]
    return grant_view(context, context.world.uploads.grant(owner, Purpose.PICKLE, filename, context.now))


@mutation.field("createComputePickleUpload")
def resolve_create(
    _: Any, info: Info, *, filename: str, tournament: int, model_id: str | None = None, **details: Any
) -> dict[str, Any]:
    """Keep a pickle, and assign it when a model is named."""
    context = context_of(info)
    context.require("upload_submission")
    if checked_tournament(tournament) != Tournament.CLASSIC:
        raise Refusal("Model uploads are for tournament 8 only")
    image, version = details.get("docker_image_id"), details.get("data_version_id")
    images = {one.id for one in context.world.pickles.docker_images()}
    if image is not None and image not in images:
        raise Refusal("Docker image not found")
    if version is not None and version != _data_version(context)["id"]:
        raise Refusal("Data version not found")
    model = context.model(model_id, tournament) if model_id else None
    entry = context.world.pickles.create(model, filename, context.moment(), data_version=version, image=image)
    if model is not None:
        context.world.pickles.assign(model, entry.id)
    context.world.save()
    return pickle_view(context, entry)


@query.field("computePickles")
def resolve_pickles(
    _: Any, info: Info, *, id: str | None = None, model_id: str | None = None, unassigned: bool = False
) -> list[dict[str, Any]]:
    """Return model uploads, newest first."""
    context = context_of(info)
    context.require("read_submission_info")
    pickles = context.world.pickles
    return [
        pickle_view(context, entry)
        for entry in pickles.listed()
        if id in (None, entry.id)
        and (model_id is None or model_id in {slot.id for slot in pickles.slots_of(entry.id)})
        and not (unassigned and pickles.slots_of(entry.id))
    ]


@mutation.field("assignPickleToModel")
def resolve_assign(
    _: Any, info: Info, *, model_id: str | None = None, pickle_id: str | None = None
) -> str:
    """Assign a model upload to a slot; without one the slot is freed."""
    context = context_of(info)
    context.require("upload_submission")
    context.world.pickles.assign(context.model(model_id, Tournament.CLASSIC), pickle_id)
    context.world.save()
    return "true"


@mutation.field("triggerComputePickleUpload")
def resolve_trigger(
    _: Any, info: Info, *, model_id: str | None = None, pickle_id: str | None = None, **__: Any
) -> dict[str, Any]:
    """Note that a run was asked for; it stays queued for ever, since nothing here runs pickles."""
    context = context_of(info)
    context.require("upload_submission")
    model = context.model(model_id, Tournament.CLASSIC)
    wanted = pickle_id if pickle_id is not None else model.pickle_id
    if wanted is None:
        raise Refusal(f"{model.name} has no model upload assigned")
    entry = context.world.pickles.find(wanted)
    context.world.pickles.trigger(model, context.moment(), pickle_id=entry.id)
    context.world.save()
    return pickle_view(context, entry)


@query.field("triggerLogs")
def resolve_trigger_logs(_: Any, info: Info, *, trigger_id: str) -> list[dict[str, Any]]:
    """Return the log of a trigger: one line saying that nothing was run."""
    context = context_of(info)
    context.require("read_submission_info")
    trigger = context.world.pickles.trigger_of(trigger_id)
    if trigger is None:
        raise Refusal("Trigger not found")
    return [_log_line(trigger)]


@query.field("diagnosticsTriggerLogs")
def resolve_diagnostics_logs(_: Any, info: Info, *, pickle_id: str) -> list[dict[str, Any]]:
    """Return the logs of a model upload's triggers."""
    context = context_of(info)
    context.require("read_submission_info")
    context.world.pickles.find(pickle_id)
    return [_log_line(trigger) for trigger in context.world.pickles.triggers_of(pickle_id)]


def _log_line(trigger: TriggerEntry) -> dict[str, Any]:
    text = "practice tournament: the trigger was noted, nothing was run"
    return {"message": text, "timestamp": int(trigger.inserted_at.timestamp())}


def pickle_view(context: RequestContext, entry: PickleEntry) -> dict[str, Any]:
    """Return a ComputePickleUpload."""
    pickles = context.world.pickles
    image = next((one for one in pickles.docker_images() if one.id == entry.docker_image_id), None)
    triggers = pickles.triggers_of(entry.id)
    return {
        "id": entry.id,
        "filename": entry.filename,
        "label": entry.filename,
        "modelId": entry.model_id,
        "version": 1,
        "runtime": image.name if image else "Python 3.12",
        "dataVersion": context.world.market.version,
        "dataVersionId": entry.data_version_id,
        "dockerImage": image.image if image else None,
        "dockerImageId": entry.docker_image_id,
        "dockerImageName": image.name if image else None,
        "validationStatus": "pending",
        "triggerStatus": "queued" if triggers else None,
        "triggers": [_trigger_view(trigger) for trigger in triggers],
        "assignedModelSlots": [model.id for model in pickles.slots_of(entry.id)],
        "insertedAt": entry.inserted_at,
        "updatedAt": entry.inserted_at,
    }


def _trigger_view(trigger: TriggerEntry) -> dict[str, Any]:
    return {
        "id": trigger.id,
        "computePickleUploadId": trigger.pickle_id,
        "status": "queued",
        "type": "manual",
        "statuses": [],
        "insertedAt": trigger.inserted_at,
        "updatedAt": trigger.inserted_at,
    }
