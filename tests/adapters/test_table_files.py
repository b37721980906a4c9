from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from numebot.adapters.table_files import write_csv, write_csv_file, write_parquet_file
from numebot.core.exporting import ColumnKind, TableRows

COLUMNS = [(kind.name.lower(), kind) for kind in ColumnKind]
AT = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
FULL = (1, 0.1, True, 'a "b",\nc', AT, date(2026, 11, 24), Decimal("-1E-18"), {"a": [1, None]})
EMPTY = (None,) * len(COLUMNS)


def table(*batches: list[tuple[object, ...]]) -> TableRows:
    return TableRows("any", COLUMNS, iter(batches))


def test_csv_says_everything_exactly_and_null_as_nothing() -> None:
    file = io.StringIO()
    assert write_csv(table([FULL, EMPTY], [FULL]), file) == 3
    head, first, second, *rest = file.getvalue().split("\n")
    assert head == "whole,number,truth,text,time,day,amount,json"
    assert first + second == (
        '1,0.1,true,"a ""b"",c",2026-11-24T16:00:00+00:00,2026-11-24,-0.000000000000000001,"{""a"": [1, null]}"'
    )
    assert rest[0] == ",,,,,,,"


def test_parquet_keeps_the_kinds(tmp_path: Path) -> None:
    heard: list[int] = []
    assert write_parquet_file(table([FULL, EMPTY], [FULL]), tmp_path / "x.parquet", heard.append) == 3
    assert heard == [2, 3]
    found = pq.read_table(tmp_path / "x.parquet")
    assert found.schema.field("time").type == pa.timestamp("us", tz="UTC")
    assert found.to_pylist()[0] == {
        **dict(zip([name for name, _ in COLUMNS], FULL, strict=True)),
        "amount": "-0.000000000000000001",
        "json": '{"a": [1, null]}',
    }
    assert set(found.to_pylist()[1].values()) == {None}


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    file = io.StringIO()
    assert write_csv(table(), file) == 0
    assert file.getvalue().startswith("whole,number")
    write_parquet_file(table(), tmp_path / "x.parquet")
    assert pq.read_table(tmp_path / "x.parquet").num_columns == len(COLUMNS)


def test_a_file_that_fails_half_way_is_not_there(tmp_path: Path) -> None:
    def breaks() -> Iterator[list[tuple[object, ...]]]:
        yield [FULL]
        raise RuntimeError("the database went away")

    for write, name in ((write_csv_file, "x.csv"), (write_parquet_file, "x.parquet")):
        (tmp_path / name).write_text("before")
        with pytest.raises(RuntimeError, match="went away"):
            write(TableRows("any", COLUMNS, breaks()), tmp_path / name)
        assert (tmp_path / name).read_text() == "before"
        assert len(list(tmp_path.glob(f"*{name}*"))) == 1
