"""Messages between numebot, the process that watches a plugin, and the plugin's own process.

A message is a JSON object behind its length. What comes out of a plugin's process may be anything: it is read as JSON
of bounded size and never as a pickle.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator, Mapping

LARGEST = 4 * 2**20
"""Bytes of a message; the names of some thousand features fit."""

_LENGTH = struct.Struct("!I")

Message = Mapping[str, object]


class Garbage(ValueError):
    """What came is no message."""


def send(connection: socket.socket, message: Message) -> None:
    """Send one message. Raises: OSError when nobody listens any more."""
    send_bytes(connection, json.dumps(message).encode())


def receive(connection: socket.socket) -> Message | None:
    """Wait for one message; None when the other side is gone. Raises: Garbage."""
    content = receive_bytes(connection)
    return None if content is None else _parsed(content)


def send_bytes(connection: socket.socket, content: bytes) -> None:
    """Send something behind its length. Raises: OSError when nobody listens any more."""
    connection.sendall(_LENGTH.pack(len(content)) + content)


def receive_bytes(connection: socket.socket) -> bytes | None:
    """Wait for what `send_bytes` sent; None when the other side is gone. Raises: Garbage."""
    head = _exactly(connection, _LENGTH.size)
    return None if head is None else _exactly(connection, _bounded(head))


class Inbox:
    """Puts messages together from the pieces in which they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def take(self, piece: bytes) -> Iterator[Message]:
        """Yield the messages that are whole now. Raises: Garbage."""
        self._buffer += piece
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _bounded(self._buffer[: _LENGTH.size])
            if len(self._buffer) < end:
                return
            content = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield _parsed(content)


def _bounded(head: bytes | bytearray) -> int:
    (length,) = _LENGTH.unpack(head)
    if length > LARGEST:
        raise Garbage(f"a message of {length:,} bytes")
    return int(length)


def _parsed(content: bytes) -> Message:
    try:
        message = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Garbage(f"{len(content)} bytes that are no JSON") from error
    if not isinstance(message, dict):
        raise Garbage("a message without a name")
    return message


def _exactly(connection: socket.socket, length: int) -> bytes | None:
    content = bytearray()
    while len(content) < length:
        piece = connection.recv(min(2**20, length - len(content)))
        if not piece:
            return None
        content += piece
    return bytes(content)
