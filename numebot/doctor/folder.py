"""The data folder and what it lies on, and the database in it."""

from __future__ import annotations

from pathlib import Path

from numebot.core.diagnosis import Point, ok, problem, unknown, warning
from numebot.core.features import listed

LEAST_FREE_BYTES = 2e9
"""A round needs megabytes; below this not even a day's logs and backups are safe."""
GOOD_FREE_BYTES = 20e9
"""Training data and their copies are several gigabytes."""
SHARED = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "vboxsf", "fuse.sshfs", "fuse.rclone", "afs", "ceph")
"""File systems of other machines: SQLite's locks and memory maps do not hold there."""
WITHOUT_MODES = ("vfat", "exfat", "msdos", "ntfs", "ntfs3", "fuseblk")
"""File systems on which everybody reads everything."""
FLEETING = ("tmpfs", "ramfs", "overlay")


def writable_point(folder: Path, trouble: str | None, *, is_there: bool) -> Point:
    """Judge whether the data folder can be written; `trouble` is what came of trying."""
    if trouble:
        return problem("data folder", f"{folder}: {trouble}.", "Correct its owner or mode, or set NUMERAI_DATA_FOLDER.")
    return ok("data folder", f"{folder}{'' if is_there else ' (not there yet; made when it is needed)'}")


def file_system_point(kind: str | None) -> Point:
    """Judge what the data folder lies on."""
    advice = "Set NUMERAI_DATA_FOLDER to a folder on a disk of this machine."
    if not kind:
        return unknown("file system", "this machine does not say what the data folder lies on.")
    if kind in SHARED:
        return problem("file system", f"{kind}: a database on another machine's disk gets damaged.", advice)
    if kind in WITHOUT_MODES:
        return warning("file system", f"{kind} knows no owners: every user reads the database.", advice)
    if kind in FLEETING:
        return warning("file system", f"{kind}: gone with the next restart of the machine or the container.", advice)
    return ok("file system", kind)


def disk_point(free_bytes: int, total_bytes: int) -> Point:
    """Judge the room on the disk of the data folder."""
    words = f"{free_bytes / 1e9:,.1f} GB free of {total_bytes / 1e9:,.1f} GB"
    advice = "Free some space; numebot db prune removes files of old rounds, [daemon] keep_rounds says how many stay."
    if free_bytes < LEAST_FREE_BYTES:
        return problem("disk", words, advice)
    if free_bytes < GOOD_FREE_BYTES:
        return warning("disk", f"{words}; training data take several gigabytes", advice)
    return ok("disk", words)


def database_point(problems: list[str], revision: str | None, head: str) -> Point:
    """Judge the database by what it says of itself and by the version of its schema."""
    if problems:
        advice = "Stop numebot, move the file away and put the newest file of backups/ in its place."
        return problem("database", f"damaged: {listed(problems, 2)}", advice)
    if revision is not None and revision > head:
        words = f"written by a newer numebot (schema {revision}, this one knows {head})."
        return problem("database", words, "Upgrade numebot: git pull, then scripts/setup.")
    if revision != head:
        return ok("database", f"whole; schema {revision or 'none'} becomes {head} at the next start")
    return ok("database", f"whole, schema {revision}")
