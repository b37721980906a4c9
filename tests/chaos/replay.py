"""From a strace log to a disk: each call that changes a folder is told to the model; what went out stays in order.

A call that changes files in a way the model does not know is an error, never skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.disk_model import Disk
from tests.chaos.strace import Call

SYNCS = ("fsync", "fdatasync")
WRITES = ("write", "writev", "pwrite64", "pwritev", "pwritev2")
SENDS = ("sendto", "sendmsg")
UNKNOWN = ("symlink", "symlinkat", "link", "linkat", "fallocate", "copy_file_range", "sendfile", "splice")
IGNORED = ("-shm",)
"""SQLite's index of the log: shared memory that is made anew from the log after a crash."""


@dataclass(frozen=True)
class Sent:
    """Bytes that left the program: to a server ("network"), to its owner ("stdout", "stderr")."""

    to: str
    data: bytes


@dataclass
class Replay:
    """A disk that follows a program: a folder and what is in it, of which nothing is there at the beginning.

    The root of the disk is the folder above, as that is where the folder gets its name.
    """

    watched: Path
    disk: Disk = field(default_factory=Disk)
    offsets: dict[tuple[int, str], int] = field(default_factory=dict)
    finals: dict[str, set[bytes]] = field(default_factory=dict)
    """Path → each content that was whole when it got this name by a rename."""

    def play(self, calls: Iterable[Call]) -> Iterator[Sent | None]:
        """Follow the calls one by one; yield what was sent, and None after each change of the disk."""
        for call in calls:
            if call.result < 0:
                continue
            sent = _sent(call)
            if sent is not None:
                yield sent
            elif self._follow(call):
                yield None

    def _follow(self, call: Call) -> bool:
        name = call.name
        paths = [self._inside(path) for path in self._paths(call)]
        if not any(paths):
            return False
        path = paths[0]
        assert path is not None, f"{name} from outside: {self._paths(call)}"
        if name in ("open", "openat", "creat"):
            return self._open(call, path)
        if name in WRITES:
            self._write(call, path)
        elif name == "lseek":
            self.offsets[call.descriptors[0].number, path] = call.result
            return False
        elif name in SYNCS:
            self.disk.fsync(path)
        elif name in ("mkdir", "mkdirat"):
            self.disk.mkdir(path)
        elif name in ("unlink", "unlinkat", "rmdir"):
            self.disk.remove(path)
        elif name in ("rename", "renameat", "renameat2"):
            self._rename(*paths)
        elif name in ("ftruncate", "truncate"):
            self.disk.truncate(path, _number(call.words[-1]))
        else:
            return self._harmless(call, path)
        return True

    def _open(self, call: Call, path: str) -> bool:
        flags = call.words[0].split("|")
        assert "O_TMPFILE" not in flags, path
        is_new = not self.disk.exists(path)
        if is_new:
            self.disk.create(path)
        elif "O_TRUNC" in flags:
            self.disk.truncate(path, 0)
        if "O_DIRECTORY" not in flags:
            self.offsets[call.result, path] = -1 if "O_APPEND" in flags else 0
        return is_new or "O_TRUNC" in flags

    def _write(self, call: Call, path: str) -> None:
        if call.name.startswith("pwrite"):
            self.disk.write(path, _number(call.words[-1]), call.data)
            return
        place = (call.descriptors[0].number, path)
        offset = self.offsets[place]
        if offset < 0:
            self.disk.write(path, len(self.disk.content(path)), call.data)
            return
        self.disk.write(path, offset, call.data)
        self.offsets[place] += call.result

    def _rename(self, old: str | None, new: str | None) -> None:
        assert old is not None
        assert new is not None, f"{old} leaves the folder"
        self.disk.rename(old, new)
        if not self.disk.is_folder(new):
            self.finals.setdefault(new, set()).add(self.disk.content(new))

    def _harmless(self, call: Call, path: str) -> bool:
        is_shared_memory = call.name == "mmap" and {"MAP_SHARED", "PROT_WRITE"} <= set("|".join(call.words).split("|"))
        assert call.name not in UNKNOWN, f"the model knows no {call.name}: {path}"
        assert not is_shared_memory, f"the model does not see writes through memory: {path}"
        return False

    def _paths(self, call: Call) -> list[str]:
        """The paths that a call is about: of its open files, and of its texts, taken from the folder they belong to."""
        if call.name in ("open", "openat", "creat"):
            return [call.opened] if call.result >= 0 else []
        if call.name in WRITES or not call.texts:
            return [descriptor.path for descriptor in call.descriptors]
        bases = [descriptor.path for descriptor in call.descriptors]
        texts = [os.fsdecode(text) for text in call.texts]
        if not bases:
            assert all(text.startswith("/") for text in texts), f"{call.name}: a path that begins nowhere: {texts}"
            return texts
        return [os.path.join(base, text) for base, text in zip(bases, texts, strict=True)]

    def _inside(self, path: str) -> str | None:
        if path == str(self.watched.parent):
            return "."
        if f"{path}/".startswith(f"{self.watched}/") and not path.endswith(IGNORED):
            return os.path.relpath(path, self.watched.parent)
        return None


def _sent(call: Call) -> Sent | None:
    if call.name in SENDS:
        return Sent("network", call.data)
    number = call.descriptors[0].number if call.name == "write" and call.descriptors else 0
    return Sent("stdout" if number == 1 else "stderr", call.data) if number in (1, 2) else None


def _number(word: str) -> int:
    return int(word, 0)
