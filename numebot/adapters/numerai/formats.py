"""Looks at both ends of a downloaded file: is it what its name promises?

A maintenance page with status 200 and a body that ends early both arrive as "success". Which rows and columns a file
must have is not judged here.
"""

from __future__ import annotations

import json
from pathlib import Path

from numebot.core.errors import Unavailable

PARQUET_MAGIC = b"PAR1"
_SMALLEST_PARQUET_BYTES = 12
_LARGEST_PARSED_JSON_BYTES = 64 * 1024 * 1024
_ENDS_BYTES = 512
_PAGE = "the server sent a page or an error text instead of the file"


def check_format(path: Path, name: str) -> None:
    """Raise Unavailable when the content of `path` is not that of a whole `name`."""
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise Unavailable(f"{name}: the server sent an empty file. It is fetched again.")
    with path.open("rb") as file:
        head = file.read(_ENDS_BYTES)
        file.seek(max(0, size_bytes - _ENDS_BYTES))
        tail = file.read(_ENDS_BYTES)
    problem = _problem(path, name, head, tail)
    if problem:
        raise Unavailable(f"{name}: {problem} ({size_bytes} bytes). It was not kept and is fetched again.")


def needs_declared_length(name: str) -> bool:
    """Say whether a cut-off file of this kind would go unnoticed without the length that the server declared."""
    return not name.lower().endswith((".parquet", ".json"))


def _problem(path: Path, name: str, head: bytes, tail: bytes) -> str | None:
    suffix = Path(name.lower()).suffix
    if suffix == ".parquet":
        return _parquet_problem(path, head, tail)
    if suffix == ".json":
        return _json_problem(path, head, tail)
    if _is_page(head):
        return _PAGE
    if suffix == ".csv" and b"," not in head.split(b"\n", 1)[0]:
        return "the first line is not the header of a CSV file"
    return None


def _parquet_problem(path: Path, head: bytes, tail: bytes) -> str | None:
    if not head.startswith(PARQUET_MAGIC):
        return _PAGE if _is_page(head) else "not parquet: it does not begin with PAR1"
    if not tail.endswith(PARQUET_MAGIC):
        return "the parquet file is cut off: it does not end with PAR1"
    footer_bytes = int.from_bytes(tail[-8:-4], "little")
    if footer_bytes == 0 or footer_bytes + _SMALLEST_PARQUET_BYTES > path.stat().st_size:
        return "the parquet file is cut off: its footer does not fit into it"
    return None


def _json_problem(path: Path, head: bytes, tail: bytes) -> str | None:
    if path.stat().st_size > _LARGEST_PARSED_JSON_BYTES:
        ends = (head.lstrip()[:1], tail.rstrip()[-1:])
        return None if ends in ((b"{", b"}"), (b"[", b"]")) else "not a whole JSON document"
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return _PAGE if _is_page(head) else "not a whole JSON document"
    return _PAGE if isinstance(content, dict) and {"error", "errors"} & content.keys() else None


def _is_page(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<", b"{\"error"))
