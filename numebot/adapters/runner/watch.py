"""The process that watches a plugin's: it starts it, measures it, passes messages on, and ends it with all it started.

One such process serves one slot, one call after the other. It never runs a line of a plugin. It adopts orphans, so
that everything below it belongs to the call that is on.
"""

from __future__ import annotations

import importlib
import os
import pickle
import selectors
import signal
import socket
from contextlib import ExitStack, suppress
from dataclasses import replace
from types import FrameType

from numebot.adapters.runner import child
from numebot.adapters.runner.clockwork import seconds
from numebot.adapters.runner.kernel import adopt_orphans, end_with_parent
from numebot.adapters.runner.model_log import ModelLog
from numebot.adapters.runner.processes import descendants, end_all, fair_memory_mb, memory_mb, reap, signal_group
from numebot.adapters.runner.requests import Kind, Outcome, Request
from numebot.adapters.runner.wire import Garbage, Inbox, Message, receive_bytes, send

_TICK_S = 0.02
_PIECE = 2**18


class _Stopped(BaseException):
    """Numebot is gone, or wants this to end."""


def serve(connection: socket.socket) -> None:
    """Do the calls that come through `connection` until it is closed."""
    with suppress(ImportError):
        # The package of the shipped plugins, not they themselves: from inside, the folder above it cannot be searched.
        importlib.import_module("models")
    adopt_orphans()
    with suppress(OSError):  # the right of root alone: to be heard above what it watches
        os.setpriority(os.PRIO_PROCESS, 0, -5)
    end_with_parent(signal.SIGTERM)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(_Stopped, OSError):
        while (content := receive_bytes(connection)) is not None:
            outcome = _call(connection, pickle.loads(content))
            send(connection, {"outcome": vars(outcome)})
            if not outcome.is_clean:
                return  # something survives its end; the next call must not stand beside it


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped


def _call(connection: socket.socket, request: Request) -> Outcome:
    with ExitStack() as stack:
        log = stack.enter_context(ModelLog(request.log, f"{request.task} {request.model} ({request.code})"))
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        output, theirs_output = os.pipe()
        stack.callback(os.close, output)
        process = os.fork()
        if process == 0:
            child.live(request, theirs, theirs_output)
        theirs.close()
        os.close(theirs_output)
        os.set_blocking(output, False)
        watch = _Watch(connection, request, process, ours, output, log)
        try:
            outcome = watch.outcome()
        finally:
            is_clean = end_all(os.getpid(), process)
            watch.drain_output()
        return replace(outcome, is_clean=is_clean)


class _Watch:
    """Watches one process until it is clear how its call ended."""

    def __init__(
        self,
        connection: socket.socket,
        request: Request,
        process: int,
        channel: socket.socket,
        output: int,
        log: ModelLog,
    ) -> None:
        self._connection = connection
        self._limits = request.limits
        self._process = process
        self._channel = channel
        self._output = output
        self._log = log
        self._inbox, self._replies = Inbox(), Inbox()
        self._spent_s = 0.0
        self._is_waiting_for_us = False
        self._was_described = False
        self._peak_mb = 0.0
        self._ended: dict[int, int] = {}
        self._end: Outcome | None = None

    def outcome(self) -> Outcome:
        """Return how the call ended. Raises: _Stopped."""
        with selectors.DefaultSelector() as selector, ExitStack() as stack:
            selector.register(self._connection, selectors.EVENT_READ, self._hear_numebot)
            selector.register(self._channel, selectors.EVENT_READ, self._hear_plugin)
            selector.register(self._output, selectors.EVENT_READ, self._hear_output)
            with suppress(OSError, AttributeError):  # elsewhere than on Linux 5.3 the next measurement notices the end
                exit_ = os.pidfd_open(self._process)
                stack.callback(os.close, exit_)
                selector.register(exit_, selectors.EVENT_READ, self._hear_exit)
            before = measured = seconds()
            while self._end is None:
                for key, _ in selector.select(_TICK_S):
                    if not key.data():
                        selector.unregister(key.fileobj)
                now = seconds()
                if not self._is_waiting_for_us:
                    self._spent_s += now - before
                before = now
                if self._end is not None or now - measured >= _TICK_S:
                    measured = now
                    self._measure()
            return self._end

    def drain_output(self) -> None:
        """Keep what was printed before the end."""
        with suppress(OSError):
            while piece := os.read(self._output, _PIECE):
                self._log.write(piece)

    def _finish(self, kind: Kind, words: str = "", answer: Message | None = None, *, with_output: bool = False) -> None:
        if self._end is not None:
            return
        if with_output:
            self.drain_output()
            last = self._log.last_lines()
            words = f"{words}. Last words: {last}" if last else f"{words}."
        if kind is Kind.DONE:
            self._memory_mb([self._process])
        self._end = Outcome(kind, words, answer or {}, round(self._spent_s, 3), round(self._peak_mb, 1))

    def _hear_numebot(self) -> bool:
        piece = self._connection.recv(_PIECE)
        if not piece:
            raise _Stopped
        for reply in self._replies.take(piece):
            self._is_waiting_for_us = False
            with suppress(OSError):
                send(self._channel, reply)
        return True

    def _hear_plugin(self) -> bool:
        try:
            piece = self._channel.recv(_PIECE)
            for message in self._inbox.take(piece):
                self._understand(message)
        except ConnectionError:
            return False
        except Garbage as error:
            self._finish(Kind.FAILED, f"its process wrote {error} where answers belong", with_output=True)
            return False
        return bool(piece)

    def _understand(self, message: Message) -> None:
        match message:
            case {"described": described} if not self._was_described:
                self._was_described = self._is_waiting_for_us = True
                send(self._connection, {"described": described})
            case {"done": dict(answer)}:
                self._finish(Kind.DONE, answer=answer)
            case {"failed": str(words), "is_memory": True}:
                limit = f"{self._limits.memory_mb:,} MB ({self._limits.memory_name})"
                self._finish(Kind.SCARCE, f"{words.rstrip('.')}. Its limit is {limit}.")
            case {"failed": str(words)}:
                self._finish(Kind.FAILED, words)
            case _:
                raise Garbage("something else")

    def _hear_output(self) -> bool:
        try:
            piece = os.read(self._output, _PIECE)
        except BlockingIOError:
            return True
        self._log.write(piece)
        return bool(piece)

    def _hear_exit(self) -> bool:
        self._hear_last_words()
        self._ended |= reap()
        status = self._ended.get(self._process)
        if status is None:
            self._finish(Kind.FAILED, "its process ended before it gave an answer", with_output=True)
        elif os.WIFSIGNALED(status):
            self._finish(*_killed(os.WTERMSIG(status)), with_output=True)
        else:
            code = os.WEXITSTATUS(status)
            words = f"its process ended with exit code {code} before it gave an answer"
            self._finish(Kind.FAILED, words, with_output=True)
        return False

    def _hear_last_words(self) -> None:
        self._channel.setblocking(False)
        with suppress(BlockingIOError):
            while self._end is None and self._hear_plugin():
                pass

    def _measure(self) -> None:
        """End it when it takes more than it may."""
        limits = self._limits
        self._ended |= reap()
        if self._process in self._ended:
            self._hear_exit()
        below = descendants(os.getpid())
        if len(below) > limits.processes:
            # First of all: while a fork bomb is measured, it grows.
            signal_group(self._process, signal.SIGSTOP)
            words = f"killed at {len(below)} processes; {limits.processes} are allowed"
            self._finish(Kind.FAILED, words, with_output=True)
            return
        memory = self._memory_mb(below)
        if memory > limits.memory_mb:
            words = f"killed at {memory:,.0f} MB, limit {limits.memory_name} {limits.memory_mb:,}"
            self._finish(Kind.SCARCE, words, with_output=True)
        elif self._spent_s > limits.time_s:
            words = f"killed after {_minutes(self._spent_s)}, limit {limits.time_name} {limits.time_s / 60:g}"
            self._finish(Kind.SCARCE, words, with_output=True)

    def _memory_mb(self, below: list[int]) -> float:
        # What they all have from the server is shared.
        shared = memory_mb(os.getpid()) * max(0, len(below) - 1)
        memory = max(0.0, sum(map(memory_mb, below)) - shared)
        if memory > self._limits.memory_mb and len(below) > 1:
            signal_group(self._process, signal.SIGSTOP)  # so that it does not grow meanwhile
            memory = sum(map(fair_memory_mb, below))
            signal_group(self._process, signal.SIGCONT)
        self._peak_mb = max(self._peak_mb, memory)
        return memory


def _killed(number: int) -> tuple[Kind, str]:
    name = signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL:
        return Kind.SCARCE, "its process was killed from outside; mostly that is a machine out of memory"
    return Kind.FAILED, f"its process crashed with {name} ({signal.strsignal(number)})"


def _minutes(length_s: float) -> str:
    return f"{length_s / 60:.1f} minutes" if length_s >= 60 else f"{length_s:.1f} s"
