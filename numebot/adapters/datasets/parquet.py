"""Reading parquet files that may be truncated, a web page, or a bomb."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from numebot.core.errors import LocalTrouble, Unavailable
from numebot.core.features import listed

MAGIC = b"PAR1"
COPIES = 2
"""A column stands in memory as an arrow array and as a pandas column while it is converted."""
USABLE_SHARE = 0.8
"""How much of the available memory one file may take."""
TEXT_WIDTH = 64
"""Assumed bytes per text value; ids have 16."""

MemoryProbe = Callable[[], int]


def available_memory_bytes() -> int:
    """Return how much memory can still be had: the machine's, or what is left of the limit of our control group."""
    machine = _meminfo_available()
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        return min(machine, limit - int((group / "memory.current").read_text()))
    except (OSError, ValueError):  # no control groups, or the limit is "max"
        return machine


def _meminfo_available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what pyarrow makes of a broken file into Unavailable."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise Unavailable(f"{path.name}: not a readable parquet file ({reason}).") from error


def open_parquet(path: Path) -> pq.ParquetFile:
    """Return an opened file, of which only the metadata has been read. Raises: Unavailable when it is no parquet."""
    with reading(path), path.open("rb") as file:
        head = file.read(len(MAGIC))
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(MAGIC)))
        tail = file.read()
    if head != MAGIC or tail != MAGIC:
        raise Unavailable(f"{path.name}: {_what_instead(head, size)}, not a whole parquet file ({size:,} bytes).")
    with reading(path):
        return pq.ParquetFile(path)


def _what_instead(head: bytes, size: int) -> str:
    if not size:
        return "an empty file"
    if head.lstrip()[:1] in (b"<", b"{"):
        return "a web page or an error message"
    return "a truncated file" if head == MAGIC else "something else"


def row_count(parquet: pq.ParquetFile) -> int:
    """Return the rows that reading would make. Sums the row groups: the total beside them is only a claim."""
    metadata = parquet.metadata
    groups = sum(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups))
    return int(max(metadata.num_rows, groups))


def require_memory(
    parquet: pq.ParquetFile, columns: Collection[str], name: str, *, rows: int | None = None, probe: MemoryProbe
) -> None:
    """Refuse to read what would not fit, before reading it.

    The size that a file states is not believed: a megabyte of parquet can hold 300 million equal rows. Rows times the
    width of the columns is what the memory has to hold.
    Raises: LocalTrouble.
    """
    rows = row_count(parquet) if rows is None else rows
    wanted = set(columns)
    width = sum(_width(field.type) for field in parquet.schema_arrow if field.name in wanted)
    needed, available = COPIES * rows * width, probe()
    if needed > USABLE_SHARE * available:
        raise LocalTrouble(
            f"{name}: {rows:,} rows × {len(columns)} columns need about {needed / 1e9:.1f} GB of memory,"
            f" and {available / 1e9:.1f} GB are available. It was not read; choose a smaller feature_set."
        )


def _width(kind: pa.DataType) -> int:
    try:
        return max(1, int(kind.bit_width) // 8)
    except ValueError:  # text and other types without a fixed width
        return TEXT_WIDTH


def read_columns(
    path: Path,
    columns: Sequence[str],
    *,
    id_column: str = "id",
    filters: list[tuple[str, str, object]] | None = None,
    probe: MemoryProbe = available_memory_bytes,
) -> pd.DataFrame:
    """Return the columns asked for and nothing else, in that order, with the ids as index.

    Types stay as they are in the file: int8 stays int8. With `filters` (pyarrow's) the caller answers for the memory.
    Raises: Unavailable for a broken file or absent columns; LocalTrouble when it would not fit in memory.
    """
    parquet = open_parquet(path)
    wanted = [id_column, *(column for column in dict.fromkeys(columns) if column != id_column)]
    known = set(parquet.schema_arrow.names)
    absent = [column for column in wanted if column not in known]
    if absent:
        raise Unavailable(f"{path.name}: {len(absent)} of {len(wanted)} columns are absent: {listed(absent)}.")
    if filters is None:
        require_memory(parquet, wanted, path.name, probe=probe)
    with reading(path):
        table = pq.read_table(path, columns=wanted, filters=filters, partitioning=None)
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, split_blocks=True, self_destruct=True)
    return frame.set_index(id_column)


def first_rows(path: Path, columns: Sequence[str], rows: int) -> pd.DataFrame:
    """Return at most `rows` rows from the beginning of a file. Raises: Unavailable."""
    parquet = open_parquet(path)
    with reading(path):
        batch = next(parquet.iter_batches(batch_size=rows, columns=list(columns)), None)
        return pd.DataFrame(columns=list(columns)) if batch is None else batch.to_pandas()
