"""Diagnostics: uploads of validation predictions and the figures computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ariadne import MutationType, QueryType

from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.graphql.resolvers.scalars import number
from numebot.practice.graphql.resolvers.submissions import grant_view
from numebot.practice.world.diagnostics import EraFigures, Report
from numebot.practice.world.state import DiagnosticsEntry, Purpose, Verdict

query = QueryType()
mutation = MutationType()
bindables = (query, mutation)

_STATUS = {Verdict.PENDING: "pending", Verdict.VALID: "done", Verdict.INVALID: "failed"}


@query.field("diagnosticsUploadAuth")
def resolve_upload_auth(
    _: Any, info: Info, *, filename: str, tournament: int, model_id: str | None = None
) -> dict[str, Any]:
    """Grant the upload of validation predictions."""
    context = context_of(info)
    context.require("upload_submission")
    model = context.model(model_id or None, checked_tournament(tournament))
    return grant_view(context, context.world.uploads.grant(model, Purpose.DIAGNOSTICS, filename, context.now))


@mutation.field("createDiagnostics")
def resolve_create(
    _: Any, info: Info, *, filename: str, tournament: int, model_id: str | None = None
) -> dict[str, Any]:
    """Begin a run; it is judged a moment later."""
    context = context_of(info)
    context.require("upload_submission")
    model = context.model(model_id or None, checked_tournament(tournament))
    entry = context.world.diagnostics.create(model, filename, context.moment())
    context.world.save()
    return diagnostics_view(context, entry)


@query.field("diagnostics")
def resolve_diagnostics(
    _: Any, info: Info, *, id: str | None = None, model_id: str | None = None
) -> list[dict[str, Any]]:
    """Return a model's runs, newest first, or the one with an id."""
    context = context_of(info)
    context.require("read_submission_info")
    if id is not None:
        entry = context.world.state.diagnostics.get(id)
        return [] if entry is None else [diagnostics_view(context, entry)]
    return [
        diagnostics_view(context, entry) for entry in context.world.diagnostics.of_model(context.model(model_id).id)
    ]


def diagnostics_view(context: RequestContext, entry: DiagnosticsEntry) -> dict[str, Any]:
    """Return a V2Diagnostics; what this server does not compute is null."""
    report = context.world.diagnostics.report(entry, context.now)
    view: dict[str, Any] = {
        "id": entry.id,
        "status": _STATUS[entry.verdict],
        "message": entry.error,
        "filename": entry.filename,
        "insertedAt": entry.inserted_at,
        "updatedAt": entry.inserted_at if entry.verdict is Verdict.PENDING else entry.validates_at,
        "tournament": entry.tournament,
        "trainedOnVal": False,
    }
    return view if report is None else {**view, **_figures(report)}


def _figures(report: Report) -> dict[str, Any]:
    return {
        "erasAcceptedCount": len(report.eras),
        "erasMissing": list(report.missing_eras),
        "examplePredsCorrMean": number(report.example_corr_mean),
        "perEraDiagnostics": [_era_view(era) for era in report.eras],
        "validationMaxDrawdown": number(report.corr["max_drawdown"]),
        "validationCorrMaxDrawdown": number(report.corr["max_drawdown"]),
        **_named("validationCorr", report.corr),
        **_named("validationMmc", report.mmc),
        **_named("validationCorrPlusMmc", report.corr_plus_mmc),
    }


def _named(prefix: str, figures: Mapping[str, float]) -> dict[str, float | None]:
    return {f"{prefix}{name.capitalize()}": number(figures[name]) for name in ("mean", "std", "sharpe")}


def _era_view(era: EraFigures) -> dict[str, Any]:
    return {
        "era": era.era,
        "examplePredsCorr": number(era.example_corr),
        "validationCorr": number(era.corr),
        "validationMmc": number(era.mmc),
    }
