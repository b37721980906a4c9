"""Which part of a file a Range header asks for (RFC 9110, one range of bytes)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Part:
    """Bytes `first` to `last`, both included, of a file of `size_bytes`."""

    first: int
    last: int
    size_bytes: int

    @property
    def length(self) -> int:
        """How many bytes that is."""
        return self.last - self.first + 1

    @property
    def content_range(self) -> str:
        """The Content-Range header for it."""
        return f"bytes {self.first}-{self.last}/{self.size_bytes}"


class NotSatisfiable(Exception):
    """The range lies outside the file: 416."""


def requested_part(header: str | None, size_bytes: int) -> Part | None:
    """Return the part that a Range header asks for; None for the whole file, also when the header makes no sense.

    Raises: NotSatisfiable.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first_text, last_text = match.groups()
    if not first_text:
        first, last = max(0, size_bytes - int(last_text)), size_bytes - 1
    else:
        first, last = int(first_text), min(int(last_text or size_bytes - 1), size_bytes - 1)
        if last_text and int(last_text) < first:
            return None
    if first >= size_bytes or last < first:
        raise NotSatisfiable
    return Part(first, last, size_bytes)
