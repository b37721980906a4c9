"""Frames on the way into a plugin's process: written once, mapped by every child, copied by none.

The file is a pickle whose large buffers lie outside of it, so that they need no parsing. It goes one way only, from
numebot to a plugin. The mapping is private: a plugin that writes into its frame writes into memory of its own.
"""

from __future__ import annotations

import mmap
import pickle
import struct
from pathlib import Path

_ALIGNMENT = 64
_HEAD = struct.Struct("!QQ")


def share(thing: object, path: Path) -> None:
    """Write a frame, or a dataclass of frames, for `shared`. No fsync: it lives as long as this process does."""
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    raw = [buffer.raw() for buffer in buffers]
    with path.open("xb") as file:
        sizes = b"".join(struct.pack("!Q", view.nbytes) for view in raw)
        file.write(_HEAD.pack(len(raw), len(content)) + sizes + content)
        for view in raw:
            file.seek(_aligned(file.tell()))
            file.write(view)
        file.truncate(file.tell())


def shared(path: Path) -> object:
    """Return what `share` wrote, mapped copy-on-write."""
    with path.open("rb") as file:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    count, length = _HEAD.unpack_from(whole)
    sizes = struct.unpack_from(f"!{count}Q", whole, _HEAD.size)
    start = _HEAD.size + 8 * count
    content, place = whole[start : start + length], start + length
    buffers = []
    for size in sizes:
        place = _aligned(place)
        buffers.append(whole[place : place + size])
        place += size
    return pickle.loads(content, buffers=buffers)


def _aligned(place: int) -> int:
    return -(-place // _ALIGNMENT) * _ALIGNMENT
