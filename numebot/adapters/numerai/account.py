"""Reads the account: the key's scopes, the model slots, and what Numerai holds of our submissions."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from numebot.adapters.numerai.answers import root_of, rows_of, text_of, time_of, whole_number_of
from numebot.adapters.numerai.envelope import SchemaMismatch
from numebot.adapters.numerai.transport import Operation, Transport
from numebot.core.errors import AccessDenied, Rejected, Unavailable
from numebot.core.types import AccountModel, KeyInfo, ListedSubmission, SubmissionRecord

logger = logging.getLogger(__name__)

TOKEN_INFO = Operation("apiTokenInfo", "query { apiTokenInfo { accountUsername name scopes } }", needs_key=True)
MODELS = Operation(
    "account",
    """query($rounds: Int) { account { models { id name tournament
         latestSubmissions(latestNRounds: $rounds) { id filename roundNumber status timestamp } } } }""",
    needs_key=True,
)
PICKLES = Operation("account", "query { account { models { id computePickleUpload { id } } } }", needs_key=True)
"""Optional, so a document of its own: an unknown field fails the whole document it stands in."""
_RECORDS = "query($modelId: ID) {{ submissions(modelId: $modelId) {{ {fields} }} }}"
RECORDS = Operation(
    "submissions",
    _RECORDS.format(fields="id filename insertedAt selected status errorInfo round { number }"),
    needs_key=True,
)
RECORDS_CORE = Operation("submissions", _RECORDS.format(fields="id filename insertedAt"), needs_key=True)

OPTIONAL_TIMEOUT_S = 10.0
"""What is nice to know may not eat the time of what is needed."""


def key_info(transport: Transport) -> KeyInfo:
    """Return the account and the scopes of the key in use."""
    info = root_of(transport.query(TOKEN_INFO, {}).data, "apiTokenInfo")
    scopes = info.get("scopes") or ()
    return KeyInfo(
        account=text_of(info, "accountUsername") or "",
        name=text_of(info, "name") or "",
        scopes=frozenset(scope for scope in scopes if isinstance(scope, str)),
    )


def account_models(transport: Transport, *, last_rounds: int) -> Sequence[AccountModel]:
    """Return every slot with its latest submissions, newest round first; one call for all, one more for pickles."""
    account = root_of(transport.query(MODELS, {"rounds": last_rounds}).data, "account")
    slots = account.get("models")
    if not isinstance(slots, list):
        # An empty list would read as "nothing was submitted" and send everything once more.
        raise Unavailable("account: the server answered without the list of models. It is asked again later.")
    pickles = _ids_with_pickle(transport)
    models = (_model(row, pickles) for row in rows_of(slots))
    return [model for model in models if model is not None]


def submission_records(transport: Transport, model_id: str) -> Sequence[SubmissionRecord]:
    """Return every upload of a model that the server knows, in the server's order."""
    variables = {"modelId": model_id}
    try:
        answer = transport.query(RECORDS, variables)
    except SchemaMismatch as gone:
        logger.warning("%s Reading submissions without the optional fields.", gone)
        answer = transport.query(RECORDS_CORE, variables)
    records = (_record(row) for row in rows_of(root_of(answer.data, "submissions")))
    return [record for record in records if record is not None]


def _ids_with_pickle(transport: Transport) -> frozenset[str]:
    """Return the slots that Numerai runs a model upload for; nothing when it does not tell."""
    try:
        account = root_of(transport.query(PICKLES, {}, tries=1, total_timeout_s=OPTIONAL_TIMEOUT_S).data, "account")
    except (Unavailable, Rejected, AccessDenied) as error:
        logger.warning("%s Whether a model upload is assigned to a slot is not known.", error)
        return frozenset()
    rows = rows_of(account.get("models"))
    return frozenset(str(row.get("id")) for row in rows if row.get("computePickleUpload") is not None)


def _model(row: Mapping[str, Any], pickles: frozenset[str]) -> AccountModel | None:
    id, name, tournament = text_of(row, "id"), text_of(row, "name"), whole_number_of(row, "tournament")
    if id is None or name is None or tournament is None:
        return None
    listed = [submission for line in rows_of(row.get("latestSubmissions")) if (submission := _listed(line)) is not None]
    listed.sort(key=lambda submission: -submission.round_number)
    return AccountModel(id, name, tournament, has_pickle=id in pickles, submissions=tuple(listed))


def _listed(row: Mapping[str, Any]) -> ListedSubmission | None:
    number = whole_number_of(row, "roundNumber")
    if number is None:
        return None
    return ListedSubmission(
        round_number=number,
        status=text_of(row, "status") or "none",
        id=text_of(row, "id"),
        filename=text_of(row, "filename"),
        submitted_at=time_of(row, "timestamp"),
    )


def _record(row: Mapping[str, Any]) -> SubmissionRecord | None:
    id, filename = text_of(row, "id"), text_of(row, "filename")
    if id is None or filename is None:
        return None
    round_row, selected = row.get("round"), row.get("selected")
    return SubmissionRecord(
        id=id,
        filename=filename,
        round_number=whole_number_of(round_row, "number") if isinstance(round_row, dict) else None,
        selected=selected if isinstance(selected, bool) else None,
        status=text_of(row, "status"),
        error_info=text_of(row, "errorInfo"),
        inserted_at=time_of(row, "insertedAt"),
    )
