"""Answers to requests: whole ones, and the ways in which one can break on its way out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from numebot.practice.http.wire import WireProtocol

CHUNK_BYTES = 2**20
_DRIPS_A_SECOND = 10


class Body(Protocol):
    """The bytes of an answer."""

    @property
    def length(self) -> int:
        """How many bytes there are."""

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield them."""


@dataclass(frozen=True)
class BytesBody:
    """A body in memory."""

    content: bytes

    @property
    def length(self) -> int:
        """How many bytes there are."""
        return len(self.content)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield them."""
        yield self.content


@dataclass(frozen=True)
class FileBody:
    """`length` bytes of a file, from the byte `first` on; read in a thread, one chunk in memory at a time."""

    path: Path
    first: int
    length: int

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield them."""
        async with await anyio.open_file(self.path, "rb", buffering=0) as file:
            await file.seek(self.first)
            left = self.length
            while left > 0 and (chunk := await file.read(min(CHUNK_BYTES, left))):
                left -= len(chunk)
                yield chunk


@dataclass(frozen=True)
class JoinedBody:
    """One body behind the other."""

    parts: tuple[Body, ...]

    @property
    def length(self) -> int:
        """How many bytes there are."""
        return sum(part.length for part in self.parts)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield them."""
        for part in self.parts:
            async with aclosing(part.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer; Content-Length and Date are added when it is sent."""

    status: int
    body: Body = field(default_factory=lambda: BytesBody(b""))
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def header_lines(self) -> list[tuple[str, str]]:
        """Return the headers without those that depend on how it is sent."""
        return [*([("content-type", self.content_type)] if self.content_type else []), *self.headers]


class WholeResponse(Response):
    """Sends an answer as it is."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(status_code=answer.status)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send head and body; stop reading a file as soon as nobody listens."""
        headers = self._answer.header_lines()
        has_body = self._answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if has_body:
            headers.append(("content-length", str(self._answer.body.length)))
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": self._answer.status, "headers": encoded})
        wire: WireProtocol = scope["state"]["wire"]
        if has_body and scope["method"] != "HEAD":
            async with aclosing(self._answer.body.chunks()) as chunks:
                async for chunk in chunks:
                    if wire.is_gone:
                        return
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class WireResponse(Response):
    """Does something to the connection in place of an answer; `act` gets the connection and the head's Date."""

    def __init__(self, act: Callable[[WireProtocol, str], Awaitable[None]]) -> None:
        super().__init__()
        self._act = act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do it, and leave the connection closed."""
        wire: WireProtocol = scope["state"]["wire"]
        await self._act(wire, date_header(scope["state"]))
        if not wire.is_gone:
            await wire.close()


def reset() -> WireResponse:
    """End the connection with RST."""
    return WireResponse(lambda wire, _: wire.reset())


def hang(seconds: float | None) -> WireResponse:
    """Say nothing for `seconds` (None: for ever), then close."""
    return WireResponse(lambda wire, _: wire.pause(seconds))


def drip(answer: Answer, bytes_per_s: float) -> WireResponse:
    """Send the head at once and the body a few bytes at a time."""

    async def act(wire: WireProtocol, date: str) -> None:
        await wire.write(_head(answer, date, [("content-length", str(answer.body.length))]))
        portion = max(1, int(bytes_per_s / _DRIPS_A_SECOND))
        async with aclosing(answer.body.chunks()) as chunks:
            async for chunk in chunks:
                for start in range(0, len(chunk), portion):
                    if wire.is_gone:
                        return
                    await wire.write(chunk[start : start + portion])
                    await wire.pause(portion / bytes_per_s)

    return WireResponse(act)


def truncated(answer: Answer) -> WireResponse:
    """Announce the whole length, send half and close."""

    async def act(wire: WireProtocol, date: str) -> None:
        await wire.write(_head(answer, date, [("content-length", str(answer.body.length))]))
        await _write_half(answer.body, wire, lambda chunk: chunk)

    return WireResponse(act)


def truncated_chunked(answer: Answer) -> WireResponse:
    """Send half in chunks and close without the last chunk."""

    async def act(wire: WireProtocol, date: str) -> None:
        await wire.write(_head(answer, date, [("transfer-encoding", "chunked")]))
        await _write_half(answer.body, wire, lambda chunk: b"%x\r\n%s\r\n" % (len(chunk), chunk))

    return WireResponse(act)


def closed_early(answer: Answer) -> WireResponse:
    """Send half without any length and close: a reader cannot tell it from a complete answer."""

    async def act(wire: WireProtocol, date: str) -> None:
        await wire.write(_head(answer, date, []))
        await _write_half(answer.body, wire, lambda chunk: chunk)

    return WireResponse(act)


def date_header(state: MutableMapping[str, Any]) -> str:
    """Return the Date of an answer: the practice clock's time, plus the skew that a fault has put in."""
    now: datetime = state["now"]()
    return format_datetime((now + timedelta(seconds=state.get("skew_s", 0.0))).astimezone(UTC), usegmt=True)


async def _write_half(body: Body, wire: WireProtocol, framed: Callable[[bytes], bytes]) -> None:
    left = body.length // 2
    async with aclosing(body.chunks()) as chunks:
        async for chunk in chunks:
            if left <= 0 or wire.is_gone:
                return
            await wire.write(framed(chunk[:left]))
            left -= len(chunk)


def _head(answer: Answer, date: str, framing: list[tuple[str, str]]) -> bytes:
    phrase = HTTPStatus(answer.status).phrase
    lines = [*answer.header_lines(), *framing, ("date", date), ("connection", "close")]
    text = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"HTTP/1.1 {answer.status} {phrase}\r\n{text}\r\n".encode("latin-1")
