"""The API's own scalars: Nmr and Usd are decimal strings, Time is UTC without a fraction, Date is a day."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

from ariadne import ScalarType


def time_text(value: datetime | str) -> str:
    """Return 2025-09-23T13:35:36Z. A string passes: the server itself declares one name of a tournament as a Time."""
    return value if isinstance(value, str) else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_text(value: date | datetime) -> str:
    """Return 2025-09-23."""
    return (value.astimezone(UTC).date() if isinstance(value, datetime) else value).isoformat()


def nmr_text(value: Decimal | str) -> str:
    """Return NMR with the 18 decimals of the token."""
    return f"{Decimal(value):.18f}"


def usd_text(value: Decimal | str) -> str:
    """Return dollars as a decimal string."""
    return f"{Decimal(value):.6f}"


def number(value: float | None) -> float | None:
    """Return a figure for a Float field: null for what could not be computed."""
    return None if value is None or not math.isfinite(value) else float(value)


bindables = (
    ScalarType("Time", serializer=time_text),
    ScalarType("Date", serializer=date_text),
    ScalarType("Nmr", serializer=nmr_text),
    ScalarType("Usd", serializer=usd_text),
)
