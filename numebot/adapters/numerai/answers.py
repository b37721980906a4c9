"""Reads single values out of answers, without trust: a field may be absent, null or of another type than last year."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from numebot.core.errors import Unavailable


def root_of(data: Mapping[str, Any], root: str) -> Any:
    """Return the filled root field of an answer. Raises: Unavailable when it is absent or null."""
    value = data.get(root)
    if value is None:
        raise Unavailable(f"{root}: the server answered without a value. It is asked again later.")
    return value


def rows_of(value: object) -> Sequence[Mapping[str, Any]]:
    """Return the objects of a list; null elements and other strangers are left out."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def text_of(row: Mapping[str, Any], name: str) -> str | None:
    """Return a field as text (ids have come as numbers, too), or None when it is absent, null or empty."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def whole_number_of(row: Mapping[str, Any], name: str) -> int | None:
    """Return a field as a whole number, or None."""
    value = row.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def time_of(row: Mapping[str, Any], name: str) -> datetime | None:
    """Return a field as an aware UTC datetime, or None. A time without a zone is UTC: the API knows no other."""
    value = row.get(name)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def number_of(row: Mapping[str, Any], name: str) -> float | None:
    """Return a field as a finite number, also one that came as text; None for anything else."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def decimal_of(row: Mapping[str, Any], name: str) -> Decimal | None:
    """Return an amount as an exact decimal, or None. Numbers go by their shortest text."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def flag_of(row: Mapping[str, Any], name: str) -> bool | None:
    """Return a field that is true or false, or None."""
    value = row.get(name)
    return value if isinstance(value, bool) else None
