"""The three steps of a submission on the wire: permission, bytes, createSubmission.

Nothing is read from the environment: a stale TRIGGER_ID of an old cloud node would tag every later upload.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from numebot.adapters.numerai.answers import root_of, text_of
from numebot.adapters.numerai.exchange import exchange
from numebot.adapters.numerai.transport import Operation, Transport
from numebot.adapters.numerai.wire import Limits, Wire
from numebot.core.errors import Ambiguous, CheckFailed, LocalTrouble, Unavailable
from numebot.core.types import Tournament, UploadAuthorisation

SOURCE = "numebot"
"""What Numerai shows as the origin of our submissions."""

UPLOAD_NAME = re.compile(r"(?!\.)[A-Za-z0-9_.-]{1,100}")
_LONGEST_SERVER_NAME = 255

_AUTHORISE = """query($filename: String!, $tournament: Int!, $modelId: ID) {{
  {root}(filename: $filename, tournament: $tournament, modelId: $modelId) {{ filename url }} }}"""
_CREATE = """mutation($filename: String!, $tournament: Int!, $modelId: ID, $triggerId: ID, $source: String,
  $dataDatestamp: Int) {{ {root}(filename: $filename, tournament: $tournament, modelId: $modelId,
  triggerId: $triggerId, source: $source, dataDatestamp: $dataDatestamp) {{ id }} }}"""


def _operation(root: str, text: str) -> Operation:
    return Operation(root, text.format(root=root), needs_key=True)


AUTHORISE = _operation("submissionUploadAuth", _AUTHORISE)
AUTHORISE_SIGNALS = _operation("submissionUploadSignalsAuth", _AUTHORISE)
CREATE = _operation("createSubmission", _CREATE)
CREATE_SIGNALS = _operation("createSignalsSubmission", _CREATE)
AUTHORISE_DIAGNOSTICS = _operation("diagnosticsUploadAuth", _AUTHORISE)
CREATE_DIAGNOSTICS = Operation(
    "createDiagnostics",
    """mutation($filename: String!, $tournament: Int!, $modelId: ID) {
      createDiagnostics(filename: $filename, tournament: $tournament, modelId: $modelId) { id } }""",
    needs_key=True,
)


def authorise(
    transport: Transport, tournament: int, *, model_id: str, filename: str, operation: Operation | None = None
) -> UploadAuthorisation:
    """Ask for permission to PUT one file. The server's filename is kept as it is: a key, never a path."""
    if not UPLOAD_NAME.fullmatch(filename):
        raise CheckFailed(
            f'upload name "{filename}": allowed are 1 to 100 letters, digits, "_", "-" and ".", and no "." in front. '
            "Nothing was uploaded."
        )
    operation = operation or (AUTHORISE_SIGNALS if tournament == Tournament.SIGNALS else AUTHORISE)
    variables = {"filename": filename, "tournament": tournament, "modelId": model_id}
    granted = root_of(transport.query(operation, variables).data, operation.root)
    name, url = (text_of(granted, "filename"), text_of(granted, "url")) if isinstance(granted, dict) else (None, None)
    if name is None or url is None or len(name) > _LONGEST_SERVER_NAME:
        raise Unavailable(f"{operation.root}: no usable filename and address in the answer. It is asked again later.")
    transport.policy.check_url(url, operation.root)
    return UploadAuthorisation(name, url)


def put_file(transport: Transport, authorisation: UploadAuthorisation, path: Path) -> None:
    """Send the bytes of `path` in pieces. Returns only after the storage answered 200; a repeat needs a new permission.

    Raises: Unavailable whatever the storage or the network did: nothing was submitted by this.
    """
    settings, what = transport.settings, f"upload of {path.name}"
    transport.policy.check_url(authorisation.url, what)
    limits = Limits(settings.connect_timeout_s, settings.read_timeout_s, settings.upload_timeout_s)
    wire = Wire(transport.clock, limits, transport.policy)
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                # requests would send an empty file in chunks, which storages refuse with a puzzling 501.
                raise CheckFailed(f"{path}: the file is empty. Nothing was uploaded.")
            with exchange(settings, wire, request=("PUT", authorisation.url), headers={}, body=file) as response:
                status = response.status_code
    except OSError as error:
        raise LocalTrouble(f"{path}: {error.strerror or error}. Nothing was uploaded.") from error
    if status != 200:
        hint = ", the permission has probably run out" if status == 403 else ""
        raise Unavailable(f"{what}: the storage answered {status}{hint}. It is repeated with a new permission.")


def create(transport: Transport, operation: Operation, variables: Mapping[str, object]) -> str:
    """Send a creating mutation once and return the id. Raises: Ambiguous when it may have been executed."""
    data = transport.mutate(operation, variables).data
    created = data.get(operation.root)
    id = text_of(created, "id") if isinstance(created, dict) else None
    if id is None:
        raise Ambiguous(f"{operation.root}: the answer holds no id. It is read back before anything is sent again.")
    return id


def creation(tournament: int) -> Operation:
    """Return the mutation that makes uploaded bytes a submission of `tournament`."""
    return CREATE_SIGNALS if tournament == Tournament.SIGNALS else CREATE
