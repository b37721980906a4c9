"""Signals and Crypto: universes of tickers and tokens with a few features each, dated by the day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.core.types import Tournament
from numebot.durable import whole_file
from numebot.practice.market import names
from numebot.practice.market.crowd import EXAMPLE, numerai_models
from numebot.practice.market.feature_model import cut
from numebot.practice.market.market import Outcome, live_key
from numebot.practice.market.scale import Scale, era_of_round
from numebot.practice.market.shelf import Shelf
from numebot.practice.market.signal_model import Signal
from numebot.practice.market.streams import FloatArray, standardised, stream
from numebot.practice.market.targets import LONGEST_DAYS, daily_targets, strength
from numebot.practice.numbering import plausible_day, previous_market_day

_LAST_STATIC_DATE = date(2026, 8, 7)
_LISTED_SHARE = 0.98
"""How much of a universe is traded in a given round: names come and go."""
_STRENGTH = 0.04
_COUNTRIES = {
    "US": "UN", "JP": "JT", "LN": "LN", "GR": "GY", "FP": "FP", "CN": "CT", "HK": "HK", "AU": "AT", "KS": "KP",
}  # fmt: skip


@dataclass(frozen=True)
class UniverseSpec:
    """What sets one tournament apart. `horizons` are the days of its targets, by column name."""

    tournament: int
    folder: str
    id_column: str
    members: tuple[str, ...]
    features: tuple[str, ...]
    targets: dict[str, int]
    dates: int
    has_codes: bool = False
    has_validation: bool = False
    old_live: str | None = None


class Universes:
    """Signals and Crypto together: what every market offers beside Classic."""

    def __init__(self, shelf: Shelf, seed: int, scale: Scale) -> None:
        specs = (_signals(seed, scale), _crypto(seed, scale))
        self._by_tournament = {spec.tournament: Universe(spec, shelf, seed) for spec in specs}

    def of(self, tournament: int) -> Universe | None:
        """Return the universe of a tournament, None for Classic."""
        return self._by_tournament.get(tournament)

    def dataset_names(self) -> list[str]:
        """Return the files on offer."""
        return [name for universe in self._by_tournament.values() for name in universe.dataset_names()]

    def dataset_path(self, name: str, round_number: int) -> Path | None:
        """Return a file as it is in a round, made when needed; None for a name that is not on offer here."""
        owners = (one for one in self._by_tournament.values() if name in one.dataset_names())
        owner = next(owners, None)
        return None if owner is None else owner.dataset_path(name, round_number)


def _signals(seed: int, scale: Scale) -> UniverseSpec:
    return UniverseSpec(
        tournament=Tournament.SIGNALS,
        folder="signals/v2.1",
        id_column="numerai_ticker",
        members=tuple(names.tickers(seed, scale.tickers)),
        features=tuple(name.rsplit("_", 1)[0] for name in names.feature_names(seed + 11, 21)),
        targets={"target": 60, "target_20": 20, "target_60": 60},
        dates=scale.ticker_dates,
        has_codes=True,
        has_validation=True,
        old_live="signals/v1.0/live.parquet",
    )


def _crypto(seed: int, scale: Scale) -> UniverseSpec:
    return UniverseSpec(
        tournament=Tournament.CRYPTO,
        folder="crypto/v2.0",
        id_column="symbol",
        members=tuple(names.symbols(seed, scale.tokens)),
        features=tuple(name.rsplit("_", 1)[0] for name in names.feature_names(seed + 12, 12)),
        targets={"target_binned_return_20": 20},
        dates=scale.token_dates,
    )


class Universe:
    """The files, live ids and outcomes of Signals or Crypto."""

    def __init__(self, spec: UniverseSpec, shelf: Shelf, seed: int) -> None:
        self._spec = spec
        self._shelf = shelf
        self._seed = seed
        random = stream(seed, spec.folder)
        self._weights = random.normal(size=len(spec.features)).astype(np.float32)
        self._known = random.random(len(spec.features)) < 0.6
        self._order = np.argsort(spec.members)
        self._makers: dict[str, Callable[[int], pd.DataFrame]] = {
            "live.parquet": self._live,
            "train.parquet": lambda _: self._history(0.0, 0.6 if spec.has_validation else 1.0),
            "live_example_preds.parquet": self._example,
            "live_example_preds.csv": self._example,
        }
        if spec.has_validation:
            self._makers["validation.parquet"] = lambda _: self._history(0.6, 1.0)

    def dataset_names(self) -> list[str]:
        """Return the files on offer."""
        own = [f"{self._spec.folder}/{name}" for name in self._makers]
        return own + ([self._spec.old_live] if self._spec.old_live else [])

    def dataset_path(self, name: str, round_number: int) -> Path:
        """Return a file as it is in a round, made when needed."""
        short = "live.parquet" if name == self._spec.old_live else name.rsplit("/", 1)[1]
        place = f"rounds/{round_number}/{self._spec.folder}" if short.startswith("live") else self._spec.folder

        def make(path: Path) -> None:
            frame = self._makers[short](round_number)
            with whole_file(path, mode=0o644) as temporary:
                if short.endswith(".csv"):
                    frame.to_csv(temporary, index=False)
                else:
                    frame.to_parquet(temporary, index=False)

        return self._shelf.get([f"{place}/{short}"], make)[0]

    def ids(self, round_number: int) -> pd.Index[str]:
        """Return who is in the universe in a round, sorted."""
        listed = [self._spec.members[index] for index in self._listed(round_number)]
        ids: pd.Index[str] = pd.Index(listed, name=self._spec.id_column)
        return ids

    def outcome(self, round_number: int) -> Outcome:
        """Return what becomes of a round's universe."""
        key = live_key(self._spec.tournament, round_number)
        values = self._values(key, len(self._listed(round_number)))
        signal = self._signal(values)
        power = strength(self._seed, era_of_round(round_number), mean=_STRENGTH)
        return Outcome(
            key=key,
            ids=self.ids(round_number),
            known=signal.known,
            targets=daily_targets(stream(self._seed, "returns", *key), signal.whole, power),
            neutralizers=values.T,
            benchmark=numerai_models(self._seed, key, signal)[EXAMPLE],
        )

    def _listed(self, round_number: int) -> npt.NDArray[np.int64]:
        draws = stream(self._seed, "listed", self._spec.folder, round_number).random(len(self._order))
        return np.asarray(self._order[draws < _LISTED_SHARE])

    def _values(self, key: tuple[str | int, ...], count: int) -> FloatArray:
        """Return features in fifths, shape (features, count), in {0, .25, .5, .75, 1}."""
        raw = stream(self._seed, "features", *key).standard_normal((len(self._spec.features), count), dtype=np.float32)
        raw[1:] += raw[0] * np.float32(0.4)
        bins = np.empty(raw.shape, dtype=np.int8)
        cut(raw, (0.2,) * 5, out=bins)
        return np.asarray(bins / np.float32(4), dtype=np.float32)

    def _signal(self, values: FloatArray) -> Signal:
        whole = np.asarray(self._weights @ values, dtype=np.float32)
        known = np.asarray((self._weights * self._known) @ values, dtype=np.float32)
        return Signal(standardised(whole), standardised(known))

    def _live(self, round_number: int) -> pd.DataFrame:
        members = self._listed(round_number)
        values = self._values(live_key(self._spec.tournament, round_number), len(members))
        return self._frame(members, previous_market_day(plausible_day(round_number)), values)

    def _history(self, start: float, end: float) -> pd.DataFrame:
        """Return the part of the past between two shares of its dates, one block of rows per week."""
        weeks = range(round(start * self._spec.dates), round(end * self._spec.dates))
        return pd.concat([self._week(self._spec.dates - 1 - week) for week in weeks], ignore_index=True)

    def _week(self, weeks_ago: int) -> pd.DataFrame:
        key = (self._spec.folder, "week", weeks_ago)
        values = self._values(key, len(self._order))
        frame = self._frame(self._order, _LAST_STATIC_DATE - timedelta(weeks=weeks_ago), values)
        returns = stream(self._seed, "returns", *key)
        power = strength(self._seed, -weeks_ago, mean=_STRENGTH)
        paths = daily_targets(returns, self._signal(values).whole, power)
        for name, days in self._spec.targets.items():
            # A week of trading is five days: younger weeks have not seen the end of their horizon.
            is_known = weeks_ago * 5 >= days
            frame[name] = paths[min(days, LONGEST_DAYS) - 1] if is_known else np.float32(np.nan)
        return frame

    def _frame(self, members: npt.NDArray[np.int64], day: date, values: FloatArray) -> pd.DataFrame:
        listed = [self._spec.members[index] for index in members]
        columns: dict[str, object] = {self._spec.id_column: listed}
        if self._spec.has_codes:
            columns["composite_figi"] = [_figi(int(index)) for index in members]
        columns["date"] = [day.isoformat()] * len(listed)
        if self._spec.has_codes:
            countries = [name.rsplit(" ", 1)[1] for name in listed]
            columns["feature_country"] = countries
            columns["feature_exchange_code"] = [_COUNTRIES[country] for country in countries]
        columns |= dict(zip(self._spec.features, values, strict=True))
        return pd.DataFrame(columns)

    def _example(self, round_number: int) -> pd.DataFrame:
        outcome = self.outcome(round_number)
        column = EXAMPLE if self._spec.tournament == Tournament.CRYPTO else "signal"
        return pd.DataFrame({self._spec.id_column: list(outcome.ids), column: outcome.benchmark})


def _figi(index: int) -> str:
    """Return a made-up identifier in the form of a FIGI."""
    return f"BBG{index * 7919 % 10**9:09d}"
