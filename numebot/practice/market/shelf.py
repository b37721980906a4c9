"""Files that are made on demand, once, whole, and streamed era by era so that memory stays flat."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from numebot.durable import whole_file

Item = TypeVar("Item")


class Shelf:
    """A folder of files that make themselves. Threads asking for the same file wait for one making of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._guard = threading.Lock()
        self._locks: defaultdict[tuple[str, ...], threading.RLock] = defaultdict(threading.RLock)

    def get(self, names: Sequence[str], make: Callable[..., None]) -> list[Path]:
        """Return the paths of files that belong together; `make` gets them when one is missing and writes all."""
        paths = [self.folder / name for name in names]
        with self._guard:
            lock = self._locks[tuple(names)]
        with lock:
            if not all(path.exists() for path in paths):
                make(*paths)
        return paths


def id_schema(columns: Iterable[tuple[str, pa.DataType]]) -> pa.Schema:
    """Return a schema with these columns and a text column `id` that pandas reads as the index."""
    fields = [pa.field(name, kind) for name, kind in columns]
    described = [
        {"name": one.name, "field_name": one.name, "metadata": None, **_pandas_types(one.type)}
        for one in [*fields, pa.field("id", pa.string())]
    ]
    metadata = {
        "index_columns": ["id"],
        "column_indexes": [],
        "columns": described,
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.2.3",
    }
    return pa.schema([*fields, pa.field("id", pa.string())], metadata={"pandas": json.dumps(metadata)})


def write_groups(path: Path, schema: pa.Schema, groups: Iterable[pa.Table], *, is_compact: bool = False) -> None:
    """Write one row group per table. Compact files are a third smaller and take twice as long.

    Text columns are written as dictionaries; small integers as packed differences, the cheapest for narrow row groups.
    """
    text = [one.name for one in schema if pa.types.is_string(one.type)]
    options: dict[str, object] = {"use_dictionary": True, "compression": "zstd", "compression_level": 1}
    if not is_compact:
        packed = {one.name: "DELTA_BINARY_PACKED" for one in schema if pa.types.is_integer(one.type)}
        floats = [one.name for one in schema if pa.types.is_floating(one.type)]
        options = {"use_dictionary": text + floats, "compression": "none", "column_encoding": packed}
    # Statistics of 3,600 columns in every row group would outweigh the data of a small file; eras are what is sought.
    statistics = [name for name in ("era",) if name in schema.names]
    with pq.ParquetWriter(path, schema, write_statistics=statistics or False, **options) as writer:
        for table in groups:
            writer.write_table(table, row_group_size=max(1, table.num_rows))


def write_table(path: Path, table: pa.Table) -> None:
    """Write a small table so that the file is there wholly or not at all."""
    with whole_file(path, mode=0o644) as temporary:
        pq.write_table(table, temporary)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield the items in lists of `size`, the last one possibly shorter."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items while a thread already makes the next one: generating and writing overlap."""
    iterator = iter(items)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="market") as pool:
        pending = pool.submit(next, iterator, None)
        while (item := pending.result()) is not None:
            pending = pool.submit(next, iterator, None)
            yield item


def _pandas_types(kind: pa.DataType) -> dict[str, str]:
    if pa.types.is_string(kind):
        return {"pandas_type": "unicode", "numpy_type": "object"}
    return {"pandas_type": str(kind.to_pandas_dtype().__name__), "numpy_type": str(kind.to_pandas_dtype().__name__)}
