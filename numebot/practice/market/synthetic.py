"""The made-up market: Numerai's files with made-up content whose statistics are those of the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from numebot.core.types import Tournament
from numebot.durable import whole_file, write_whole
from numebot.practice.market.crowd import BENCHMARKS, EXAMPLE, META_MODEL
from numebot.practice.market.era_rows import (
    EraGenerator,
    EraRows,
    data_schema,
    data_table,
    hidden_schema,
    hidden_table,
)
from numebot.practice.market.feature_sets import VERSION, feature_layout
from numebot.practice.market.ids import live_ids
from numebot.practice.market.market import Outcome, check_name, live_key
from numebot.practice.market.scale import Scale, era_of_round
from numebot.practice.market.shelf import Shelf, batches, id_schema, one_ahead, write_groups, write_table
from numebot.practice.market.streams import stream
from numebot.practice.market.targets import daily_targets, strength
from numebot.practice.market.universes import Universes

GENERATION = 1
"""Goes up when the same seed makes other data than before: old files must not be mixed with new ones."""

_HIDDEN = "hidden"
"""Ending of the files beside the data that hold what players do not see."""


class SyntheticMarket:
    """Every file of the tournament, made on demand below `folder` and kept there, one folder per seed and scale."""

    def __init__(self, folder: Path, *, seed: int = 1, scale: Scale | None = None) -> None:
        self.version = VERSION
        self.seed = seed
        self.scale = scale or Scale.small()
        self.layout = feature_layout(seed)
        self._eras = EraGenerator(self.layout, seed=seed, scale=self.scale)
        self._shelf = Shelf(folder / f"{self.scale.name}-seed{seed}-{GENERATION}")
        self._universes = Universes(self._shelf, seed, self.scale)
        self._static = self._static_files()
        self._live = self._live_files()

    def dataset_names(self) -> list[str]:
        """Return the files on offer."""
        own = [f"{VERSION}/{name}" for name in (*self._static, *self._live)]
        return own + self._universes.dataset_names()

    def dataset_path(self, name: str, round_number: int) -> Path:
        """Return a file as it is in a round, made when needed. Raises: KeyError for a name that is not on offer."""
        check_name(name, self.dataset_names())
        beside = self._universes.dataset_path(name, round_number)
        if beside is not None:
            return beside
        short = name.removeprefix(f"{VERSION}/")
        if short in self._static:
            return self._static[short]()
        return self._live[short](round_number)

    def ids(self, tournament: int, round_number: int) -> pd.Index[str]:
        """Return the live ids of a round in the order of its live file."""
        universe = self._universes.of(tournament)
        if universe is not None:
            return universe.ids(round_number)
        return pd.Index(live_ids(self.seed, round_number, self._eras.live_count(round_number)), name="id")

    def outcome(self, tournament: int, round_number: int) -> Outcome:
        """Return what becomes of a round's live rows."""
        universe = self._universes.of(tournament)
        if universe is not None:
            return universe.outcome(round_number)
        live, hidden = self._live_pair(round_number)
        neutralizers = pq.read_table(live, columns=list(self.layout.sets["fncv3_features"]))
        truth = pq.read_table(hidden)
        key = live_key(Tournament.CLASSIC, round_number)
        path = stream(self.seed, "returns", *key)
        whole = truth["whole"].to_numpy()
        power = strength(self.seed, era_of_round(round_number), mean=self.scale.strength)
        return Outcome(
            key=key,
            ids=pd.Index(truth["id"].to_pylist(), name="id"),
            known=truth["known"].to_numpy(),
            targets=daily_targets(path, whole, power),
            neutralizers=np.column_stack([column.to_numpy() for column in neutralizers.columns]).astype(np.float32),
            benchmark=np.mean([truth[name].to_numpy() for name in BENCHMARKS], axis=0, dtype=np.float32),
        )

    def _static_files(self) -> dict[str, Callable[[], Path]]:
        """Return how each file that is the same in every round comes about."""
        train, validation = self._train_pair, self._validation_pair
        return {
            "features.json": self._features_json,
            "train.parquet": lambda: train()[0],
            "validation.parquet": lambda: validation()[0],
            "train_benchmark_models.parquet": lambda: self._extract("train_benchmark_models", train, BENCHMARKS),
            "validation_benchmark_models.parquet": lambda: self._extract(
                "validation_benchmark_models", validation, BENCHMARKS
            ),
            "validation_example_preds.parquet": lambda: self._extract(
                "validation_example_preds", validation, [EXAMPLE], with_era=False
            ),
            "validation_example_preds.csv": lambda: self._as_csv(
                "validation_example_preds", self._static["validation_example_preds.parquet"]
            ),
            "meta_model.parquet": lambda: self._extract("meta_model", validation, [META_MODEL]),
        }

    def _live_files(self) -> dict[str, Callable[[int], Path]]:
        """Return how each file that is new in every round comes about."""
        return {
            "live.parquet": lambda number: self._live_pair(number)[0],
            "live_benchmark_models.parquet": lambda number: self._extract(
                f"rounds/{number}/live_benchmark_models", lambda: self._live_pair(number), BENCHMARKS
            ),
            "live_example_preds.parquet": lambda number: self._extract(
                f"rounds/{number}/live_example_preds", lambda: self._live_pair(number), [EXAMPLE], with_era=False
            ),
            "live_example_preds.csv": lambda number: self._as_csv(
                f"rounds/{number}/live_example_preds", lambda: self._live["live_example_preds.parquet"](number)
            ),
        }

    def _features_json(self) -> Path:
        def make(path: Path) -> None:
            write_whole(path, json.dumps(self.layout.features_json()), mode=0o644)

        return self._shelf.get(["features.json"], make)[0]

    def _train_pair(self) -> list[Path]:
        eras = (self._eras.past("train", era) for era in self.scale.train())
        return self._pair("train", "train", eras)

    def _validation_pair(self) -> list[Path]:
        eras = (self._eras.past("validation", era) for era in self.scale.validation())
        return self._pair("validation", "validation", eras)

    def _live_pair(self, round_number: int) -> list[Path]:
        return self._pair(f"rounds/{round_number}/live", "live", map(self._eras.live, [round_number]))

    def _pair(self, name: str, data_type: str, eras: Iterable[EraRows]) -> list[Path]:
        """Return a data file and the hidden one beside it; both come from one pass over the eras."""

        def make(data: Path, hidden: Path) -> None:
            # Inner files become whole first: a data file never stands without its hidden half.
            with whole_file(data, mode=0o644) as data_part, whole_file(hidden) as hidden_part:
                self._write_pair(data_part, hidden_part, data_type, eras)

        return self._shelf.get([f"{name}.parquet", f"{name}.{_HIDDEN}.parquet"], make)

    def _write_pair(self, data: Path, hidden: Path, data_type: str, eras: Iterable[EraRows]) -> None:
        schema, beside = data_schema(self.layout.names), hidden_schema()
        with pq.ParquetWriter(hidden, beside) as writer:

            def groups() -> Iterator[pa.Table]:
                for batch in one_ahead(batches(eras, self.scale.eras_per_row_group)):
                    for rows in batch:
                        writer.write_table(hidden_table(rows, beside))
                    yield pa.concat_tables([data_table(rows, schema, data_type) for rows in batch])

            write_groups(data, schema, groups(), is_compact=self.scale.is_compact)

    def _extract(
        self, name: str, pair: Callable[[], list[Path]], columns: Iterable[str], *, with_era: bool = True
    ) -> Path:
        """Return a file of some hidden columns, rows without a value left out."""
        wanted = [*(["era"] if with_era else []), *columns]

        def make(path: Path) -> None:
            hidden = pq.read_table(pair()[1], columns=[*wanted, "id"]).drop_null()
            types = [(column, hidden.schema.field(column).type) for column in wanted]
            write_table(path, hidden.cast(id_schema(types)))

        return self._shelf.get([f"{name}.parquet"], make)[0]

    def _as_csv(self, name: str, parquet: Callable[[], Path]) -> Path:
        def make(path: Path) -> None:
            with whole_file(path, mode=0o644) as temporary:
                pd.read_parquet(parquet()).to_csv(temporary, index_label="id")

        return self._shelf.get([f"{name}.csv"], make)[0]

