"""What this machine has: memory, room on a disk, the file system behind a folder, and whether it can be written."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def memory_mb() -> float:
    """Return the memory of the machine or of its container, whichever is less, in MB of 2**20 bytes; 0 if unknown."""
    found = []
    with suppress(OSError, ValueError, AttributeError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):
        found.append(int(_CGROUP_LIMIT.read_text("ascii")))  # "max" is no number
    return min(found, default=0) / 2**20


def room(folder: Path) -> tuple[int, int]:
    """Return the free and all bytes of the disk that `folder` lies on, or will lie on. Raises: OSError."""
    usage = shutil.disk_usage(nearest(folder))
    return usage.free, usage.total


def nearest(folder: Path) -> Path:
    """Return the folder itself, or the nearest one above it that is there."""
    return next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))


def file_system_of(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return the kind of file system that `folder` lies on, e.g. "ext4"; None where the kernel does not tell."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
        place = nearest(folder).resolve()
    except OSError:
        return None
    best: tuple[int, str] | None = None
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 5 or not kinds:
            continue
        mounted = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4]))
        depth = len(mounted.parts)
        if place.is_relative_to(mounted) and (best is None or depth >= best[0]):  # the later one lies on top
            best = (depth, kinds[0])
    return best[1] if best else None


def writing_trouble(folder: Path) -> str | None:
    """Return why no file can be made in `folder`, or the folder itself not; None when it can. Leaves nothing."""
    there = nearest(folder)
    if not there.is_dir():
        return f"{there} is no folder"
    if there != folder:
        return None if os.access(there, os.W_OK | os.X_OK) else f"{there} cannot be written, so it cannot be made"
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"doctor")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or type(error).__name__
    return None
