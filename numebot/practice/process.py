"""A practice tournament in a child process that ends with the block, and with its parent, whatever kills that."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from numebot.core.errors import LocalTrouble
from numebot.core.ports import Clock
from numebot.practice.options import PracticeOptions

PROGRAM = (sys.executable, "-m", "numebot", "practice")
"""What is run as the child, before the options."""
LOG_FILE = "practice.log"
"""In the tournament's folder: what the child says."""

_READY_WITHIN_S = 180.0
_END_WITHIN_S = 5.0
_LAST_LINES = 12
_LONGEST_READY_LINE = 65536


@dataclass(frozen=True)
class PracticeAddress:
    """How to reach a practice tournament. Its keys open nothing else and are no secrets."""

    url: str
    public_id: str
    secret_key: str


_ADDRESS = TypeAdapter(PracticeAddress)


def ready_line(address: PracticeAddress) -> str:
    """Return the one line that the child prints when it answers requests."""
    return _ADDRESS.dump_json(address).decode()


@contextmanager
def practice_process(
    options: PracticeOptions,
    *,
    clock: Clock,
    program: Sequence[str] = PROGRAM,
    ready_within_s: float = _READY_WITHIN_S,
    end_within_s: float = _END_WITHIN_S,
) -> Iterator[PracticeAddress]:
    """Run a practice tournament in a child process for as long as the block lasts.

    The child has a session of its own (Ctrl-C in the terminal is the parent's business), an environment without the
    parent's secrets, and a pipe as standard input: when that ends, because the parent closed it or died, so does it.
    Raises: LocalTrouble with the child's last words when it does not come up.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    log_path = options.folder / LOG_FILE
    with log_path.open("ab") as log:
        own_words_from = log.tell()
        child = subprocess.Popen(
            [*program, *arguments(options), "--ready-json", "--until-eof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_environment(options.folder),
            cwd=options.folder,
            start_new_session=True,
        )
    try:
        line = _first_line(child, clock, ready_within_s)
        try:
            address = _ADDRESS.validate_json(line)
        except ValidationError:
            raise _failure(_why(child, line, ready_within_s), log_path, own_words_from) from None
        yield address
    finally:
        _end(child, end_within_s)


def arguments(options: PracticeOptions) -> list[str]:
    """Return the command line that stands for `options`."""
    given = {
        "--folder": options.folder.absolute(),
        "--port": options.port,
        "--seed": options.seed,
        "--scale": options.scale,
        "--window": options.window_minutes,
        "--period": options.period_minutes,
        "--open-late": options.open_late_minutes,
        "--speed": options.speed,
        "--validation-delay": options.validation_delay_s,
        "--market": options.market_folder.absolute() if options.market_folder else None,
        "--data": options.data.absolute() if options.data else None,
        "--faults": options.faults.absolute() if options.faults else None,
        "--models": ",".join(options.models) or None,
    }
    switches = {"--rate-limits": options.has_rate_limits, "--open-now": options.opens_now}
    flags = [name for name, is_on in switches.items() if is_on]
    return [word for name, value in given.items() if value is not None for word in (name, str(value))] + flags


def _environment(home: Path) -> dict[str, str]:
    """Return all that the child needs, and nothing of ours: a numebot that was found by us, and an UTF-8 world."""
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path and Path(path).is_dir()),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _first_line(child: subprocess.Popen[bytes], clock: Clock, within_s: float) -> bytes:
    """Read until a line break, the end of the stream or the end of the patience."""
    assert child.stdout is not None
    until = clock.monotonic() + within_s
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n") and len(line) < _LONGEST_READY_LINE:
            if not selector.select(timeout=max(0.0, until - clock.monotonic())):
                break
            chunk = os.read(child.stdout.fileno(), 4096)
            if not chunk:
                break
            line += chunk
    return line


def _why(child: subprocess.Popen[bytes], line: bytes, within_s: float) -> str:
    if line:
        return f"said {line[:200]!r} where its address was expected"
    try:
        return f"ended with exit code {child.wait(timeout=1)} before it was ready"
    except subprocess.TimeoutExpired:
        return f"was not ready after {within_s:g} s"


def _failure(what: str, log_path: Path, own_words_from: int) -> LocalTrouble:
    own_words = log_path.read_bytes()[own_words_from:].decode(errors="replace")
    lines = own_words.strip().splitlines()[-_LAST_LINES:]
    said = "\n".join(f"  {line}" for line in lines) or "  (nothing)"
    return LocalTrouble(f"The practice tournament {what}. Its last words, from {log_path}:\n{said}")


def _end(child: subprocess.Popen[bytes], within_s: float) -> None:
    """Close the pipe that keeps the child alive; what is still there after some seconds is killed, children too."""
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()
    try:
        child.wait(timeout=within_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


