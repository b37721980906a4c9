"""What a fault does to a request: in place of the work, or to the answer behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from numebot.practice.faults.kinds import Fault, Kind
from numebot.practice.faults.switchboard import Struck
from numebot.practice.http import answers
from numebot.practice.http.answers import Answer, BytesBody, WholeResponse, WireResponse
from numebot.practice.http.wire import WireProtocol, wire_of

MAINTENANCE_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head>"
    b"<body><h1>We'll be right back</h1></body></html>\n"
)
_REFUSED_FOR_S = 5.0

Explain = Callable[[int, Sequence[str]], Answer]
"""How a part of the server words an error: an HTTP status and messages become an answer."""


async def instead(struck: Struck, request: Request, explain: Explain) -> Response | None:
    """Return the answer of a fault that strikes before anything is done; None to go on."""
    fault = struck.main
    if fault is None:
        return None
    ending = _ending(fault, request)
    if ending is not None:
        return ending
    answer = _planned(fault, request, explain)
    return None if answer is None else await late(struck, WholeResponse(answer), request)


async def afterwards(struck: Struck, answer: Answer, request: Request, explain: Explain) -> Response:
    """Return the answer to work that was done, whole or as the fault leaves it."""
    fault = struck.main
    response: Response = WholeResponse(answer)
    if fault is not None:
        response = _broken(fault, answer, explain) or response
    return await late(struck, response, request)


async def late(struck: Struck, response: Response, request: Request) -> Response:
    """Hold an answer back for as long as the fault "slow" says."""
    if struck.late_by_s > 0:
        await wire_of(request).pause(struck.late_by_s)
    return response


def _ending(fault: Fault, request: Request) -> WireResponse | None:
    if fault.kind is Kind.RESET:
        return answers.reset()
    if fault.kind is Kind.HANG:
        return answers.hang(fault.seconds)
    if fault.kind is Kind.REFUSED:
        refuse = request.app.state.refuse_connections
        seconds = _REFUSED_FOR_S if fault.seconds is None else fault.seconds

        async def act(wire: WireProtocol, _: str) -> None:
            refuse(seconds)
            await wire.reset()

        return WireResponse(act)
    return None


def _planned(fault: Fault, request: Request, explain: Explain) -> Answer | None:
    if fault.kind is Kind.STATUS:
        return _status(fault, fault.status or 500, explain)
    if fault.kind is Kind.RETRY_AFTER:
        seconds = 1 if fault.seconds is None else fault.seconds
        limited = _status(fault, 429, explain)
        return Answer(429, limited.body, limited.content_type, (("retry-after", f"{seconds:g}"),))
    if fault.kind is Kind.REDIRECT:
        location = fault.location or _under_another_name(request)
        return Answer(fault.status or 302, headers=(("location", location),))
    if fault.kind is Kind.HTML_200:
        return Answer(200, BytesBody(MAINTENANCE_PAGE), "text/html; charset=utf-8")
    if fault.kind is Kind.EMPTY_200:
        return Answer(200)
    return None


def _broken(fault: Fault, answer: Answer, explain: Explain) -> Response | None:
    breaks: dict[Kind, Callable[[], Response]] = {
        Kind.STATUS_AFTER_COMMIT: lambda: WholeResponse(_status(fault, fault.status or 502, explain)),
        Kind.RESET_AFTER_COMMIT: answers.reset,
        Kind.HANG_AFTER_COMMIT: lambda: answers.hang(fault.seconds),
        Kind.DRIP: lambda: answers.drip(answer, fault.bytes_per_s),
        Kind.TRUNCATED: lambda: answers.truncated(answer),
        Kind.TRUNCATED_CHUNKED: lambda: answers.truncated_chunked(answer),
        Kind.EARLY_CLOSE: lambda: answers.closed_early(answer),
    }
    return breaks[fault.kind]() if fault.kind in breaks else None


def _status(fault: Fault, status: int, explain: Explain) -> Answer:
    if fault.body is not None:
        kind = "application/json" if fault.body.lstrip().startswith("{") else "text/html; charset=utf-8"
        return Answer(status, BytesBody(fault.body.encode()), kind)
    return explain(status, fault.messages or (f"practice fault: status {status}",))


def _under_another_name(request: Request) -> str:
    """Return the request's own address on the host name that it was not sent to."""
    parts = urlsplit(str(request.url))
    name = "127.0.0.1" if parts.hostname == "localhost" else "localhost"
    return parts._replace(netloc=f"{name}:{parts.port}").geturl()
