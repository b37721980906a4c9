"""One at a time: who works in a data folder holds its lock, and the others learn who that is.

The lock is the kernel's (flock), so a killed holder's is free at once. A row in the database says the same to those who
share it from another data folder, where no lock reaches: such a row counts until it expires.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

from numebot.core.errors import LocalTrouble
from numebot.core.ports import Clock
from numebot.durable import local_trouble, make_folder, write_whole

LOCK_FILE = "numebot.lock"
"""Held by whoever plays a round or tidies up. Not for training: a round would have to wait for hours."""
DAEMON_LOCK = "daemon.lock"
"""Held by the daemon for as long as it lives."""
PLACE_FILE = "place.id"
"""Holds the name of the data folder itself."""
LEASE_KEY = "lease"
"""Under which the store notes the holder."""
LOOK_EVERY_S = 0.25
LONG_AGO = datetime.min.replace(tzinfo=UTC)

_LONGEST_NOTE = 1024


class Taken(LocalTrouble):
    """Another numebot holds the lease; it does the same job."""


class Notes(Protocol):
    """The part of the store that keeps the row."""

    def change_note(
        self, key: str, change: Callable[[Mapping[str, object]], Mapping[str, object] | None]
    ) -> Mapping[str, object]:
        """Put what `change` makes of a note in its place, None leaves it; nobody comes between. Return what it was."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lease, and what for."""

    pid: int
    host: str
    purpose: str
    since: datetime

    def __str__(self) -> str:
        """Return it as a sentence names it."""
        if self == UNKNOWN:
            return "unknown"
        return f"process {self.pid} on {self.host} ({self.purpose}, since {self.since:%Y-%m-%d %H:%M:%S} UTC)"


UNKNOWN = Holder(0, "", "", LONG_AGO)
"""Somebody who holds a lock and left no readable note, e.g. because the disk was full."""


@contextmanager
def lease(folder: Path, purpose: str, clock: Clock, *, wait_s: float = 0.0, name: str = LOCK_FILE) -> Iterator[None]:
    """Hold a lock of the data folder for the length of the block. The kernel gives it back when the process dies.

    Somebody who holds it is waited for up to `wait_s` seconds. Processes that are forked meanwhile do not hold it.
    Raises: Taken when another process holds it; LocalTrouble when the folder cannot be written.
    """
    path = folder / name
    try:
        make_folder(folder, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise local_trouble(error, path) from error
    try:
        _take(descriptor, path, clock, wait_s)
        _sign(descriptor, Holder(os.getpid(), socket.gethostname(), purpose, clock.now()))
        with _not_inherited(descriptor):
            yield
    finally:
        os.close(descriptor)


_held: set[int] = set()
"""Descriptors of the locks of this process."""


@contextmanager
def _not_inherited(descriptor: int) -> Iterator[None]:
    """Close a lock in every fork: a plugin's workers that outlive a killed holder would keep it from being free."""
    _hook_into_forks()
    _held.add(descriptor)
    try:
        yield
    finally:
        _held.discard(descriptor)


@cache
def _hook_into_forks() -> None:
    def close() -> None:
        while _held:
            os.close(_held.pop())

    os.register_at_fork(after_in_child=close)


def _take(descriptor: int, path: Path, clock: Clock, wait_s: float) -> None:
    # Once more at least: who only looks who holds it (holder_of) holds it for a blink.
    end = clock.monotonic() + max(wait_s, LOOK_EVERY_S)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if clock.monotonic() >= end:
                holder = _holder(os.pread(descriptor, _LONGEST_NOTE, 0))
                raise Taken(
                    f"{path.parent}: another numebot, {holder}, is at work in this data folder and does "
                    "the same job. Wait for it to end, or stop it, then run again."
                ) from error
        clock.wait(LOOK_EVERY_S)


def _sign(descriptor: int, holder: Holder) -> None:
    with suppress(OSError):
        # The name of the holder is a courtesy; a full disk must not keep the lock from being held.
        content = {**vars(holder), "since": holder.since.isoformat()}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(content).encode(), 0)


def holder_of(folder: Path, name: str = LOCK_FILE) -> Holder | None:
    """Return who holds a lock of the data folder right now; None when it is free."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(os.pread(descriptor, _LONGEST_NOTE, 0))
    finally:
        os.close(descriptor)
    return None


def _holder(note: bytes) -> Holder:
    try:
        content = json.loads(note)
        since = datetime.fromisoformat(content["since"])
        return Holder(int(content["pid"]), str(content["host"]), str(content["purpose"]), since)
    except (ValueError, KeyError, TypeError):
        return UNKNOWN


def place_of(folder: Path) -> str:
    """Return the name that a data folder gave itself: containers are called differently at each start.

    Raises: LocalTrouble when the folder cannot be written.
    """
    path = folder / PLACE_FILE
    try:
        place = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        place = ""
    if not place:
        place = secrets.token_hex(16)
        write_whole(path, place + "\n")
    return place


@contextmanager
def shared_lease(notes: Notes, purpose: str, clock: Clock, *, lasts: timedelta, place: str) -> Iterator[None]:
    """Note in the database that `place` is at work, for others that share it. To be used inside `lease`.

    A row of the same place is taken over at once: its lock was free. One of another counts until it expires.
    Raises: Taken, LocalTrouble.
    """
    now = clock.now()
    since = now.isoformat()
    host = socket.gethostname()
    row = {"place": place, "host": host, "pid": os.getpid(), "purpose": purpose, "since": since}

    def is_held(found: Mapping[str, object]) -> bool:
        return found.get("place") not in (None, place) and _time(found.get("expires_at")) > now

    def take(found: Mapping[str, object]) -> Mapping[str, object] | None:
        return None if is_held(found) else {**row, "expires_at": (now + lasts).isoformat()}

    def give_back(found: Mapping[str, object]) -> Mapping[str, object] | None:
        return {} if found.get("place") == place else None  # it expired, and is another's by now

    found = notes.change_note(LEASE_KEY, take)
    if is_held(found):
        raise Taken(
            f"another numebot on {found.get('host')} is at work in this database and does the same job; its lease ends "
            f"at {_time(found.get('expires_at')):%H:%M:%S} UTC at the latest."
        )
    try:
        yield
    finally:
        with suppress(LocalTrouble):
            notes.change_note(LEASE_KEY, give_back)


def _time(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return LONG_AGO
    return moment if moment.tzinfo else LONG_AGO
