"""Tables as files: CSV with the standard library alone, parquet with pyarrow; a batch in memory at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from numebot.core.exporting import ColumnKind, TableRows
from numebot.durable import whole_file

Progress = Callable[[int], None]
"""Hears how many rows are written so far."""


def write_csv(table: TableRows, file: TextIO, progress: Progress = lambda rows: None) -> int:
    """Write a table with a line of column names; nothing stands for null. Return how many rows there were.

    Times are ISO 8601 in UTC, truth is true or false, JSON is text in one line.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([name for name, _ in table.columns])
    written = 0
    for batch in _converted(table, _TEXTS):
        writer.writerows(zip(*batch, strict=True))
        written += len(batch[0])
        progress(written)
    return written


def write_csv_file(table: TableRows, destination: Path, progress: Progress = lambda rows: None) -> int:
    """Write a table into a CSV file, which appears whole or not at all. Raises: LocalTrouble."""
    with whole_file(destination) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        return write_csv(table, file, progress)


def write_parquet_file(table: TableRows, destination: Path, progress: Progress = lambda rows: None) -> int:
    """Write a table into a parquet file, which appears whole or not at all; money and JSON are text in it.

    Raises: LocalTrouble.
    """
    import pyarrow as pa  # a fifth of a second that a CSV file does not need
    import pyarrow.parquet as pq

    types = {
        ColumnKind.WHOLE: pa.int64(),
        ColumnKind.NUMBER: pa.float64(),
        ColumnKind.TRUTH: pa.bool_(),
        ColumnKind.TIME: pa.timestamp("us", tz="UTC"),
        ColumnKind.DAY: pa.date32(),
    }
    schema = pa.schema([(name, types.get(kind, pa.string())) for name, kind in table.columns])
    written = 0
    with whole_file(destination) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for columns in _converted(table, _EXACT):
            arrays = [pa.array(column, type_) for column, type_ in zip(columns, schema.types, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            written += len(columns[0])
            progress(written)
    return written


def _converted(
    table: TableRows, converters: Mapping[ColumnKind, Callable[[Any], object]]
) -> Iterator[list[Sequence[object]]]:
    """Yield batches by column, with the values of some kinds converted; null stays null."""
    for batch in table.batches:
        columns: list[Sequence[object]] = []
        for (_, kind), column in zip(table.columns, zip(*batch, strict=True), strict=True):
            convert = converters.get(kind)
            columns.append(
                column if convert is None else [None if value is None else convert(value) for value in column]
            )
        yield columns


def _moment(value: datetime) -> str:
    return value.isoformat()


def _day(value: date) -> str:
    return value.isoformat()


def _amount(value: Decimal) -> str:
    return format(value, "f")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


_EXACT: Mapping[ColumnKind, Callable[[Any], object]] = {ColumnKind.AMOUNT: _amount, ColumnKind.JSON: _json}
_TEXTS: Mapping[ColumnKind, Callable[[Any], object]] = {
    **_EXACT,
    ColumnKind.TRUTH: lambda value: "true" if value else "false",
    ColumnKind.TIME: _moment,
    ColumnKind.DAY: _day,
}
