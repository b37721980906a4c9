"""Daily scores of uploaded predictions, with percentiles among the other players."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.core.metrics import gaussianised, ranked
from numebot.practice.market.market import Market
from numebot.practice.recent import Recent
from numebot.practice.scores.metrics import LAG_DAYS, SEASON_SCORE, Metric, Score, metrics
from numebot.practice.scores.payouts import payout_rule, payout_score
from numebot.practice.scores.players import Players
from numebot.practice.scores.round_board import RoundBoard, round_board
from numebot.practice.scores.shelf import ScoreShelf

FloatArray = npt.NDArray[np.float64]

_BOARDS_KEPT = 4
_RESULTS_KEPT = 2048


class Scorer:
    """Scores predictions of any round. Equal predictions get equal scores, today and after a restart."""

    def __init__(self, market: Market, players: Players | None = None, *, shelf: ScoreShelf | None = None) -> None:
        """`players` are those whose stakes make the meta model; by default the ones of the market's own seed.

        What was worked out once stands on the `shelf`, so that a restart does not begin anew with seasons of rounds.
        """
        self._market = market
        self._shelf = shelf
        self._players = players or Players(market.seed)
        self._boards: Recent[tuple[int, int], RoundBoard] = Recent(_BOARDS_KEPT)
        self._results: Recent[tuple[int, int, bytes], list[Score]] = Recent(_RESULTS_KEPT)

    def scores(
        self, tournament: int, round_number: int, predictions: pd.Series[float], *, days: int
    ) -> list[Score]:
        """Return every score of the first `days` scoring days after the deadline, day by day.

        Predictions are matched by id and ranked; live ids without one count as the middle. What needs no returns has a
        value from day 1; the rest is None until the fourth day, and ends with its horizon.
        """
        aligned = _aligned(predictions, self._market.ids(tournament, round_number))
        digest = hashlib.sha256(aligned.tobytes()).digest()
        key = (tournament, round_number, digest)
        known = self._results.get(key, lambda: self._kept(tournament, round_number, digest, aligned))
        return [score for score in known if score.day <= days]

    def _kept(self, tournament: int, round_number: int, digest: bytes, aligned: FloatArray) -> list[Score]:
        """Return all scores from the shelf, worked out and put there when they are not on it."""
        name = f"{tournament}-{round_number}-{digest.hex()[:32]}"
        found = self._shelf.scores(name) if self._shelf is not None else None
        if found is None:
            board = self._boards.get((tournament, round_number), lambda: self._board(tournament, round_number))
            found = _all_scores(board, aligned, tournament, round_number)
            if self._shelf is not None:
                self._shelf.keep(name, found)
        return found

    def _board(self, tournament: int, round_number: int) -> RoundBoard:
        return round_board(self._market.outcome(tournament, round_number), self._players.crowd, self._market.seed)


def _aligned(predictions: pd.Series[float], ids: pd.Index[str]) -> FloatArray:
    """Return the ranks of predictions at the live ids, 0.5 where there is none."""
    return np.asarray(ranked(predictions.reindex(ids)).fillna(0.5), dtype=np.float64)


def _all_scores(board: RoundBoard, aligned: FloatArray, tournament: int, round_number: int) -> list[Score]:
    measured = {name: values[:, 0] for name, values in board.measure(gaussianised(aligned)[:, None]).items()}
    shown = metrics(tournament)
    rule = payout_rule(tournament, round_number)
    scores: list[Score] = []
    for day in range(1, max(metric.days for metric in shown) + LAG_DAYS + 1):
        today = [_score(board, measured, metric, day) for metric in shown if day <= metric.days + LAG_DAYS]
        total = payout_score({score.display_name: score.value for score in today}, rule)
        if all(any(score.display_name == name for score in today) for name in rule.multipliers):
            today.append(Score(SEASON_SCORE, "v1", day, total, None))
        scores += today
    return scores


def _score(board: RoundBoard, measured: dict[str, FloatArray], metric: Metric, day: int) -> Score:
    """Return a metric on a day: the value after as many days of returns as have come in."""
    row = day - LAG_DAYS - 1 if metric.needs_returns else 0
    value = float(measured[metric.measure][row]) if row >= 0 else np.nan
    if not np.isfinite(value):
        return Score(metric.display_name, metric.version, day, None, None)
    others = board.standings[metric.measure][row]
    below = np.searchsorted(others, value, side="left") + np.searchsorted(others, value, side="right")
    return Score(metric.display_name, metric.version, day, value, float(below) / (2 * len(others)))
