"""A disk as a power cut sees it: what was synced is there, and of the rest nobody knows.

Bytes are safe after an fsync of their file, names (new, renamed, removed) after an fsync of their folder. Until then
each write may be there, be missing, or be there in part, and each name may be there or not, in any mixture. A file that
was synced but whose name was not is lost: some file systems are kinder, none has to be.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

SECTOR_BYTES = 512
"""What a disk writes at once; a write is cut at a multiple of it."""

Fate = Callable[[int], int]
"""Given how much an unsynced change is (bytes of a write, 1 for all else), says how much of it survived."""

State = dict[str, bytes | None]
"""What a disk holds: path below the root → content, None for a folder."""


def nothing(amount: int) -> int:
    """Only what was synced survives."""
    return 0


def everything(amount: int) -> int:
    """The cut came late enough for all."""
    return amount


def by_chance(chance: random.Random) -> Fate:
    """Each change for itself: lost, kept, or kept in part."""

    def fate(amount: int) -> int:
        kept = chance.choice((0, amount, chance.randint(0, amount)))
        return kept if kept in (0, amount) else kept - kept % SECTOR_BYTES

    return fate


@dataclass(frozen=True)
class Write:
    """Bytes that are on their way to a file."""

    offset: int
    data: bytes

    def apply(self, content: bytearray, kept: int) -> None:
        if kept:
            _stretch(content, self.offset)
            content[self.offset : self.offset + kept] = self.data[:kept]

    @property
    def amount(self) -> int:
        return len(self.data)


@dataclass(frozen=True)
class Truncate:
    """A change of length."""

    size: int
    amount: int = 1

    def apply(self, content: bytearray, kept: int) -> None:
        if kept:
            _stretch(content, self.size)
            del content[self.size :]


def _stretch(content: bytearray, size: int) -> None:
    content.extend(bytes(max(0, size - len(content))))


@dataclass(eq=False)
class File:
    """One file, whatever it is called."""

    synced: bytes = b""
    pending: list[Write | Truncate] = field(default_factory=list)

    def content(self, fate: Fate) -> bytes:
        if not self.pending:
            return self.synced
        content = bytearray(self.synced)
        for change in self.pending:
            change.apply(content, fate(change.amount))
        return bytes(content)

    def sync(self) -> None:
        self.synced = self.content(everything)
        self.pending.clear()


@dataclass(frozen=True, eq=False)
class Naming:
    """Names that change together: a rename takes one away and gives one in the same instant. None: nobody's name."""

    names: tuple[tuple[str, Node | None], ...]

    def apply(self, entries: dict[str, Node]) -> None:
        for name, node in self.names:
            entries.pop(name, None)
            if node is not None:
                entries[name] = node


@dataclass(eq=False)
class Folder:
    """One folder: the names in it."""

    synced: dict[str, Node] = field(default_factory=dict)
    pending: list[Naming] = field(default_factory=list)

    def entries(self, fate: Fate) -> dict[str, Node]:
        entries = dict(self.synced)
        for change in self.pending:
            if fate(1):
                change.apply(entries)
        return entries

    def sync(self) -> None:
        self.synced = self.entries(everything)
        self.pending.clear()


Node = File | Folder


class Disk:
    """What a program did below a root folder, in the words of the system calls. Paths are relative to the root."""

    def __init__(self) -> None:
        self._root = Folder()

    def create(self, path: str) -> None:
        self._name((path, File()))

    def mkdir(self, path: str) -> None:
        self._name((path, Folder()))

    def write(self, path: str, offset: int, data: bytes) -> None:
        self._file(path).pending.append(Write(offset, data))

    def truncate(self, path: str, size: int) -> None:
        self._file(path).pending.append(Truncate(size))

    def rename(self, old: str, new: str) -> None:
        self._name((old, None), (new, self._node(old)))

    def remove(self, path: str) -> None:
        """Take a name away: unlink or rmdir."""
        self._name((path, None))

    def fsync(self, path: str) -> None:
        """Sync a file's bytes or a folder's names."""
        self._node(path).sync()

    def exists(self, path: str) -> bool:
        try:
            self._node(path)
        except FileNotFoundError:
            return False
        return True

    def is_folder(self, path: str) -> bool:
        return isinstance(self._node(path), Folder)

    def content(self, path: str) -> bytes:
        """What a running program reads."""
        return self._file(path).content(everything)

    def after_power_cut(self, fate: Fate) -> State:
        """What the disk may hold when the power fails now."""
        return dict(_walk(self._root, "", fate))

    def _name(self, *names: tuple[str, Node | None]) -> None:
        parents = {str(PurePosixPath(path).parent) for path, _ in names}
        if len(parents) > 1:
            raise NotImplementedError(f"a rename between folders, which this model does not know: {names[0][0]}")
        folder = self._node(parents.pop())
        assert isinstance(folder, Folder)
        folder.pending.append(Naming(tuple((PurePosixPath(path).name, node) for path, node in names)))

    def _file(self, path: str) -> File:
        node = self._node(path)
        assert isinstance(node, File), path
        return node

    def _node(self, path: str) -> Node:
        node: Node = self._root
        for name in PurePosixPath(path).parts:
            entries = node.entries(everything) if isinstance(node, Folder) else {}
            if name not in entries:
                raise FileNotFoundError(path)
            node = entries[name]
        return node


def _walk(folder: Folder, prefix: str, fate: Fate) -> Iterator[tuple[str, bytes | None]]:
    for name, node in folder.entries(fate).items():
        path = f"{prefix}{name}"
        if isinstance(node, Folder):
            yield path, None
            yield from _walk(node, f"{path}/", fate)
        else:
            yield path, node.content(fate)
