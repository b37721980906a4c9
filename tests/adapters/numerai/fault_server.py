"""A raw-socket server on the loopback that misbehaves exactly as told, where a web framework would be too polite."""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

Reply = Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def variables(self) -> dict[str, object]:
        return json.loads(self.body)["variables"]


def raw(content: bytes) -> Reply:
    """Send bytes and close."""
    return lambda connection, stop: connection.sendall(content)


def http(body: bytes | str = b"", status: int = 200, **headers: str) -> Reply:
    """Send a proper answer; header names take _ for -."""
    content = body.encode() if isinstance(body, str) else body
    return raw(head(status, {"Content-Length": str(len(content)), **headers}) + content)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def data(value: Mapping[str, object], **headers: str) -> Reply:
    """Send a good GraphQL answer."""
    return http(json.dumps({"data": value}), Content_Type="application/json", **headers)


def errors(*messages: str, status: int = 200, beside: object = None, **headers: str) -> Reply:
    """Send GraphQL errors, with `beside` as the data."""
    content = {"data": beside, "errors": [{"message": message, "path": ["x"]} for message in messages]}
    return http(json.dumps(content), status, **headers)


def unframed(content: bytes) -> Reply:
    """Send an answer that only the end of the connection ends."""
    return raw(head(200, {}) + content)


def cut_off(content: bytes, declared: int) -> Reply:
    """Announce more bytes than come."""
    return raw(head(200, {"Content-Length": str(declared)}) + content)


def chunked(content: bytes, *, is_whole: bool = True) -> Reply:
    end = b"0\r\n\r\n" if is_whole else b""
    return raw(head(200, {"Transfer-Encoding": "chunked"}) + b"%x\r\n%b\r\n" % (len(content), content) + end)


def hang(connection: socket.socket, stop: threading.Event) -> None:
    """Accept and never say a word."""
    stop.wait(30)


def drip(content: bytes, every_s: float = 0.02) -> Reply:
    """Send one byte at a time: each read succeeds, the whole never ends."""

    def reply(connection: socket.socket, stop: threading.Event) -> None:
        for position in range(len(content)):
            connection.sendall(content[position : position + 1])
            if stop.wait(every_s):
                return

    return reply


def reset(connection: socket.socket, stop: threading.Event) -> None:
    """Close with RST, as a crashing gateway does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close(connection: socket.socket, stop: threading.Event) -> None:
    """Close without an answer."""


class FaultServer:
    """Answers by route: a GraphQL root, or "GET /path" and "PUT /path". The last reply of a route repeats."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Seen] = []
        self._routes: dict[str, list[Reply]] = {}
        self._stop = threading.Event()
        self._context = context
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def on(self, route: str, *replies: Reply) -> None:
        self._routes[route] = list(replies)

    def count(self, route: str) -> int:
        return sum(self._matches(route, request) for request in self.requests)

    def seen(self, route: str) -> list[Seen]:
        return [request for request in self.requests if self._matches(route, request)]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(10)
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                request = read_request(connection)
                if request is None:
                    return
                self.requests.append(request)
                self._reply_to(request)(connection, self._stop)

    def _reply_to(self, request: Seen) -> Reply:
        for route, replies in self._routes.items():
            if self._matches(route, request):
                return replies.pop(0) if len(replies) > 1 else replies[0]
        return http(f"no route for {request.method} {request.path}", 404)

    @staticmethod
    def _matches(route: str, request: Seen) -> bool:
        if " " in route:
            return route == f"{request.method} {request.path.partition('?')[0]}"
        if request.method != "POST":
            return False
        return re.search(rf"\b{route}\s*[({{]", json.loads(request.body)["query"]) is not None


def read_request(connection: socket.socket) -> Seen | None:
    stream = connection.makefile("rb")
    with stream:
        words = stream.readline().decode().split()
        if len(words) < 2:
            return None
        headers: dict[str, str] = {}
        while (line := stream.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        return Seen(words[0], words[1], headers, body)
