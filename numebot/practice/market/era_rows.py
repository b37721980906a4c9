"""The rows of one era of the made-up market, and how they look as Numerai's columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from numebot.core.types import Tournament
from numebot.practice.market.crowd import (
    BENCHMARKS,
    EXAMPLE,
    META_MODEL,
    PLAYERS,
    crowd,
    meta_model,
    numerai_models,
    player_predictions,
)
from numebot.practice.market.feature_model import feature_model
from numebot.practice.market.feature_sets import TARGETS, FeatureLayout
from numebot.practice.market.ids import era_ids, live_ids
from numebot.practice.market.market import live_key
from numebot.practice.market.scale import LAST_KNOWN_ERA, LIVE_ERA, META_MODEL_FROM_ERA, Scale, era_name, era_of_round
from numebot.practice.market.shelf import id_schema
from numebot.practice.market.signal_model import Signal, signal_model
from numebot.practice.market.streams import ByteArray, FloatArray, stream
from numebot.practice.market.targets import era_targets, strength

_MODELS = (*BENCHMARKS, EXAMPLE, META_MODEL)


@dataclass(frozen=True)
class EraRows:
    """Rows of one era: features (p, n), everything else (n,). Missing names are columns without values."""

    era: str
    ids: list[str]
    features: ByteArray
    signal: Signal
    targets: dict[str, FloatArray]
    models: dict[str, FloatArray]


class EraGenerator:
    """Makes the rows of any era or round; each hangs on the seed and its own number alone."""

    def __init__(self, layout: FeatureLayout, *, seed: int, scale: Scale) -> None:
        self._seed = seed
        self._scale = scale
        self._features = feature_model(seed, layout)
        self._signal = signal_model(seed, layout)
        self._crowd = crowd(seed, PLAYERS)

    def past(self, data_type: str, era: int) -> EraRows:
        """Return a training or validation era with what is known of its targets and the models of the time."""
        random = stream(self._seed, data_type, era)
        fewest, most = self._scale.train_rows if data_type == "train" else self._scale.validation_rows
        # Real eras are mostly near the upper end: they grew early in history and then stayed.
        count = fewest + round((most - fewest) * float(random.beta(2, 1)))
        features = self._features.rows(random, count, era)
        signal = self._signal.signal(features, era)
        key = (data_type, era)
        models = numerai_models(self._seed, key, signal)
        if era >= META_MODEL_FROM_ERA:
            players = player_predictions(self._crowd, self._seed, key, signal.known)
            models[META_MODEL] = meta_model(self._crowd, players)
        power = strength(self._seed, era, mean=self._scale.strength)
        targets = {
            name: values
            for name, values in era_targets(random, signal.whole, power).items()
            if era <= LAST_KNOWN_ERA[20 if name.endswith("_20") else 60]
        }
        return EraRows(era_name(era), era_ids(self._seed, era, count), features, signal, targets, models)

    def live(self, round_number: int) -> EraRows:
        """Return the live rows of a round."""
        era, count = era_of_round(round_number), self.live_count(round_number)
        features = self._features.rows(stream(self._seed, "live", round_number), count, round(era))
        signal = self._signal.signal(features, era)
        models = numerai_models(self._seed, live_key(Tournament.CLASSIC, round_number), signal)
        return EraRows(LIVE_ERA, live_ids(self._seed, round_number, count), features, signal, {}, models)

    def live_count(self, round_number: int) -> int:
        """Return how many live rows a round has."""
        fewest, most = self._scale.live_rows
        return int(stream(self._seed, "live rows", round_number).integers(fewest, most + 1))


def data_schema(features: Iterable[str]) -> pa.Schema:
    """Return the columns of train, validation and live files."""
    return id_schema([
        ("era", pa.string()),
        ("data_type", pa.string()),
        *((name, pa.int8()) for name in features),
        *((name, pa.float32()) for name in TARGETS),
    ])


def hidden_schema() -> pa.Schema:
    """Return the columns of what players do not see: the signal, and what others predict."""
    return id_schema([("era", pa.string()), *((name, pa.float32()) for name in ("whole", "known", *_MODELS))])


def data_table(rows: EraRows, schema: pa.Schema, data_type: str) -> pa.Table:
    """Return rows as Numerai's columns. Targets that are not known yet are null, and so are gaps."""
    count = len(rows.ids)
    text = [pa.array([rows.era] * count), pa.array([data_type] * count)]
    features = [pa.array(column) for column in rows.features]
    targets = [_column(rows.targets.get(name), count) for name in TARGETS]
    return pa.Table.from_arrays([*text, *features, *targets, pa.array(rows.ids)], schema=schema)


def hidden_table(rows: EraRows, schema: pa.Schema) -> pa.Table:
    """Return what players do not see of rows."""
    count = len(rows.ids)
    truth = [pa.array(rows.signal.whole), pa.array(rows.signal.known)]
    models = [_column(rows.models.get(name), count) for name in _MODELS]
    return pa.Table.from_arrays([pa.array([rows.era] * count), *truth, *models, pa.array(rows.ids)], schema=schema)


def _column(values: FloatArray | None, count: int) -> pa.Array:
    return pa.nulls(count, pa.float32()) if values is None else pa.array(values, mask=np.isnan(values))
