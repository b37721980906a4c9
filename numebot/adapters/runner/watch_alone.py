"""A watching process that is a Python of its own, where forking a server is not safe."""

from __future__ import annotations

import socket

from numebot.adapters.runner.watch import serve


def main(connection: int) -> None:
    """Do the calls that come through this descriptor until it is closed."""
    with socket.socket(fileno=connection) as channel:
        serve(channel)
