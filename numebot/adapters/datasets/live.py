"""The live file of a round: is it what it should be, and the rows that a model asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from numebot.adapters.datasets.parquet import (
    MemoryProbe,
    open_parquet,
    read_columns,
    reading,
    require_memory,
    row_count,
)
from numebot.core.errors import PluginError, Unavailable
from numebot.core.features import FeatureSets, Layout, layout_of, listed, resolve_features
from numebot.core.types import Tournament, TrainedVersion

MAXIMUM_ROWS = 200_000
"""A live file has some 7,000 rows (Classic, Signals); far more is a mistake or an attack."""
HIGHEST_BIN = 4
"""Features are bins 0 to 4; older versions used 0 to 1."""


@dataclass(frozen=True, eq=False)
class LiveData:
    """The checked live file of one round.

    `ids` in the order of the file; `era` as the file writes it (often "X"), "" when it has none; `sha256` of the bytes.
    `feature_sets` fetches features.json of the version when it is first needed, which a trained model never does;
    `fetch` gets any other file of the version.
    """

    tournament: int
    round_number: int
    version: str
    path: Path
    sha256: str
    ids: pd.Index
    era: str
    columns: tuple[str, ...]
    feature_sets: Callable[[], FeatureSets]
    fetch: Callable[[str], Path] | None = None

    def file(self, name: str) -> Path:
        """Return a whole file of the same version and, where it is made anew each round, of the same round.

        Raises: Unavailable when it cannot be had, or is not of this round.
        """
        if name == self.path.name:
            return self.path
        if self.fetch is None:
            raise Unavailable(f"{name}: nobody is here to fetch it.")
        path = self.fetch(name)
        if name.startswith("live_") and name.endswith(".parquet"):
            self._require_same_ids(path)
        return path

    def _require_same_ids(self, path: Path) -> None:
        theirs = read_columns(path, (), id_column=layout_of(self.tournament).id_column).index
        absent = self.ids.difference(theirs)
        if len(absent):
            words = f"{len(absent):,} of {len(self.ids):,} live ids are absent: not this round's."
            raise Unavailable(f"{path.name}: {words}")

    def features(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> tuple[str, ...]:
        """Return the features a model gets: those of its training, or what its `feature_set` means in this version.

        Raises: PluginError when the file lacks some of them; Unavailable when features.json cannot be had.
        """
        features = trained.features if trained else resolve_features(wanted, self.feature_sets())
        known = set(self.columns)
        absent = [name for name in features if name not in known]
        if absent and trained:
            raise PluginError(
                f"{len(absent)} of its {len(features)} features are not in the live data of {self.version}"
                f" (it was trained on {trained.data_version}): {listed(absent)}."
                f" Train it again: numebot train {trained.model}"
            )
        if absent:
            raise PluginError(
                f"{len(absent)} of its {len(features)} features are not in {self.version}/{self.path.name}"
                f" of round {self.round_number}: {listed(absent)}."
            )
        return features

    def frame(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> pd.DataFrame:
        """Return the live rows with exactly the features of `features()`, index id. Raises as `features`."""
        id_column = layout_of(self.tournament).id_column
        return read_columns(self.path, self.features(wanted, trained), id_column=id_column).rename_axis(id_column)


def one_set(version: str, columns: Sequence[str]) -> FeatureSets:
    """Return the feature sets of a tournament without features.json: all that the file has."""
    return FeatureSets(version, {"all": tuple(name for name in columns if name.startswith("feature"))})


def example_values(path: Path, live: LiveData) -> pd.Series:
    """Return the one column of an example file in the order of the live ids.

    Raises: Unavailable when it does not fit the live data.
    """
    id_column = layout_of(live.tournament).id_column
    names = [name for name in open_parquet(path).schema_arrow.names if name in ("prediction", "signal", "probability")]
    if not names:
        raise Unavailable(f"{path.name}: no column prediction or signal.")
    values = read_columns(path, names[:1], id_column=id_column)[names[0]]
    absent = live.ids.difference(values.index)
    if len(absent) or values.index.has_duplicates:
        raise Unavailable(f"{path.name}: {len(absent):,} of {len(live.ids):,} live ids are absent: not this round's.")
    in_order: pd.Series = values.reindex(live.ids).astype(float).rename("prediction")
    return in_order


@dataclass(frozen=True, eq=False)
class LiveContents:
    """What stands in a live file that passed the checks."""

    ids: pd.Index
    era: str
    columns: tuple[str, ...]
    oddity: str = ""
    """What is strange about it and no reason to refuse it."""

    @property
    def ids_sha256(self) -> str:
        """A digest of the ids that does not depend on their order."""
        return hashlib.sha256("\n".join(sorted(self.ids)).encode()).hexdigest()


def inspect_live(path: Path, tournament: int, probe: MemoryProbe) -> LiveContents:
    """Read a live file from end to end once and return what it holds.

    Raises: Unavailable with what is wrong with it; LocalTrouble when it would not fit in memory.
    """
    layout = layout_of(tournament)
    parquet = open_parquet(path)
    columns = tuple(parquet.schema_arrow.names)
    if layout.id_column not in columns:
        raise Unavailable(f"{path.name}: no column or index {layout.id_column}; found {listed(columns)}.")
    rows = row_count(parquet)
    if not 0 < rows <= MAXIMUM_ROWS:
        raise Unavailable(f"{path.name}: {rows:,} rows; a live file has 1 to {MAXIMUM_ROWS:,}.")
    require_memory(parquet, columns, path.name, probe=probe)
    with reading(path):
        table = parquet.read()
        oddity = ""
        if tournament == Tournament.CLASSIC:  # Signals has features that are text
            features = [column for column in columns if column.startswith("feature")]
            _require_numbers(table, features, path.name)
            oddity = _strange_bins(table, features)
        return LiveContents(_ids(table, layout, path.name), _era(table, layout), columns, oddity)


def _ids(table: pa.Table, layout: Layout, name: str) -> pd.Index:
    found: list[object] = table.column(layout.id_column).to_pylist()
    ids = pd.Index([id for id in found if isinstance(id, str) and id], name=layout.id_column)
    if len(ids) < len(found):
        wrong = len(found) - len(ids)
        raise Unavailable(f"{name}: {wrong} of {len(found)} values of {layout.id_column} are empty or not text.")
    repeated = ids[ids.duplicated()].unique()
    if len(repeated):
        raise Unavailable(f"{name}: {len(repeated)} ids stand more than once: {listed(repeated)}.")
    return ids


def _era(table: pa.Table, layout: Layout) -> str:
    if layout.era_column not in table.column_names:
        return ""
    return listed(table.column(layout.era_column).unique().to_pylist())


def _require_numbers(table: pa.Table, features: Sequence[str], name: str) -> None:
    kinds = {column: table.schema.field(column).type for column in features}
    wrong = [c for c, kind in kinds.items() if not (pa.types.is_integer(kind) or pa.types.is_floating(kind))]
    if wrong:
        shown = listed(f"{column} ({kinds[column]})" for column in wrong)
        raise Unavailable(f"{name}: {len(wrong)} of {len(features)} features are not numbers: {shown}.")


def _strange_bins(table: pa.Table, features: Sequence[str]) -> str:
    """Name the features that leave the range of the bins; "" when none does.

    No reason to refuse the file: a new version may well have more bins, and most models do not mind.
    """
    outside = []
    for column in features:
        span = pc.min_max(table.column(column)).as_py()
        # Both are None for a column of gaps; NaN compares false.
        if span["min"] is not None and (span["min"] < 0 or span["max"] > HIGHEST_BIN):
            outside.append(f"{column} ({span['min']} to {span['max']})")
    if not outside:
        return ""
    return (
        f"{len(outside)} of {len(features)} features leave the range 0 to {HIGHEST_BIN}: {listed(outside)}. "
        "The models get them as they are."
    )
