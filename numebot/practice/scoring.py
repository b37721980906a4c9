"""Daily scores of uploaded predictions, with percentiles among the other players."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.core.metrics import gaussianised, ranked
from numebot.core.types import Tournament
from numebot.practice.market import Market
from numebot.practice.payouts import payout_rule, payout_score
from numebot.practice.players import Players
from numebot.practice.round_board import SINGLE_VALUED, RoundBoard, round_board

FloatArray = npt.NDArray[np.float64]

LAG_DAYS = 3
"""Scoring days before the first returns are in: the first score of a return comes on the fourth."""

_BOARDS_KEPT = 4
_RESULTS_KEPT = 2048


@dataclass(frozen=True)
class Score:
    """One metric on one scoring day.

    `value` is None while no returns exist; `percentile` is the share of the other players below, 0 to 1.
    """

    display_name: str
    version: str
    day: int
    value: float | None
    percentile: float | None


@dataclass(frozen=True)
class _Column:
    """One displayed metric: which measure it shows, over how many days of returns."""

    display_name: str
    version: str
    measure: str
    horizon: int


_COLUMNS: dict[int, tuple[_Column, ...]] = {
    Tournament.CLASSIC: (
        _Column("v2_corr20", "v2", "corr", 20),
        _Column("corr60", "v1", "corr", 60),
        _Column("mmc", "v1", "mmc", 20),
        _Column("mmc60", "v1", "mmc", 60),
        _Column("bmc", "v1", "bmc", 20),
        _Column("fnc_v3", "v3", "fnc", 20),
        _Column("corr_w_meta_model", "v1", "corr_w_meta_model", 60),
        _Column("apcwnm", "v1", "average_with_players", 60),
        _Column("mcwnm", "v1", "most_with_players", 60),
    ),
    Tournament.SIGNALS: (
        _Column("alpha", "v1", "alpha", 60),
        _Column("mpc", "v1", "mpc", 60),
        _Column("corr_v4", "v4", "corr", 20),
        _Column("fnc_v4", "v4", "fnc", 20),
        _Column("corr_w_meta_model", "v1", "corr_w_meta_model", 60),
    ),
    Tournament.CRYPTO: (
        _Column("corr", "v1", "corr", 20),
        _Column("mmc", "v1", "mmc", 20),
        _Column("corr_w_meta_model", "v1", "corr_w_meta_model", 20),
        _Column("apcwcm", "v1", "average_with_players", 20),
        _Column("mcwcm", "v1", "most_with_players", 20),
    ),
}


class Scorer:
    """Scores predictions of any round. Equal predictions get equal scores, today and after a restart."""

    def __init__(self, market: Market, players: Players | None = None) -> None:
        """`players` are those whose stakes make the meta model; by default the ones of the market's own seed."""
        self._market = market
        self._players = players or Players(market.seed)
        self._lock = threading.Lock()
        self._boards: OrderedDict[tuple[int, int], RoundBoard] = OrderedDict()
        self._results: OrderedDict[tuple[int, int, bytes], list[Score]] = OrderedDict()

    def scores(
        self, tournament: int, round_number: int, predictions: pd.Series[float], *, days: int
    ) -> list[Score]:
        """Return every score of the first `days` scoring days after the deadline, day by day.

        Predictions are matched by id and ranked; live ids without one count as the middle. What needs no returns has a
        value from day 1; the rest is None until the fourth day, and ends with its horizon.
        """
        with self._lock:
            board = self._board(tournament, round_number)
            aligned = _aligned(predictions, board.ids)
            key = (tournament, round_number, hashlib.sha256(aligned.tobytes()).digest())
            if key not in self._results:
                self._results[key] = _all_scores(board, aligned, tournament, round_number)
            self._results.move_to_end(key)
            while len(self._results) > _RESULTS_KEPT:
                self._results.popitem(last=False)
            return [score for score in self._results[key] if score.day <= days]

    def _board(self, tournament: int, round_number: int) -> RoundBoard:
        key = (tournament, round_number)
        if key not in self._boards:
            outcome = self._market.outcome(tournament, round_number)
            self._boards[key] = round_board(outcome, self._players.crowd, self._market.seed)
        self._boards.move_to_end(key)
        while len(self._boards) > _BOARDS_KEPT:
            self._boards.popitem(last=False)
        return self._boards[key]


def _aligned(predictions: pd.Series[float], ids: pd.Index[str]) -> FloatArray:
    """Return the ranks of predictions at the live ids, 0.5 where there is none."""
    return np.asarray(ranked(predictions.reindex(ids)).fillna(0.5), dtype=np.float64)


def _all_scores(board: RoundBoard, aligned: FloatArray, tournament: int, round_number: int) -> list[Score]:
    measured = {name: values[:, 0] for name, values in board.measure(gaussianised(aligned)[:, None]).items()}
    columns = _COLUMNS[Tournament(tournament)]
    rule = payout_rule(tournament, round_number)
    scores: list[Score] = []
    for day in range(1, max(column.horizon for column in columns) + LAG_DAYS + 1):
        today = [_score(board, measured, column, day) for column in columns if day <= column.horizon + LAG_DAYS]
        total = payout_score({score.display_name: score.value for score in today}, rule)
        if all(any(score.display_name == name for score in today) for name in rule.multipliers):
            today.append(Score("season_score", "v1", day, total, None))
        scores += today
    return scores


def _score(board: RoundBoard, measured: dict[str, FloatArray], column: _Column, day: int) -> Score:
    """Return a metric on a day: the value after as many days of returns as have come in."""
    row = 0 if column.measure in SINGLE_VALUED else day - LAG_DAYS - 1
    value = float(measured[column.measure][row]) if row >= 0 else np.nan
    if not np.isfinite(value):
        return Score(column.display_name, column.version, day, None, None)
    others = board.standings[column.measure][row]
    below = np.searchsorted(others, value, side="left") + np.searchsorted(others, value, side="right")
    return Score(column.display_name, column.version, day, value, float(below) / (2 * len(others)))
