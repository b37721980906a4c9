"""Files beside the validation data: what other models predicted for the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from numebot.adapters.datasets.parquet import MemoryProbe, open_parquet, read_columns
from numebot.adapters.datasets.rows import era_labels
from numebot.core.errors import Unavailable
from numebot.core.features import layout_of

BENCHMARKS = "validation_benchmark_models.parquet"
"""Name of the file with the predictions of Numerai's own models inside a data version."""
META_MODEL = "meta_model.parquet"
"""Name of the file with the meta model, which covers the newer eras alone."""
_LEFT_OUT = ("data_type",)


def companion_rows(path: Path, eras: Sequence[str], tournament: int, *, probe: MemoryProbe) -> pd.DataFrame:
    """Return the predictions of some eras, one column per model, index id. Empty where the file has none of them.

    Raises: Unavailable for a broken file; LocalTrouble when it would not fit in memory.
    """
    layout = layout_of(tournament)
    parquet = open_parquet(path)
    schema = parquet.schema_arrow
    left_out = (layout.id_column, layout.era_column, *_LEFT_OUT)
    models = [field.name for field in schema if field.name not in left_out]
    if layout.era_column not in schema.names or not models:
        raise Unavailable(f"{path.name}: it has no column {layout.era_column}, or no model.")
    values = pd.Series(read_columns(path, [], id_column=layout.era_column, probe=probe).index.unique())
    value_of = dict(zip(era_labels(values), values, strict=True))
    wanted = [value_of[era] for era in eras if era in value_of]
    filters: list[tuple[str, str, object]] = [(layout.era_column, "in", wanted)]
    return read_columns(path, models, id_column=layout.id_column, filters=filters, probe=probe)
