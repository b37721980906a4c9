"""What every request passes first: only this machine's own clients come in, and every answer carries practice time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from numebot.practice.http.answers import date_header

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class Door:
    """Refuses requests that a foreign web page could have made, and dates the answers.

    A page in the owner's browser can reach the loopback. It cannot choose the Host header, which names the page's own
    host even when that was made to resolve to 127.0.0.1, nor the Origin header.
    """

    def __init__(self, app: ASGIApp, *, now: Callable[[], datetime]) -> None:
        self._app = app
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403."""
        scope["state"]["now"] = self._now

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", date_header(scope["state"]).encode("ascii"))
                message = {**message, "headers": [*message.get("headers", []), date]}
            await send(message)

        problem = _problem(Headers(scope=scope))
        if problem is None:
            await self._app(scope, receive, dated)
        else:
            await PlainTextResponse(problem, status_code=403)(scope, receive, dated)


def _problem(headers: Headers) -> str | None:
    host = headers.get("host", "")
    if _name(f"//{host}") not in LOOPBACK_NAMES:
        return f"The practice tournament answers to 127.0.0.1 and localhost only, not to the host {host[:100]!r}.\n"
    origin = headers.get("origin")
    if origin is not None and _name(origin) not in LOOPBACK_NAMES:
        return f"The practice tournament takes no requests from pages of {origin[:100]!r}.\n"
    return None


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
