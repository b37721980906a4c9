"""A table on its way out of the database: its columns, and its rows in batches that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class ColumnKind(StrEnum):
    """What a column holds."""

    WHOLE = "whole number"
    """int"""
    NUMBER = "number"
    """float"""
    TRUTH = "true or false"
    """bool"""
    TEXT = "text"
    """str"""
    TIME = "time"
    """An aware UTC datetime."""
    DAY = "day"
    """A date."""
    AMOUNT = "amount"
    """Money as Decimal; a file keeps it as exact text."""
    JSON = "json"
    """Plain values; a file keeps them as JSON text."""


@dataclass(frozen=True)
class TableRows:
    """A table: `columns` with their kinds, and its rows, each batch read when the one before is done with."""

    name: str
    columns: Sequence[tuple[str, ColumnKind]]
    batches: Iterator[Sequence[Sequence[object]]]
