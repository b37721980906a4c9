"""The file storage over HTTP: GET with ETag and Range, PUT that becomes a file only when it is whole."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Sequence
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from numebot.core.errors import LocalTrouble
from numebot.durable import TEMPORARY_SUFFIX
from numebot.practice.faults.effects import afterwards, instead
from numebot.practice.faults.kinds import GET, GET_RANGE, PUT, Fault, Kind
from numebot.practice.faults.switchboard import Faults, Struck
from numebot.practice.http import answers
from numebot.practice.http.answers import Answer, BytesBody, FileBody, JoinedBody, WholeResponse
from numebot.practice.storage.byte_ranges import NotSatisfiable, Part, requested_part
from numebot.practice.storage.storage import Refused, Storage, Stored

RoundBefore = Callable[[Path], Path | None]
"""Finds the same file as it was one round earlier; None for files that do not belong to a round."""

_FILE_TYPE = "binary/octet-stream"


class StorageRoutes:
    """Answers the two verbs of the storage, with the faults that strike them."""

    def __init__(self, storage: Storage, faults: Faults, round_before: RoundBefore) -> None:
        self._storage = storage
        self._faults = faults
        self._round_before = round_before

    async def get(self, request: Request) -> Response:
        """Serve a file, or the part of it that was asked for."""
        operations = (GET, GET_RANGE) if "range" in request.headers else (GET,)
        struck = self._faults.strike(operations)
        request.state.skew_s = struck.skew_s
        response = await instead(struck, request, xml_error)
        if response is not None:
            return response
        try:
            if request.method == "HEAD":
                raise Refused(403, "SignatureDoesNotMatch", "This address is signed for GET.")
            path = self._storage.path_for(*_target(request))
            answer = await anyio.to_thread.run_sync(self._file, path, request, struck, abandon_on_cancel=True)
        except Refused as refused:
            return WholeResponse(_xml(refused.status, refused.code, refused.message))
        return await afterwards(struck, answer, request, xml_error)

    async def put(self, request: Request) -> Response:
        """Take an upload. What arrived by half, or was refused, leaves nothing behind."""
        struck = self._faults.strike((PUT,))
        request.state.skew_s = struck.skew_s
        response = await instead(struck, request, xml_error)
        if response is not None:
            # a storage reads what it is about to refuse; only a dead or mute connection does not
            if isinstance(response, WholeResponse):
                await _discard(request)
            return response
        try:
            key = self._storage.key_for(*_target(request))
            if "content-length" not in request.headers:
                raise Refused(501, "NotImplemented", "A header you provided implies functionality not implemented")
            etag = await self._receive(request, key, struck.main)
        except Refused as refused:
            await _discard(request)
            return WholeResponse(_xml(refused.status, refused.code, refused.message))
        except ClientDisconnect:
            return answers.reset()
        return await afterwards(struck, Answer(200, headers=(("etag", etag),)), request, xml_error)

    async def _receive(self, request: Request, key: str, fault: Fault | None) -> str:
        """Stream the body into the object `key` and return its ETag. Raises: Refused, ClientDisconnect."""
        folder = self._storage.folder
        received = folder / f".{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        try:
            await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
            async with await anyio.open_file(received, "wb") as file:
                async for chunk in request.stream():
                    await file.write(chunk)
            etag = (await anyio.to_thread.run_sync(self._storage.stored, received)).etag
            if fault is not None and fault.kind is Kind.PUT_HALF:
                await anyio.to_thread.run_sync(_halve, received)
            if fault is None or fault.kind is not Kind.PUT_DROPPED:
                await anyio.to_thread.run_sync(self._storage.keep, key, received)
        except (OSError, LocalTrouble) as error:
            raise Refused(500, "InternalError", f"The practice storage cannot keep it: {error}") from error
        finally:
            with contextlib.suppress(OSError):
                received.unlink(missing_ok=True)
        return etag

    def _file(self, path: Path, request: Request, struck: Struck) -> Answer:
        earlier = self._round_before(path) if struck.kind in (Kind.WRONG_ROUND, Kind.SPLICED) else None
        if earlier is not None and struck.kind is Kind.WRONG_ROUND:
            path = earlier
        stored = self._storage.stored(path)
        headers = _headers(stored)
        if _is_unchanged(request, stored):
            return Answer(304, headers=headers)
        if earlier is not None and struck.kind is Kind.SPLICED:
            return Answer(200, _spliced(earlier, stored), _FILE_TYPE, headers)
        wanted = request.headers.get("range")
        if request.headers.get("if-range", stored.etag) != stored.etag or struck.kind is Kind.IGNORE_RANGE:
            wanted = None
        if wanted is not None and struck.main is not None and struck.kind is Kind.RANGE_REFUSED:
            return xml_error(struck.main.status or 416, struck.main.messages)
        try:
            part = requested_part(wanted, stored.size_bytes)
        except NotSatisfiable:
            refusal = _xml(416, "InvalidRange", "The requested range is not satisfiable")
            size = ("content-range", f"bytes */{stored.size_bytes}")
            return Answer(416, refusal.body, refusal.content_type, (size,))
        if part is None:
            return Answer(200, FileBody(path, 0, stored.size_bytes), _FILE_TYPE, headers)
        return _partial(path, part, headers)


def xml_error(status: int, messages: Sequence[str]) -> Answer:
    """Word an error as S3 does."""
    codes = {403: "AccessDenied", 404: "NoSuchKey", 416: "InvalidRange", 429: "SlowDown", 503: "SlowDown"}
    return _xml(status, codes.get(status, "InternalError"), " ".join(messages) or "practice fault")


def _xml(status: int, code: str, message: str) -> Answer:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"<RequestId>{secrets.token_hex(8).upper()}</RequestId></Error>"
    )
    return Answer(status, BytesBody(text.encode()), "application/xml")


def _target(request: Request) -> tuple[str, str]:
    return request.scope["raw_path"].decode("ascii"), request.scope["query_string"].decode("ascii")


def _headers(stored: Stored) -> tuple[tuple[str, str], ...]:
    return (
        ("etag", stored.etag),
        ("last-modified", format_datetime(stored.modified_at, usegmt=True)),
        ("accept-ranges", "bytes"),
    )


def _is_unchanged(request: Request, stored: Stored) -> bool:
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or stored.etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]


def _partial(path: Path, part: Part, headers: tuple[tuple[str, str], ...]) -> Answer:
    with_range = (*headers, ("content-range", part.content_range))
    return Answer(206, FileBody(path, part.first, part.length), _FILE_TYPE, with_range)


def _spliced(earlier: Path, stored: Stored) -> JoinedBody:
    half = min(stored.size_bytes // 2, earlier.stat().st_size)
    return JoinedBody((FileBody(earlier, 0, half), FileBody(stored.path, half, stored.size_bytes - half)))


def _halve(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


async def _discard(request: Request) -> None:
    try:
        async for _ in request.stream():
            pass
    except (ClientDisconnect, RuntimeError):
        # already gone, or already read: either way nothing is left to read
        return
