"""The market of a user's own files: real parquet is served as it is, and only what becomes of live rows is made up."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from numebot.core.types import Tournament
from numebot.durable import write_whole
from numebot.practice.market.crowd import EXAMPLE, numerai_models
from numebot.practice.market.feature_sets import VERSION
from numebot.practice.market.folder_source import (
    fingerprint,
    live_ids_of,
    live_source,
    newest_era,
    numeric_features,
    parquet_files,
)
from numebot.practice.market.market import Outcome, check_name, live_key
from numebot.practice.market.scale import Scale, era_of_round
from numebot.practice.market.shelf import Shelf, write_table
from numebot.practice.market.signal_model import Signal
from numebot.practice.market.streams import FloatArray, standardised, stream
from numebot.practice.market.targets import daily_targets, strength
from numebot.practice.market.universes import Universes

_SERVED = (
    "features.json", "train.parquet", "validation.parquet", "live.parquet", "train_benchmark_models.parquet",
    "validation_benchmark_models.parquet", "live_benchmark_models.parquet", "validation_example_preds.parquet",
    "validation_example_preds.csv", "live_example_preds.parquet", "live_example_preds.csv", "meta_model.parquet",
)  # fmt: skip
_SIZES = {"small": 42, "medium": 780}
_STRENGTH = 0.05


class FolderMarket:
    """Serves the parquet files below `source`; what is missing there is not on offer.

    Without a live.parquet, the newest era of validation.parquet (or of the only parquet there is) plays the live data
    of every round, with its own ids. Without a features.json, one is derived from the columns. What becomes of the live
    rows is made up, with a weak signal in their features. Signals and Crypto stay synthetic.
    """

    def __init__(self, folder: Path, source: Path, *, seed: int = 1) -> None:
        """Look at every file once and settle the live ids. Raises: ConfigError with everything found wrong."""
        self.seed = seed
        self._source = source
        parquet = parquet_files(source)
        self._live_source = live_source(source, parquet)
        found = re.fullmatch(r"v\d+\.\d+", source.name)
        self.version = found.group() if found else VERSION
        self._shelf = Shelf(folder / f"folder-{fingerprint(source, seed)}")
        self._universes = Universes(self._shelf, seed, Scale.small())
        self._features = numeric_features(self._live_source)
        made = {"features.json", "live.parquet"}
        self._ids = live_ids_of(self._live_file())
        self._names = [name for name in _SERVED if name in made or (source / name).is_file()]

    def dataset_names(self) -> list[str]:
        """Return the files on offer."""
        own = [f"{self.version}/{name}" for name in self._names]
        return own + self._universes.dataset_names()

    def dataset_path(self, name: str, round_number: int) -> Path:
        """Return a file: the user's own, or a derived one. Raises: KeyError for a name that is not on offer."""
        check_name(name, self.dataset_names())
        beside = self._universes.dataset_path(name, round_number)
        if beside is not None:
            return beside
        short = name.removeprefix(f"{self.version}/")
        own = self._source / short
        if own.is_file():
            return own
        return self._derived_live() if short == "live.parquet" else self._derived_features()

    def ids(self, tournament: int, round_number: int) -> pd.Index[str]:
        """Return the live ids: the same in every round of Classic, because they are real."""
        universe = self._universes.of(tournament)
        if universe is not None:
            return universe.ids(round_number)
        return pd.Index(self._ids, name="id")

    def outcome(self, tournament: int, round_number: int) -> Outcome:
        """Return made-up outcomes of the live rows; equal features have equal prospects in every round."""
        universe = self._universes.of(tournament)
        if universe is not None:
            return universe.outcome(round_number)
        key = live_key(Tournament.CLASSIC, round_number)
        features = self._live_features()
        signal = self._signal(features)
        power = strength(self.seed, era_of_round(round_number), mean=_STRENGTH)
        return Outcome(
            key=key,
            ids=self.ids(tournament, round_number),
            known=signal.known,
            targets=daily_targets(stream(self.seed, "returns", *key), signal.whole, power),
            neutralizers=features[:, : _SIZES["medium"]],
            benchmark=numerai_models(self.seed, key, signal)[EXAMPLE],
        )

    def _live_file(self) -> Path:
        own = self._source / "live.parquet"
        return own if own.is_file() else self._derived_live()

    def _derived_live(self) -> Path:
        return self._shelf.get(["live.parquet"], lambda path: write_table(path, newest_era(self._live_source)))[0]

    def _derived_features(self) -> Path:
        def make(path: Path) -> None:
            sets = {name: self._features[:size] for name, size in _SIZES.items()} | {"all": self._features}
            columns = pq.read_schema(self._live_source).names
            targets = [name for name in columns if name.startswith("target")]
            write_whole(path, json.dumps({"feature_sets": sets, "targets": targets}), mode=0o644)

        return self._shelf.get(["features.json"], make)[0]

    def _live_features(self) -> FloatArray:
        """Return the live features, shape (n, p), missing ones in the middle of their column."""
        table = pq.read_table(self._live_file(), columns=self._features)
        columns = [np.asarray(column.to_numpy(), dtype=np.float32) for column in table.columns]
        if not columns:
            return np.zeros((table.num_rows, 0), dtype=np.float32)
        values = np.column_stack(columns)
        return np.asarray(np.where(np.isnan(values), np.nanmedian(values), values), dtype=np.float32)

    def _signal(self, features: FloatArray) -> Signal:
        """Weigh features by their names, so that the same column means the same in every file."""
        draws = [stream(self.seed, "weight", name).standard_normal(2) for name in self._features]
        weights = np.array([first for first, _ in draws], dtype=np.float32)
        is_known = np.array([second > 0 for _, second in draws], dtype=bool)
        if not len(weights):
            nothing = np.zeros(len(features), dtype=np.float32)
            return Signal(nothing, nothing)
        whole, known = features @ weights, features @ (weights * is_known)
        return Signal(standardised(whole.astype(np.float32)), standardised(known.astype(np.float32)))
