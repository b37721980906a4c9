"""What commands share: logging to stderr without secrets, progress bars, tables that survive a pipe."""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType, MappingProxyType, TracebackType

import click

from numebot.app import App
from numebot.cli.tables import Styled, print_table
from numebot.core.types import State, Submission
from numebot.redaction import RedactingFilter

COLOURS = {
    State.CONFIRMED: "green",
    State.FAILED: "red",
    State.REJECTED: "red",
    State.MISSED: "red",
    State.LATE: "yellow",
    State.QUEUED: "yellow",
}


class LevelFormatter(logging.Formatter):
    """Plain lines; warnings and errors say so. No time: the journal has its own, and a terminal shows it happen."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the level in front when it is not information."""
        line = super().format(record)
        if record.levelno <= logging.INFO:
            return line
        level = record.levelname.lower() + ":"
        if sys.stderr.isatty():
            level = click.style(level, fg="yellow" if record.levelno == logging.WARNING else "red")
        return f"{level} {line}"


def set_up_logging(app: App) -> None:
    """Send numebot's log to stderr, cleaned of secrets, and say at once what is odd about the settings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LevelFormatter("%(message)s"))
    handler.addFilter(RedactingFilter(app.secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("numebot").setLevel(app.settings.log.level)
    sys.excepthook = _last_words
    for warning in app.warnings:
        logging.getLogger(__name__).warning("%s", warning)


def say(line: str) -> None:
    """Tell a step to whoever watches, on stderr."""
    click.echo(line, err=True)


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell an unexpected error through the log, which takes secrets out of tracebacks as well."""
    text = "unexpected error; what was recorded before it is safe, run the same command again"
    logging.getLogger(__name__).critical(text, exc_info=(kind, error, trace))


@contextmanager
def answers_only_on_stdout() -> Iterator[None]:
    """Send what is written to stdout inside the block to stderr: plugins print, and answers must be clean."""
    sys.stdout.flush()
    answers = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(answers, 1)
        os.close(answers)


@contextmanager
def interruptible(app: App) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the round between two steps also where a plugin swallows the exception."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        app.is_interrupted = True
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def as_document(value: object) -> str:
    """Return JSON for machines; numbers that JSON does not know (NaN, infinities) become null."""
    return json.dumps(_plain(value), indent=2, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


@contextmanager
def download_progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield a function that draws a bar per file being downloaded, on a terminal; elsewhere it draws nothing."""
    if not sys.stderr.isatty():
        yield lambda name, done_bytes, total_bytes: None
        return
    from rich.console import Console  # most commands draw nothing
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(name: str, done_bytes: int, total_bytes: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total_bytes)
            bars.update(tasks[name], completed=done_bytes, total=total_bytes)

        yield show


def print_submissions(
    submissions: Iterable[Submission], *, title: str, notes: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Print one line per model: state, filename, submission id, and the error where there is one.

    `notes` holds what else is to be said of a model, by its name.
    """
    rows: list[list[str | Styled]] = [
        [
            row.model,
            Styled(row.state.value, COLOURS.get(row.state)),
            row.filename or "",
            row.submission_id or "",
            ". ".join(filter(None, (_rung(row), row.error, notes.get(row.model)))),
        ]
        for row in submissions
    ]
    columns = ["model", "state", "filename", "submission id", "error"]
    shown = 5 if any(row[-1] for row in rows) else 4
    print_table(columns[:shown], [row[:shown] for row in rows], title=title)


def _rung(row: Submission) -> str | None:
    return f"fallback: {row.rung}" if row.rung else None
