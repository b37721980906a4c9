"""Rows to learn from and to be measured by: some columns of train.parquet and validation.parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from numebot.adapters.datasets.parquet import MemoryProbe, first_rows, open_parquet, read_columns, require_memory
from numebot.core.errors import PluginError
from numebot.core.features import did_you_mean, layout_of, listed
from numebot.core.types import Tournament
from numebot.plugin import TrainingData

TARGET_SAMPLE_ROWS = 20_000
"""Enough five-valued targets to tell any two of them apart."""
GROUP_BYTES = 128 * 2**20
"""Validation is read in groups of whole eras of about this size."""

ChooseEras = Callable[[Iterable[object]], list[str]]
Filters = list[tuple[str, str, object]]


@dataclass(frozen=True)
class Selection:
    """What a training reads: some columns of one data version. The first target is the one that is evaluated."""

    version: str
    features: tuple[str, ...]
    targets: tuple[str, ...]
    tournament: int = Tournament.CLASSIC


def require_columns(path: Path, selection: Selection) -> None:
    """Raise PluginError when a file lacks features or targets of the selection; Unavailable when it is broken."""
    columns = set(open_parquet(path).schema_arrow.names)
    where = f"{selection.version}/{path.name}"
    for kind, wanted in (("features", selection.features), ("targets", selection.targets)):
        absent = [column for column in wanted if column not in columns]
        if absent:
            hint = did_you_mean(absent[0], columns)
            raise PluginError(f"{len(absent)} of {len(wanted)} {kind} are not in {where}: {listed(absent)}.{hint}")


def read_rows(
    path: Path, selection: Selection, *, filters: Filters | None, probe: MemoryProbe, only_known: bool = True
) -> TrainingData:
    """Return the rows that have the first target, or all of them. Raises: PluginError, Unavailable, LocalTrouble."""
    layout = layout_of(selection.tournament)
    columns = [layout.era_column, *selection.targets, *selection.features]
    frame = read_columns(path, columns, id_column=layout.id_column, filters=filters, probe=probe)
    text = [name for name in selection.features if not pd.api.types.is_numeric_dtype(frame[name])]
    if text:
        raise PluginError(f"{path.name}: {len(text)} of the features are not numbers: {listed(text)}.")
    unknown = frame[selection.targets[0]].isna()
    if only_known and unknown.any():
        frame = frame[~unknown]
    if frame.empty:
        raise PluginError(f"{selection.version}/{path.name}: no row has the target {selection.targets[0]}.")
    return TrainingData(
        X=frame[list(selection.features)],
        targets=frame[list(selection.targets)],
        eras=era_labels(frame[layout.era_column]),
        target=selection.targets[0],
    )


def read_groups(
    path: Path, selection: Selection, *, choose: ChooseEras, probe: MemoryProbe, only_known: bool = True
) -> Iterator[TrainingData]:
    """Yield groups of whole eras, oldest first; `choose` gets all eras and says which. Raises as `read_rows`.

    Eras in which no row has the first target are left out.
    """
    layout = layout_of(selection.tournament)
    target = selection.targets[0]
    known = read_columns(path, [layout.era_column, target], id_column=layout.id_column, probe=probe)
    rows_of = known.assign(era=era_labels(known[layout.era_column])).dropna(subset=[target]).groupby("era").size()
    first = known[layout.era_column].drop_duplicates()
    value_of = dict(zip(era_labels(first), first, strict=True))
    eras = [era for era in choose(value_of) if era in rows_of.index]
    if not eras:
        return
    size = max(1, GROUP_BYTES // (max(1, len(selection.features)) * int(rows_of.max())))
    parquet = open_parquet(path)
    require_memory(parquet, selection.features, path.name, rows=size * int(rows_of.max()), probe=probe)
    for start in range(0, len(eras), size):
        wanted = [value_of[era] for era in eras[start : start + size]]
        filters: Filters = [(layout.era_column, "in", wanted)]
        yield read_rows(path, selection, filters=filters, probe=probe, only_known=only_known)


def resolved_target(path: Path, target: str) -> str:
    """Return which target the column "target" is a copy of: that differs from one data version to the next.

    A target that equals no other column keeps its name.
    """
    names = [name for name in open_parquet(path).schema_arrow.names if name.startswith("target_")]
    if target != "target" or not names:
        return target
    sample = first_rows(path, [target, *names], TARGET_SAMPLE_ROWS)
    return next((name for name in names if sample[name].equals(sample[target])), target)


def era_labels(eras: pd.Series) -> pd.Series:
    """Return eras as text; files of early years wrote them as numbers."""
    if pd.api.types.is_float_dtype(eras):
        eras = eras.astype("Int64")
    return eras.astype(str).rename("era")
