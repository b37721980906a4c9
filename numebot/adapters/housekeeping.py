"""Tidying up the data folder: files of rounds that are long over, leftovers of killed attempts, old backups."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from numebot.durable import TEMPORARY_SUFFIX, local_trouble

BACKUPS = "backups"
"""The folder of the database's copies, below the data folder."""
LEFTOVER_AGE = timedelta(days=1)
"""Unfinished files older than this belong to nobody any more."""

_DAILY = re.compile(r"numebot-\d{8}T\d{6}Z\.(db|dump)")
_BEFORE_UPGRADE = re.compile(r"numebot-\d{8}T\d{6}Z-before-upgrade-from-\w+\.(db|dump)")
_ROUND_IN_NAME = re.compile(r"_submission_(\d+)(?:\.dry-run)?\.csv")


@dataclass(frozen=True)
class Tidied:
    """What was removed."""

    files: int = 0
    freed_bytes: int = 0

    def __add__(self, other: Tidied) -> Tidied:
        """Return both together."""
        return Tidied(self.files + other.files, self.freed_bytes + other.freed_bytes)


def backup_path(folder: Path, now: datetime, *, before_upgrade_from: str | None = None) -> Path:
    """Return where a backup made at `now` (UTC) belongs; the name of one made before an upgrade says from what."""
    reason = f"-before-upgrade-from-{before_upgrade_from}" if before_upgrade_from else ""
    return folder / BACKUPS / f"numebot-{now:%Y%m%dT%H%M%SZ}{reason}.db"


def backups(folder: Path) -> list[Path]:
    """Return the backups, oldest first."""
    return sorted((*_named(folder, _DAILY), *_named(folder, _BEFORE_UPGRADE)), key=lambda path: path.name[:24])


def _named(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    return sorted(path for path in (folder / BACKUPS).glob("numebot-*") if pattern.fullmatch(path.name))


def tidy(folder: Path, *, newest_round: int, keep_rounds: int, keep_backups: int, now: datetime) -> Tidied:
    """Remove what is older than `keep_rounds` rounds before `newest_round`, and all but the newest backups.

    Results, trained models and the database stay. To be called by the holder of the lease: nobody else is at work then.
    Raises: LocalTrouble when something cannot be removed.
    """
    doomed = [
        *_old_rounds(folder, newest_round - keep_rounds),
        *_old_uploads(folder, newest_round - keep_rounds),
        *_named(folder, _DAILY)[:-keep_backups],
        *_named(folder, _BEFORE_UPGRADE)[:-keep_backups],
        *_leftovers(folder, now - LEFTOVER_AGE),
    ]
    return removed(doomed)


def removed(paths: Iterable[Path]) -> Tidied:
    """Remove files and folders; what is gone already counts nothing. Raises: LocalTrouble when one cannot be."""
    freed = [_remove(path) for path in paths]
    return Tidied(sum(one.files for one in freed), sum(one.freed_bytes for one in freed))


def _old_rounds(folder: Path, oldest_kept: int) -> Iterator[Path]:
    for path in (folder / "data" / "rounds").glob("[0-9]*"):
        if path.name.isdecimal() and int(path.name) <= oldest_kept:
            yield path


def _old_uploads(folder: Path, oldest_kept: int) -> Iterator[Path]:
    for path in (folder / "submissions").glob("*/*.csv"):
        found = _ROUND_IN_NAME.search(path.name)
        if found is not None and int(found[1]) <= oldest_kept:
            yield path


def _leftovers(folder: Path, before: datetime) -> Iterator[Path]:
    # os.walk, because a training may be at work: what vanishes meanwhile is passed over.
    for parent, folders, names in os.walk(folder):
        unfinished = [name for name in (*folders, *names) if name.startswith(".") and name.endswith(TEMPORARY_SUFFIX)]
        folders[:] = [name for name in folders if name not in unfinished]
        for path in (Path(parent) / name for name in unfinished):
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime < before.timestamp():
                    yield path


def _remove(path: Path) -> Tidied:
    try:
        if not path.is_dir() or path.is_symlink():
            size_bytes = path.lstat().st_size
            path.unlink()
            return Tidied(1, size_bytes)
        files = [file for file in path.rglob("*") if file.is_file()]
        size_bytes = sum(file.stat().st_size for file in files)
        shutil.rmtree(path)
        return Tidied(len(files), size_bytes)
    except FileNotFoundError:
        return Tidied()
    except OSError as error:
        raise local_trouble(error, path) from error
