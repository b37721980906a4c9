"""Parts of long lists: `offset`, `limit`, and the field they are ordered by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

Row = TypeVar("Row")


def part_of(rows: Sequence[Row], wanted: Mapping[str, Any]) -> Sequence[Row]:
    """Return the rows from `offset` on, at most `limit`; all without them."""
    start, limit = max(0, wanted.get("offset") or 0), wanted.get("limit")
    return rows[start : None if limit is None else start + max(0, limit)]


def page_of(rows: Sequence[dict[str, Any]], wanted: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """Return the wanted part of rows, ordered by a field when one was named: largest first, unknown ones last."""
    order = wanted.get("order_by")
    if order and rows and order in rows[0]:
        known = sorted((row for row in rows if row[order] is not None), key=lambda row: row[order])
        if str(wanted.get("direction", "desc")).lower() != "asc":
            known.reverse()
        rows = known + [row for row in rows if row[order] is None]
    return part_of(rows, wanted)
