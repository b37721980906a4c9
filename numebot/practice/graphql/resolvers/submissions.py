"""Roots that upload and read back submissions: a key with the right scope is needed."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, QueryType

from numebot.core.types import Tournament
from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.graphql.resolvers.rounds import round_view
from numebot.practice.world.refusals import Refusal
from numebot.practice.world.state import ModelSlot, Purpose, SubmissionEntry, Verdict
from numebot.practice.world.submissions import ListedRow, UploadDetails, refuse_if_automated
from numebot.practice.world.uploads import Grant

query = QueryType()
mutation = MutationType()
bindables = (query, mutation)


@query.field("submissionUploadAuth")
def resolve_upload_auth(
    _: Any, info: Info, *, filename: str, tournament: int, model_id: str | None = None
) -> dict[str, Any]:
    """Grant an upload for Classic or Crypto."""
    context = context_of(info)
    if tournament == Tournament.SIGNALS:
        raise Refusal("Use submissionUploadSignalsAuth for Signals submissions")
    return _granted(context, filename, tournament, model_id)


@query.field("submissionUploadSignalsAuth")
def resolve_signals_upload_auth(
    _: Any, info: Info, *, filename: str, tournament: int = 11, model_id: str | None = None
) -> dict[str, Any]:
    """Grant an upload for Signals."""
    return _granted(context_of(info), filename, tournament, model_id)


def _granted(context: RequestContext, filename: str, tournament: int, model_id: str | None) -> dict[str, Any]:
    context.require("upload_submission")
    model = context.model(model_id, checked_tournament(tournament))
    refuse_if_automated(model)
    return grant_view(context, context.world.uploads.grant(model, Purpose.SUBMISSION, filename, context.now))


def grant_view(context: RequestContext, grant: Grant) -> dict[str, Any]:
    """Return a FileUploadAuth, remembered before it is given away."""
    context.world.save()
    return {"filename": grant.filename, "url": grant.url, "accelerated": False, "countryCode": None}


@mutation.field("createSubmission")
def resolve_create(
    _: Any, info: Info, *, filename: str, tournament: int, model_id: str | None = None, **details: Any
) -> dict[str, Any]:
    """Make a submission for Classic or Crypto."""
    if tournament == Tournament.SIGNALS:
        raise Refusal("Use createSignalsSubmission for Signals submissions")
    return _created(context_of(info), filename, tournament, model_id=model_id, details=details)


@mutation.field("createSignalsSubmission")
def resolve_create_signals(
    _: Any,
    info: Info,
    *,
    filename: str,
    tournament: int = 11,
    model_id: str | None = None,
    **details: Any,
) -> dict[str, Any]:
    """Make a submission for Signals."""
    return _created(context_of(info), filename, tournament, model_id=model_id, details=details)


def _created(
    context: RequestContext, filename: str, tournament: int, *, model_id: str | None, details: dict[str, Any]
) -> dict[str, Any]:
    context.require("upload_submission")
    model = context.model(model_id, checked_tournament(tournament))
    told = UploadDetails(
        source=details.get("source"),
        trigger_id=details.get("trigger_id"),
        data_datestamp=details.get("data_datestamp"),
        remote=context.remote,
    )
    entry = context.world.submissions.create(model, filename, context.moment(), told)
    context.world.save()
    return submission_view(context, entry)


@query.field("submissions")
def resolve_submissions(
    _: Any, info: Info, *, id: str | None = None, model_id: str | None = None
) -> list[dict[str, Any]]:
    """Return a model's submissions, newest first, or the one with an id."""
    context = context_of(info)
    context.require("read_submission_info")
    if id is not None:
        entry = context.world.state.submissions.get(id)
        return [] if entry is None else [submission_view(context, entry)]
    return submissions_of(context, context.model(model_id))


def submissions_of(context: RequestContext, model: ModelSlot) -> list[dict[str, Any]]:
    """Return every submission of a model, newest first. Raises: Refusal without the scope."""
    context.require("read_submission_info")
    return [submission_view(context, entry) for entry in context.world.submissions.of_model(model.id)]


@query.field("submissionDownloadAuth")
def resolve_download_auth(_: Any, info: Info, *, id: str) -> dict[str, Any]:
    """Return an address to download one's own submission from."""
    context = context_of(info)
    context.require("download_submission")
    entry = context.world.state.submissions.get(id)
    if entry is None:
        raise Refusal("Submission not found")
    url = context.world.uploads.download_url(entry.sha256, entry.filename)
    return {"filename": entry.filename, "url": url, "accelerated": False, "countryCode": None}


def submission_view(context: RequestContext, entry: SubmissionEntry) -> dict[str, Any]:
    """Return a V2Submission. `status` is pending, invalid, on-time or late; `errorInfo` holds the validator's words."""
    calendar = context.world.calendar
    own_round = calendar.round(entry.round_number, context.now)
    upcoming = calendar.current(context.now).number + 1
    next_round = calendar.round(min(upcoming, entry.round_number + 1), context.now)
    status = ("late" if entry.is_late else "on-time") if entry.verdict is Verdict.VALID else entry.verdict.value
    return {
        "id": entry.id,
        "filename": entry.filename,
        "insertedAt": entry.inserted_at,
        "round": None if own_round is None else round_view(context, entry.tournament, own_round),
        "selected": lambda _: context.world.submissions.is_selected(entry, context.now),
        "status": status,
        "errorInfo": entry.error,
        "dataDatestamp": entry.data_datestamp,
        "triggerId": entry.trigger_id,
        "sourcePlatform": entry.source,
        "sourceIp": entry.remote,
        "submissionIp": entry.remote,
        "hasDiagnostics": False,
        "hasHistoric": False,
        "submittedCount": entry.rows,
        "filteredCount": entry.accepted,
        "tickersSubmittedCount": entry.rows,
        "tickersAcceptedCount": entry.accepted,
        "firstEffectiveDate": next_round.opens_at if entry.is_late and next_round else entry.inserted_at,
    }


def listed_view(row: ListedRow) -> dict[str, Any]:
    """Return a LatestSubmission."""
    return {
        "id": row.entry.id if row.entry else None,
        "filename": row.entry.filename if row.entry else None,
        "roundNumber": row.round_number,
        "roundOpen": row.opens_on,
        "roundCloseStaking": row.deadline_on,
        "roundClose": row.closes_on,
        "status": row.standing.value,
        "timestamp": row.entry.inserted_at if row.entry else None,
    }
