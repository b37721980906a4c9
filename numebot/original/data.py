"""The frames of the original numebot, made from today's rows.

Features are 0, 0.25 … 1 again, and each row has era, data_type and target. Today's bins carry other names than those of
2021, so plugins that look for "feature…" find them, and files that were trained then do not fit.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

import pandas as pd

from numebot.original.columns import NC
from numebot.original.names import FileNamesGetter

_HIGHEST_BIN = 4
_NO_HISTORY = 0.5
_VALIDATION_PART = 10
"""One in this many eras, the newest, stands for the validation data of the original."""


def write_rows(
    features: pd.DataFrame, path: Path, *, target: pd.Series | None = None, eras: pd.Series | None = None
) -> None:
    """Write rows for a DataManager: without a target they are the live ones."""
    rows = features.copy(deep=False)
    rows.attrs = {}
    rows[NC.era] = "X" if eras is None else eras.astype(str)
    rows[NC.target] = float("nan") if target is None else target.astype("float32")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.rename_axis("id").to_parquet(path)


class DataManager:
    """Hands out the frames, each read when it is first asked for.

    `train` is all but the newest tenth of the training eras, `val` that tenth, `live` and `tournament` the rows to
    predict; `test` is empty, for there is no such data any more. Shapes: index id; features, era, data_type, target.
    """

    def __init__(self, file_names: FileNamesGetter, nrows: int | None = None, save_memory: bool = True) -> None:
        self.names = file_names
        self.nrows = nrows
        self.save_memory = save_memory

    @property
    def features(self) -> list[str]:
        """The names of the features."""
        return [str(name) for name in self.tournament.columns if str(name).startswith("feature")]

    @cached_property
    def train(self) -> pd.DataFrame:
        """The rows to learn from; era as a whole number."""
        return self._of_training(is_validation=False)

    @property
    def training(self) -> pd.DataFrame:
        """An older name of `train`."""
        return self.train

    @cached_property
    def val(self) -> pd.DataFrame:
        """The rows to try a model on; era as a whole number."""
        return self._of_training(is_validation=True)

    @cached_property
    def test(self) -> pd.DataFrame:
        """No rows."""
        return self.live.iloc[:0]

    @cached_property
    def live(self) -> pd.DataFrame:
        """The rows to predict; era without "era"."""
        return self._typed(self._read(self.names.data_tournament_path), NC.live)

    @cached_property
    def tournament(self) -> pd.DataFrame:
        """The rows to predict; era as text, "eraX"."""
        rows = self.live.copy(deep=False)
        rows[NC.era] = "era" + rows[NC.era].astype(str)
        return rows

    def _of_training(self, *, is_validation: bool) -> pd.DataFrame:
        rows = self._read(self.names.data_training_path)
        eras = rows[NC.era].astype(int)
        known = sorted(eras.unique())
        first = known[-max(1, len(known) // _VALIDATION_PART)]
        chosen = (
            rows[eras >= first] if is_validation and len(known) > 1 else rows[eras < first] if len(known) > 1 else rows
        )
        chosen = self._typed(chosen, NC.val if is_validation else "train")
        chosen[NC.era] = chosen[NC.era].astype(int)
        return chosen

    def _read(self, path: Path) -> pd.DataFrame:
        if not path.exists():
            raise FileNotFoundError(
                f"{path.name}: these rows are not here; a training keeps them only for plugins that ask"
            )
        rows = pd.read_parquet(path)
        return rows if self.nrows is None else rows.head(self.nrows)

    def _typed(self, rows: pd.DataFrame, data_type: str) -> pd.DataFrame:
        kind: Literal["float16", "float32"] = "float16" if self.save_memory else "float32"
        names = [name for name in rows.columns if str(name).startswith("feature")]
        found = (rows[names].astype("float32") / _HIGHEST_BIN).fillna(_NO_HISTORY).astype(kind)
        found.insert(0, NC.era, rows[NC.era])
        found.insert(1, NC.data_type, data_type)
        found[NC.target] = rows[NC.target].astype(kind)
        return found
