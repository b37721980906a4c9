"""A pass whose pauses take no time, whose look-ups can fail, and whose calls to the server are timed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any

from numebot.adapters.clock import SystemClock
from numebot.adapters.numerai.network import AddressPolicy
from numebot.core.account import choose
from numebot.core.types import Tournament
from numebot.pipeline import PassResult, Wishes, play_round


class HurriedClock:
    """The server's date and real seconds, but a wait is over at once: it only counts as if it had been waited for."""

    def __init__(self, server_now: Callable[[], datetime]) -> None:
        self.now = server_now
        self._real = SystemClock()
        self._skipped_s = 0.0

    def monotonic(self) -> float:
        return self._real.monotonic() + self._skipped_s

    def wait(self, seconds: float) -> None:
        self._skipped_s += max(0.0, seconds)


class Names:
    """Looks names up; with `answers` set only so many times, then no more, as when the line to the resolver is dead."""

    def __init__(self) -> None:
        self.answers: int | None = None
        self.refused = 0

    def __call__(self, host: str, port: int, **options: Any) -> Any:
        if self.answers == 0:
            self.refused += 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if self.answers is not None:
            self.answers -= 1
        return socket.getaddrinfo(host, port, **options)


class TimedClient:
    """The tournament client; notes how long each call took, in seconds of its own clock."""

    def __init__(self, client: Any, clock: HurriedClock, took: list[tuple[str, float]]) -> None:
        self._client = client
        self._clock = clock
        self._took = took

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def timed(*arguments: Any, **options: Any) -> Any:
            began = self._clock.monotonic()
            try:
                return found(*arguments, **options)
            finally:
                self._took.append((name, self._clock.monotonic() - began))

        return timed


class HurriedRuns:
    """Plays passes of one numebot; `took` holds every call to the server, `names` is its resolver."""

    def __init__(self, bot: Any) -> None:
        self.bot = bot
        self.names = Names()
        self.took: list[tuple[str, float]] = []

    def run(self) -> PassResult:
        with self.bot.app() as app:
            app.clock = HurriedClock(self.bot.server.clock.now)
            client = app.server
            client.transport.policy = AddressPolicy(api_host=client.settings.host, resolver=self.names)
            app.server = TimedClient(client, app.clock, self.took)
            configs = choose(app.registry.models, ())
            return play_round(app.round_tools, Tournament.CLASSIC, configs, Wishes())
