"""A user's folder of parquet files: what can be served from it, and which rows play the live data."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from numebot.core.errors import ConfigError
from numebot.practice.market.scale import LIVE_ERA


def parquet_files(source: Path) -> list[Path]:
    """Return the parquet files of a folder. Raises: ConfigError when there are none or one cannot be served."""
    if not source.is_dir():
        raise ConfigError(f"{source}: no such folder. --data needs a folder with Numerai's parquet files.")
    parquet = sorted(source.glob("*.parquet"))
    if not parquet:
        raise ConfigError(
            f"{source}: no parquet file in it. --data needs a live.parquet, a validation.parquet, or any one file with "
            "the columns id, era and feature_*."
        )
    problems = [problem for path in parquet if (problem := _problem(path))]
    features = source / "features.json"
    if features.is_file() and (problem := _features_problem(features)):
        problems.append(problem)
    if problems:
        raise ConfigError(f"{source}: these files cannot be served; correct or remove them.", problems)
    return parquet


def _problem(path: Path) -> str | None:
    try:
        columns = pq.read_schema(path).names
    except (pa.ArrowInvalid, OSError) as error:
        return f"{path.name}: not readable as parquet ({str(error).splitlines()[0]})"
    if "id" not in columns:
        return f"{path.name}: no index or column named id among {len(columns)} columns ({', '.join(columns[:3])}, …)"
    return None


def _features_problem(path: Path) -> str | None:
    try:
        content = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        return f"{path.name}: not readable as JSON ({error})"
    if not isinstance(content, dict) or not isinstance(content.get("feature_sets"), dict):
        return f"{path.name}: no object named feature_sets in it"
    return None


def live_source(source: Path, parquet: list[Path]) -> Path:
    """Return the file that live rows come from. Raises: ConfigError when that is not clear or has no eras."""
    for name in ("live.parquet", "validation.parquet", "train.parquet"):
        if source / name in parquet:
            chosen = source / name
            break
    else:
        if len(parquet) > 1:
            found = ", ".join(path.name for path in parquet)
            raise ConfigError(f"{source}: which of {found} is live data? Call one live.parquet or validation.parquet.")
        chosen = parquet[0]
    if "era" not in pq.read_schema(chosen).names:
        raise ConfigError(f"{chosen}: no column named era, so its newest rows cannot be told.")
    return chosen


def numeric_features(path: Path) -> list[str]:
    """Return the feature columns of a file in order, text ones left out."""
    schema = pq.read_schema(path)
    return [one.name for one in schema if one.name.startswith("feature_") and _is_number(one.type)]


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def newest_era(path: Path) -> pa.Table:
    """Return the rows of the newest era as live rows, targets emptied.

    Reads the era column, then only the row groups that hold that era: memory stays flat for files of gigabytes.
    Raises: ConfigError for a damaged or empty file.
    """
    try:
        table = _rows_of_newest_era(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigError(f"{path}: damaged ({str(error).splitlines()[0]}). Fetch it again.") from error
    for name, value in (("era", LIVE_ERA), ("data_type", "live")):
        place = table.schema.get_field_index(name)
        column = pa.array([value] * table.num_rows)
        table = table.set_column(place, name, column) if place >= 0 else table.append_column(name, column)
    for place, one in enumerate(table.schema):
        if one.name.startswith("target"):
            table = table.set_column(place, one, pa.nulls(table.num_rows, one.type))
    return table


def _rows_of_newest_era(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        eras = [file.read_row_group(group, columns=["era"])["era"].to_pylist() for group in range(file.num_row_groups)]
        known = {era for group in eras for era in group if era is not None}
        if not known:
            raise ConfigError(f"{path}: no row with an era in it, so nothing can play the live data.")
        newest = max(known, key=lambda era: (len(str(era)), str(era)))
        holding = [group for group, listed in enumerate(eras) if newest in listed]
        table = file.read_row_groups(holding)
    return table.filter(pa.array([era == newest for group in holding for era in eras[group]]))


def live_ids_of(path: Path) -> list[str]:
    """Return the ids of a live file in order. Raises: ConfigError when it is damaged or an id stands twice."""
    try:
        ids = [str(one) for one in pq.read_table(path, columns=["id"])["id"].to_pylist()]
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigError(f"{path}: damaged ({str(error).splitlines()[0]}). Fetch it again.") from error
    if len(set(ids)) < len(ids):
        raise ConfigError(f"{path}: {len(ids) - len(set(ids))} of {len(ids)} ids stand more than once; ids are unique.")
    return ids


def fingerprint(source: Path, seed: int) -> str:
    """Return a word for the folder's files as they are now: changed files get a new shelf."""
    stamps = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(source.iterdir()) if path.is_file()
    ]
    return f"{zlib.crc32(repr((str(source.resolve()), seed, stamps)).encode()):08x}"
