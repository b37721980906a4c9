"""Rows from parquet files into one file that a plugin's process maps: never more than a batch is in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from numebot.adapters.datasets.parquet import MemoryProbe, open_parquet, read_columns, reading
from numebot.adapters.datasets.rows import Selection, era_labels
from numebot.core.errors import LocalTrouble, PluginError
from numebot.core.features import era_order, layout_of, listed
from numebot.core.staging import EraChoice, StagedRows
from numebot.durable import local_trouble

BATCH_BYTES = 16 * 2**20
SPARE_DISK_BYTES = 500 * 10**6
"""What must stay free: the database and the round's files need room too."""

Progress = Callable[[str, int, int | None], None]
"""What is read, rows done, rows in all."""
Probe = Callable[[Path], int]


def free_disk_bytes(folder: Path) -> int:
    """Return how much may still be written to the disk of a folder."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class _Source:
    """A parquet file, and which of its rows are learned from."""

    path: Path
    keep: npt.NDArray[np.bool_]
    targets: pd.DataFrame
    eras: pd.Series


class _NotSmall(Exception):
    """A value is no whole number from -128 to 127."""


def stage(
    paths: Sequence[Path],
    selection: Selection,
    choice: EraChoice,
    place: Path,
    *,
    target: str,
    progress: Progress,
    memory: MemoryProbe,
    disk: Probe = free_disk_bytes,
) -> StagedRows:
    """Write the features of the rows that have the first target into the new file `place`.

    They become int8 where every value is a whole number that fits, whatever type the file has; else what holds them
    exactly. Raises: PluginError, Unavailable; LocalTrouble when the disk or the memory is too small.
    """
    columns = [_known(path, selection, memory) for path in paths]
    wanted = choice.chosen(pd.concat([era for _, era in columns]).unique())
    sources, told = [], set()
    for path, (targets, eras) in zip(paths, columns, strict=True):
        keep = (targets[selection.targets[0]].notna() & eras.isin(wanted)).to_numpy()
        sources.append(_Source(path, keep, targets[keep], eras[keep]))
        told |= set(eras[keep].unique())
    if not told:
        words = f"no row of the eras {wanted[0]} to {wanted[-1]} has the target {selection.targets[0]}"
        raise PluginError(f"{selection.version}: {words}.")
    dtype = _write(sources, selection, place, progress=progress, disk=disk)
    return StagedRows(
        path=place,
        dtype=dtype,
        features=selection.features,
        targets=pd.concat([source.targets for source in sources]),
        eras=pd.concat([source.eras for source in sources]),
        target=target,
        untold=tuple(era for era in wanted if era not in told),
    )


def ends_by(path: Path, tournament: int, last: str) -> bool:
    """Whether a file reaches to the era `last` or beyond. Raises: Unavailable."""
    layout = layout_of(tournament)
    with reading(path):
        table = open_parquet(path).read(columns=[layout.era_column])
        eras = era_labels(pd.Series(table.column(0).unique().to_pandas())).tolist()
    return last in eras or era_order([*eras, last])[-1] != last


def _known(path: Path, selection: Selection, memory: MemoryProbe) -> tuple[pd.DataFrame, pd.Series]:
    layout = layout_of(selection.tournament)
    columns = [layout.era_column, *selection.targets]
    frame = read_columns(path, columns, id_column=layout.id_column, probe=memory)
    return frame[list(selection.targets)], era_labels(frame[layout.era_column])


def _write(sources: Sequence[_Source], selection: Selection, place: Path, *, progress: Progress, disk: Probe) -> str:
    """Write as int8 if it can be; the first value that does not fit begins it anew in a wider type."""
    wide = _wide_type(sources, selection.features)
    for dtype in ("int8", wide):
        rows = sum(int(source.keep.sum()) for source in sources)
        _require_disk(rows, len(selection.features), np.dtype(dtype).itemsize, place, disk)
        try:
            with place.open("xb") as file:
                _fill(file, sources, selection.features, dtype, progress, rows)
            return dtype
        except _NotSmall:
            place.unlink()
        except OSError as error:
            place.unlink(missing_ok=True)
            raise local_trouble(error, place) from error
    raise AssertionError("the wide type holds everything")


def _wide_type(sources: Sequence[_Source], features: Sequence[str]) -> str:
    kinds = set()
    for source in sources:
        schema = open_parquet(source.path).schema_arrow
        found = [schema.field(name) for name in features]
        text = [field.name for field in found if not _is_number(field.type)]
        if text:
            raise PluginError(f"{source.path.name}: {len(text)} of the features are not numbers: {listed(text)}.")
        kinds |= {field.type for field in found}
    narrow = (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.float16(), pa.float32(), pa.bool_())
    return "float32" if all(kind in narrow for kind in kinds) else "float64"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _require_disk(rows: int, features: int, width: int, place: Path, disk: Probe) -> None:
    needed, free = rows * features * width, disk(place.parent)
    if needed + SPARE_DISK_BYTES > free:
        raise LocalTrouble(
            f"{place.parent}: {rows:,} rows × {features:,} features need {needed / 1e9:.1f} GB on the disk while a"
            f" model is trained, and {free / 1e9:.1f} GB are free ({SPARE_DISK_BYTES / 1e9:.1f} GB of them stay free)."
            " Nothing was trained; choose fewer eras or a smaller feature set, or make room."
        )


def _fill(
    file: BinaryIO, sources: Sequence[_Source], features: Sequence[str], dtype: str, progress: Progress, rows: int
) -> None:
    done = 0
    for source in sources:
        for matrix in _matrices(source, features, dtype):
            file.write(matrix.data)
            done += len(matrix)
            progress("rows", done, rows)


def _matrices(source: _Source, features: Sequence[str], dtype: str) -> Iterator[npt.NDArray[Any]]:
    """Yield the kept rows of a file as matrices, row by row in memory. Raises: _NotSmall, Unavailable."""
    step = max(256, BATCH_BYTES // len(features))
    start = 0
    parquet = open_parquet(source.path)
    batches = iter(parquet.iter_batches(batch_size=step, columns=list(features)))
    while True:
        with reading(source.path):
            batch = next(batches, None)
        if batch is None:
            return
        keep = source.keep[start : start + batch.num_rows]
        start += batch.num_rows
        if keep.any():
            yield _matrix(batch, features, keep, dtype)


def _matrix(batch: pa.RecordBatch, features: Sequence[str], keep: npt.NDArray[np.bool_], dtype: str) -> Any:
    columns = np.empty((len(features), int(keep.sum())), dtype)
    everything = bool(keep.all())
    for number, name in enumerate(features):
        column = batch.column(name).to_numpy(zero_copy_only=False)
        column = column if everything else column[keep]
        columns[number] = column if dtype != "int8" else _small(column)
    return np.ascontiguousarray(columns.T)


def _small(column: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    if column.dtype == np.int8:
        return column
    if column.dtype == object:  # booleans with gaps
        raise _NotSmall
    with np.errstate(invalid="ignore"):
        small = column.astype(np.int8)
    if not np.array_equal(small, column):
        raise _NotSmall
    return small
