"""As many plugins at a time as processors and memory allow; what failed for want of either is tried once more alone."""

from __future__ import annotations

import os
import pickle
import selectors
import socket
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from numebot.adapters.runner.clockwork import seconds
from numebot.adapters.runner.nursery import Nursery
from numebot.adapters.runner.requests import Kind, Outcome, Request
from numebot.adapters.runner.wire import Garbage, Inbox, Message, send, send_bytes
from numebot.core.errors import NumebotError

Answer = Callable[[object], Message]
"""Gets a plugin's description and returns where its data lie; what it raises ends the call."""

_GRACE_S = 30.0
"""How much later than its limit a watching process must have answered."""
_POLL_S = 1.0


@dataclass(eq=False)
class Call:
    """One request on its way. `answer` is asked while the plugin waits; `began` hears of each start."""

    request: Request
    answer: Answer
    began: Callable[[], None] = lambda: None
    tries: int = 0
    was_alone: bool = False
    result: Outcome | NumebotError | None = None


@dataclass(eq=False)
class _Running:
    call: Call
    connection: socket.socket
    slot: int
    until: float
    inbox: Inbox = field(default_factory=Inbox)


class Pool:
    """Runs calls. `available_mb` says how much memory plugins may take together."""

    def __init__(self, nursery: Nursery, available_mb: Callable[[], float]) -> None:
        self._nursery = nursery
        self._available_mb = available_mb
        self._processors = _processors()

    def run(
        self, calls: Iterable[Call], *, is_stopped: Callable[[], bool] = lambda: False
    ) -> Generator[Call, None, None]:
        """Yield the calls as they end, each with its result.

        Ends all of them when it is closed early, or soon after `is_stopped` says yes.
        """
        batch = _Batch(self._nursery, deque(calls), self._processors, self._available_mb(), is_stopped)
        try:
            yield from batch.ended()
        finally:
            batch.close()


class _Batch:
    def __init__(
        self,
        nursery: Nursery,
        waiting: deque[Call],
        processors: tuple[int, ...],
        available_mb: float,
        is_stopped: Callable[[], bool],
    ) -> None:
        self._is_stopped = is_stopped
        self._nursery = nursery
        self._waiting = waiting
        self._again: deque[Call] = deque()
        self._processors = processors
        self._left_mb = available_mb
        self._slots = max(1, min(len(processors), len(waiting)))
        self._free = deque(range(self._slots))
        self._selector = selectors.DefaultSelector()

    def ended(self) -> Iterator[Call]:
        while not self._is_stopped() and (self._waiting or self._again or self._running()):
            self._start_what_fits()
            for key, _ in self._selector.select(_POLL_S):
                self._hear(key.data)
            self._give_up_on_the_silent()
            for running in self._running():
                if running.call.result is not None:
                    self._leave(running)
                    if not self._is_kept_for_later(running.call):
                        yield running.call

    def close(self) -> None:
        for running in self._running():
            self._leave(running)
        self._selector.close()

    def _running(self) -> list[_Running]:
        mapping = self._selector.get_map() or {}
        return [key.data for key in mapping.values()]

    def _start_what_fits(self) -> None:
        while self._waiting and self._free:
            needed = self._waiting[0].request.limits.memory_mb
            if self._running() and needed > self._left_mb:
                return
            self._start(self._waiting.popleft(), self._free.popleft())
        if self._again and not self._waiting and not self._running():
            # Alone: all processors, and nobody else's memory.
            self._slots = 1
            self._free = deque([0])
            self._start(self._again.popleft(), self._free.popleft())

    def _start(self, call: Call, slot: int) -> None:
        call.tries += 1
        call.was_alone = self._slots == 1
        call.began()
        share = len(self._processors) // self._slots
        request = replace(call.request, processors=self._processors[slot * share : (slot + 1) * share])
        connection = self._nursery.connect()
        until = seconds() + request.limits.time_s + _GRACE_S
        running = _Running(call, connection, slot, until)
        self._left_mb -= request.limits.memory_mb
        self._selector.register(connection, selectors.EVENT_READ, running)
        with suppress(OSError):  # it is gone, which shows when it is listened to
            send_bytes(connection, pickle.dumps(request))

    def _leave(self, running: _Running) -> None:
        self._selector.unregister(running.connection)
        self._free.append(running.slot)
        self._left_mb += running.call.request.limits.memory_mb
        result = running.call.result
        if isinstance(result, Outcome) and result.kind is not Kind.LOST and result.is_clean:
            self._nursery.take_back(running.connection)
        else:
            _hang_up(running.connection)

    def _is_kept_for_later(self, call: Call) -> bool:
        kind = call.result.kind if isinstance(call.result, Outcome) else None
        # A second try for what the others may have caused: a want of time or memory, the end of a bystander.
        if call.tries > 1 or not (kind is Kind.LOST or (kind is Kind.SCARCE and not call.was_alone)):
            return False
        call.result = None
        self._again.append(call)
        return True

    def _hear(self, running: _Running) -> None:
        try:
            piece = running.connection.recv(2**18)
            if not piece:
                raise ConnectionError
            for message in running.inbox.take(piece):
                self._understand(running, message)
        except (OSError, Garbage):
            running.call.result = Outcome(Kind.LOST, "the process that watched it was killed.")

    def _understand(self, running: _Running, message: Message) -> None:
        match message:
            case {"described": described}:
                try:
                    before = seconds()
                    send(running.connection, running.call.answer(described))
                    running.until += seconds() - before
                except NumebotError as error:
                    running.call.result = error
            case {"outcome": dict(outcome)}:
                running.call.result = Outcome(**{**outcome, "kind": Kind(outcome["kind"])})

    def _give_up_on_the_silent(self) -> None:
        now = seconds()
        for running in self._running():
            if running.call.result is None and now > running.until:
                running.call.result = Outcome(Kind.LOST, "the process that watched it does not answer.")


def _hang_up(connection: socket.socket) -> None:
    """Let the watching process end what it watches, and wait until it has."""
    with connection, suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_GRACE_S)
        while connection.recv(2**18):
            pass


def _processors() -> tuple[int, ...]:
    try:
        return tuple(sorted(os.sched_getaffinity(0)))
    except AttributeError:  # not on macOS
        return tuple(range(os.cpu_count() or 1))
