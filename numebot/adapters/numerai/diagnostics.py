"""Numerai's diagnostics: predictions for the validation data go up, figures come back. They are no submission."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numebot.adapters.numerai.answers import number_of, rows_of, text_of
from numebot.adapters.numerai.question import Asker, Question
from numebot.adapters.numerai.submissions import AUTHORISE_DIAGNOSTICS, CREATE_DIAGNOSTICS, authorise, create, put_file
from numebot.adapters.numerai.transport import Transport
from numebot.core.diagnostics import DiagnosticsResult
from numebot.core.errors import Unavailable

_RESULT = Question(
    "diagnostics",
    {"id": "ID", "modelId": "ID"},
    {
        "id": (),
        "status": (),
        "message": (),
        "erasAcceptedCount": (),
        "perEraDiagnostics": (
            "era", "examplePredsCorr", "validationCorr", "validationMmc", "validationBmc",
            "validationFeatureCorrMax", "validationFeatureNeutralCorr", "validationFeatureNeutralCorrV3",
        ),
    },
    required=frozenset({"id", "status"}),
    per_minute=50,
    needs_key=True,
    grows="V2Diagnostics",
)  # fmt: skip

_NO_FIGURES = ("id", "parentId", "era", "status", "message", "tournament", "topBottom")


class NumeraiDiagnostics:
    """Uploads validation predictions and reads the figures. Raises: AccessDenied, Unavailable, Rejected, Ambiguous."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._asker = Asker(transport)

    def upload(self, tournament: int, model_id: str, path: Path) -> str:
        """Send a CSV of ids and predictions and return the id of the run. Numerai allows 5 a minute."""
        granted = authorise(
            self._transport, tournament, model_id=model_id, filename=path.name, operation=AUTHORISE_DIAGNOSTICS
        )
        put_file(self._transport, granted, path)
        variables = {"filename": granted.filename, "tournament": tournament, "modelId": model_id}
        return create(self._transport, CREATE_DIAGNOSTICS, variables)

    def result(self, model_id: str, id: str) -> DiagnosticsResult:
        """Return what is known of a run; its status tells whether it has ended."""
        found, _ = self._asker.ask(_RESULT, {"id": id, "modelId": model_id})
        for row in rows_of(found):
            if text_of(row, "id") == id:
                return _read(row, id)
        raise Unavailable(f"diagnostics: the server does not list the run {id}. It is asked again later.")


def _read(row: Mapping[str, Any], id: str) -> DiagnosticsResult:
    eras = {era: _numbers(one) for one in rows_of(row.get("perEraDiagnostics")) if (era := text_of(one, "era"))}
    message = row.get("message")
    return DiagnosticsResult(
        id, text_of(row, "status") or "", message if isinstance(message, str) else None, _numbers(row), eras
    )


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    found = {name: number_of(row, name) for name in row if name not in _NO_FIGURES}
    return {name: value for name, value in sorted(found.items()) if value is not None}
