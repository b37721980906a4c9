"""Reads the account: the key's scopes, the model slots, and what Numerai holds of our submissions."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from numebot.adapters.numerai.answers import number_of, root_of, rows_of, text_of, time_of, whole_number_of
from numebot.adapters.numerai.envelope import SchemaMismatch
from numebot.adapters.numerai.transport import Answer, Operation, Transport
from numebot.core.errors import AccessDenied, NumebotError, Rejected, Unavailable
from numebot.core.types import AccountModel, KeyInfo, ListedSubmission, SubmissionRecord

logger = logging.getLogger(__name__)

_TOKEN_INFO = "query {{ apiTokenInfo {{ {fields} }} }}"
TOKEN_INFO = Operation("apiTokenInfo", _TOKEN_INFO.format(fields="accountUsername name scopes"), needs_key=True)
TOKEN_INFO_CORE = Operation("apiTokenInfo", _TOKEN_INFO.format(fields="scopes"), needs_key=True)
_MODELS = """query($rounds: Int) {{ account {{ models {{ id name tournament
         latestSubmissions(latestNRounds: $rounds) {{ {fields} }} }} }} }}"""
MODELS = Operation("account", _MODELS.format(fields="id filename roundNumber status timestamp"), needs_key=True)
MODELS_CORE = Operation("account", _MODELS.format(fields="filename roundNumber status"), needs_key=True)
"""What a read-back needs, for the day on which an optional field is gone."""
PICKLES = Operation("account", "query { account { models { id computePickleUpload { id } } } }", needs_key=True)
"""Optional, so a document of its own: an unknown field fails the whole document it stands in."""
STAKES = Operation("account", "query { account { models { id v2Stake { latestValue } } } }", needs_key=True)
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
    """Return the account and the scopes of the key in use; what the server does not tell stays empty or None.

    Raises: Unavailable, AccessDenied, Rejected. Not for fields that the server no longer has.
    """
    try:
        answer = _answer_without_gone_fields(transport, (TOKEN_INFO, TOKEN_INFO_CORE), {})
    except SchemaMismatch as gone:
        logger.warning("%s What the key may do is not known.", gone)
        return KeyInfo("", "", scopes=None)
    info = root_of(answer.data, "apiTokenInfo")
    if not isinstance(info, dict):
        return KeyInfo("", "", scopes=None)
    return KeyInfo(
        account=text_of(info, "accountUsername") or "",
        name=text_of(info, "name") or "",
        scopes=_scopes(info.get("scopes")),
    )


def _scopes(told: object) -> frozenset[str] | None:
    """Return scopes that came as words or as objects with a name; None unless every one of them can be read."""
    if not isinstance(told, list):
        return None
    names = [scope.get("name") if isinstance(scope, dict) else scope for scope in told]
    words = [name for name in names if isinstance(name, str)]
    return frozenset(words) if len(words) == len(names) else None


def account_models(transport: Transport, *, last_rounds: int) -> Sequence[AccountModel]:
    """Return every slot with its latest submissions, newest round first; one call for all, one more for pickles.

    Raises: Unavailable, also when there are slots and none can be read; AccessDenied, Rejected.
    """
    answer = _answer_without_gone_fields(transport, (MODELS, MODELS_CORE), {"rounds": last_rounds})
    account = root_of(answer.data, "account")
    slots = account.get("models") if isinstance(account, dict) else None
    if not isinstance(slots, list):
        # An empty list would read as "nothing was submitted" and send everything once more.
        raise Unavailable("account: the server answered without the list of models. It is asked again later.")
    pickles = _ids_with_pickle(transport)
    models = [model for row in rows_of(slots) if (model := _model(row, pickles)) is not None]
    unreadable = len(slots) - len(models)
    if unreadable:
        found = f"account: {unreadable} of {len(slots)} models came without an id, a name or a tournament"
        if not models:
            raise Unavailable(f"{found}. It is asked again later.")
        logger.warning("%s and are left out.", found)
    return models


def stakes(transport: Transport) -> Mapping[str, float]:
    """Return what is at stake on each slot, by its id, in NMR; nothing when the server does not tell. Never raises."""
    try:
        account = root_of(transport.query(STAKES, {}, tries=1, total_timeout_s=OPTIONAL_TIMEOUT_S).data, "account")
    except NumebotError as error:
        logger.info("%s What is at stake is not known; the models are played in another order.", error)
        return {}
    found: dict[str, float] = {}
    for row in rows_of(account.get("models") if isinstance(account, dict) else None):
        id, stake = text_of(row, "id"), row.get("v2Stake")
        value = number_of(stake, "latestValue") if isinstance(stake, dict) else None
        if id is not None and value is not None:
            found[id] = value
    return found


def submission_records(transport: Transport, model_id: str) -> Sequence[SubmissionRecord]:
    """Return every upload of a model that the server knows, in the server's order."""
    answer = _answer_without_gone_fields(transport, (RECORDS, RECORDS_CORE), {"modelId": model_id})
    records = (_record(row) for row in rows_of(root_of(answer.data, "submissions")))
    return [record for record in records if record is not None]


def _answer_without_gone_fields(
    transport: Transport, operations: tuple[Operation, Operation], variables: Mapping[str, object]
) -> Answer:
    """Ask in full, and in the short form where the server lacks a field. Raises: SchemaMismatch when both fail."""
    full, core = operations
    try:
        return transport.query(full, variables)
    except SchemaMismatch as gone:
        logger.warning("%s Asking without the optional fields.", gone)
        return transport.query(core, variables)


def _ids_with_pickle(transport: Transport) -> frozenset[str]:
    """Return the slots that Numerai runs a model upload for; nothing when it does not tell."""
    try:
        account = root_of(transport.query(PICKLES, {}, tries=1, total_timeout_s=OPTIONAL_TIMEOUT_S).data, "account")
    except (Unavailable, Rejected, AccessDenied) as error:
        logger.warning("%s Whether a model upload is assigned to a slot is not known.", error)
        return frozenset()
    rows = rows_of(account.get("models") if isinstance(account, dict) else None)
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
