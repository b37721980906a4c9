"""Reads scores: one metric of a model, or whole rounds of it with all metrics in one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numebot.adapters.numerai.answers import (
    decimal_of,
    flag_of,
    number_of,
    rows_of,
    text_of,
    time_of,
    whole_number_of,
)
from numebot.adapters.numerai.question import Asker, read_rows
from numebot.adapters.numerai.result_questions import (
    ALL_DAYS,
    ALL_DAYS_AMONG,
    DAYS,
    NEWEST,
    NEWEST_DAY,
    NEWEST_DAY_AMONG,
)
from numebot.core.results import Score
from numebot.core.standing import ModelRound


def read_model_rounds(
    asker: Asker,
    tournament: int,
    model_id: str,
    *,
    last: int | None,
    among: tuple[int, int] | None,
    newest_only: bool,
) -> Sequence[ModelRound]:
    """Return a model's rounds with their scores, those without any included.

    Raises: Unavailable, AccessDenied, Rejected (SchemaMismatch when the server lacks this view).
    """
    variables: dict[str, object] = {"modelId": model_id, "tournament": tournament}
    if among is None:
        question = NEWEST_DAY if newest_only else ALL_DAYS
        variables["lastNRounds"] = last
    else:
        question = NEWEST_DAY_AMONG if newest_only else ALL_DAYS_AMONG
        variables |= {"roundNumberGte": among[0], "roundNumberLte": among[1]}
    scores = NEWEST if newest_only else DAYS
    found, _ = asker.ask(question, variables)
    return read_rows(question, found, lambda row: _model_round(row, scores, tournament, model_id))


def _model_round(row: Mapping[str, Any], scores: str, tournament: int, model_id: str) -> ModelRound | None:
    number = whole_number_of(row, "roundNumber")
    if number is None:
        return None
    # What all scores of a round have in common stands beside them.
    common = {
        "roundNumber": number,
        "resolved": row.get("roundResolved"),
        "roundResolveTime": row.get("roundResolveTime"),
        "submissionId": row.get("submissionId"),
    }
    found = (read_score({**common, **_told(score)}, tournament, model_id) for score in rows_of(row.get(scores)))
    known = tuple(score for score in found if score is not None)
    return ModelRound(tournament, number, model_id, decimal_of(row, "atRisk"), known)


def _told(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def read_score(row: Mapping[str, Any], tournament: int, model_id: str) -> Score | None:
    """Return a score, or None for a row without a round or a metric."""
    number, metric = whole_number_of(row, "roundNumber"), text_of(row, "displayName")
    if number is None or metric is None:
        return None
    return Score(
        tournament,
        number,
        model_id,
        metric,
        day=whole_number_of(row, "day") or 0,
        value=number_of(row, "value"),
        percentile=number_of(row, "percentile"),
        version=text_of(row, "version") or "",
        scored_at=time_of(row, "date"),
        is_resolved=flag_of(row, "resolved") or False,
        submission_id=text_of(row, "submissionId"),
        resolves_at=time_of(row, "roundResolveTime") or time_of(row, "resolveDate"),
    )
