"""Files that appear whole: write beside, fsync, rename, fsync the folder.

A file under its final name is complete, also after a power cut. Everything that numebot keeps goes through here.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from numebot.core.errors import LocalTrouble

TEMPORARY_SUFFIX = ".part"
"""Ending of unfinished files; whoever owns the folder may remove them at start."""


@contextmanager
def whole_file(destination: Path, *, mode: int = 0o600) -> Iterator[Path]:
    """Yield a temporary path beside `destination` to be filled; on success it becomes `destination`, durably.

    The name is unique per attempt, so two writers never share one. On any exception the temporary file is removed and
    `destination` is untouched. What killed attempts left for the same destination is removed first.
    Raises: LocalTrouble when the disk is full or the folder cannot be written.
    """
    with _in_our_words(destination):
        make_folder(destination.parent)
        _remove_abandoned(destination)
        temporary, descriptor = _locked_temporary(destination, mode)
    try:
        with _in_our_words(destination, only=_DISK_ERRORS):
            # The caller's own errors may be OSErrors too (a lost connection is one) and are not the disk's.
            yield temporary
        with _in_our_words(destination):
            fsync_file(temporary)
            os.replace(temporary, destination)
            fsync_folder(destination.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        os.close(descriptor)


def _locked_temporary(destination: Path, mode: int) -> tuple[Path, int]:
    """Make a temporary file and lock it for as long as its descriptor is open: the kernel unlocks what a kill left."""
    while True:
        temporary = destination.with_name(f".{destination.name}.{secrets.token_hex(6)}{TEMPORARY_SUFFIX}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        os.close(descriptor)  # another writer took it for abandoned before it was locked


def _remove_abandoned(destination: Path) -> None:
    for leftover in destination.parent.glob(f".{glob.escape(destination.name)}.*{TEMPORARY_SUFFIX}"):
        with suppress(OSError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


@contextmanager
def _in_our_words(path: Path, *, only: frozenset[int] | None = None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if only is not None and error.errno not in only:
            raise
        raise local_trouble(error, path) from error


def write_whole(destination: Path, content: bytes | str, *, mode: int = 0o600) -> None:
    """Write `content` to `destination` so that it is there wholly or not at all."""
    with whole_file(destination, mode=mode) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def make_folder(folder: Path, *, mode: int = 0o777) -> None:
    """Make `folder` unless it is there, and what is missing above it, durably. Raises: OSError.

    A file is lost, however well it was synced, when the power cut takes the name of a folder above it.
    """
    try:
        folder.mkdir(mode)
    except FileExistsError:
        if not folder.is_dir():
            raise
    except FileNotFoundError:
        make_folder(folder.parent)
        make_folder(folder, mode=mode)
    else:
        fsync_folder(folder.parent)


def fsync_file(path: Path) -> None:
    """Push a file's bytes to the disk. A failed fsync is never retried: the kernel may have dropped the pages."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_folder(folder: Path) -> None:
    """Make renames and new names inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unfinished(folder: Path) -> int:
    """Remove what killed attempts left in `folder` (not below it) and return how many files that were."""
    if not folder.is_dir():
        return 0
    leftovers = list(folder.glob(f".*{TEMPORARY_SUFFIX}"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)


def local_trouble(error: OSError, path: Path) -> LocalTrouble:
    """Put an operating-system error about `path` into words a person can act on."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LocalTrouble(f"{path}: the disk is full. Nothing was lost; free some space and run again.")
    if error.errno == errno.EROFS:
        return LocalTrouble(f"{path}: its disk is mounted for reading alone. Look why, and mount it for writing.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return LocalTrouble(f"{path}: not writable for this user ({error.strerror}). Correct the owner or the mode.")
    return LocalTrouble(f"{path}: {error.strerror or error}.")
