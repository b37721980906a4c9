"""What a plugin call may change around itself in this process, remembered and put back.

A plugin that takes logging for its own would take away the handler that keeps secrets out of the log, and with it the
words about every model after it. Only what is cheap to remember is: options of pandas and other libraries, threads,
and files closed under our hands stay as the plugin left them. Isolation in child processes comes on top of this.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

logger = logging.getLogger(__name__)

Restore = Callable[[], None]


@contextmanager
def surroundings_kept() -> Iterator[None]:
    """Put back, after the block: logging, warnings, streams, environment, folder, sys.path, signals, randomness."""
    with ExitStack() as stack:
        for remember in (_folder, _environment, _streams, _import_path, _signals, _randomness, _logging):
            stack.callback(remember())
        stack.enter_context(np.errstate())
        stack.enter_context(warnings.catch_warnings())
        yield


def _logging() -> Restore:
    disabled_up_to, make_record = logging.root.manager.disable, logging.getLogRecordFactory()
    known = (logging.root, *_own_loggers())
    loggers = [_logger_state(each) for each in known]
    handlers = [_handler_state(handler) for each in known for handler in each.handlers]

    def restore() -> None:
        if logging.root.manager.disable != disabled_up_to:
            logging.disable(disabled_up_to)
        logging.setLogRecordFactory(make_record)
        for put_back in (*loggers, *handlers):
            put_back()
        for new in set(_own_loggers()) - set(known):  # it may stand above others of ours
            new.setLevel(logging.NOTSET)
            new.handlers[:], new.filters[:] = [], []
            new.propagate, new.disabled = True, False

    return restore


def _own_loggers() -> list[logging.Logger]:
    known = list(logging.root.manager.loggerDict.items())
    return [each for name, each in known if name.partition(".")[0] == "numebot" and isinstance(each, logging.Logger)]


def _logger_state(known: logging.Logger) -> Restore:
    level, handlers, filters = known.level, list(known.handlers), list(known.filters)
    propagate, disabled = known.propagate, known.disabled

    def restore() -> None:
        if known.level != level:
            known.setLevel(level)  # also empties the cache of levels, which costs more than looking
        known.handlers[:], known.filters[:] = handlers, filters
        known.propagate, known.disabled = propagate, disabled

    return restore


def _handler_state(handler: logging.Handler) -> Restore:
    level, filters, formatter = handler.level, list(handler.filters), handler.formatter

    def restore() -> None:
        handler.level, handler.formatter = level, formatter
        handler.filters[:] = filters

    return restore


def _streams() -> Restore:
    streams, hook = (sys.stdin, sys.stdout, sys.stderr), sys.excepthook

    def restore() -> None:
        sys.stdin, sys.stdout, sys.stderr = streams
        sys.excepthook = hook

    return restore


def _environment() -> Restore:
    environment, variables = os.environ, dict(os.environ)

    def restore() -> None:
        os.environ = environment  # noqa: B003 # the very object that was there
        if dict(environment) == variables:
            return
        for name in set(environment) - set(variables):
            del environment[name]
        environment.update(variables)

    return restore


def _folder() -> Restore:
    before = _here()

    def restore() -> None:
        if before is None or _here() == before:
            return
        try:
            os.chdir(before)
        except OSError as error:
            logger.warning("a plugin left the folder %s, which is not to be entered again: %s", before, error)

    return restore


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was deleted
        return None


def _import_path() -> Restore:
    before = list(sys.path)

    def restore() -> None:
        # What a plugin added stays, as it may import from there later, but never before what was there.
        sys.path[:] = [*before, *(entry for entry in dict.fromkeys(sys.path) if entry not in before)]

    return restore


def _signals() -> Restore:
    if threading.current_thread() is not threading.main_thread():
        return lambda: None  # only the main thread may set them, so that a plugin could not either
    numbers = [number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP")]
    handlers = {number: signal.getsignal(number) for number in numbers}

    def restore() -> None:
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)

    return restore


def _randomness() -> Restore:
    pythons, generator = random.getstate(), np.random.mtrand.get_bit_generator()
    numpys = generator.state

    def restore() -> None:
        random.setstate(pythons)
        np.random.mtrand.set_bit_generator(generator)
        generator.state = numpys

    return restore
