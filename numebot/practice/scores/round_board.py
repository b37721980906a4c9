"""Everything of a round that predictions are measured against, and how the other players did.

All metrics are products of one prediction matrix with matrices of the round, so that the scores of every day and of
every player come from a handful of multiplications.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.core.metrics import gaussianised, tails_weighted
from numebot.practice.market.crowd import Crowd, meta_model, player_predictions
from numebot.practice.market.market import Outcome

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RoundBoard:
    """The round's side of every metric. n rows, p players; targets by day of returns, shape (60, n).

    `tails` are standardised powered targets, `centred` the targets times four, `basis` an orthonormal basis of the
    neutralizers and the constant. `players` are standardised predictions (n, p); `standings` holds each metric of each
    player, sorted per day: (60, p), or (1, p) for the single-valued ones.
    """

    ids: pd.Index[str]
    tails: FloatArray
    centred: FloatArray
    meta: FloatArray
    benchmark: FloatArray
    basis: FloatArray
    players: FloatArray
    standings: dict[str, FloatArray]

    def measure(self, predictions: FloatArray, *, are_players: bool = False) -> dict[str, FloatArray]:
        """Return every metric of gaussianised predictions (n, m) by name, shape (60 or 1, m).

        nan for constant predictions. Players are not compared with themselves.
        """
        count = len(self.ids)
        powered = tails_weighted(predictions)
        neutral = _neutralised(predictions, self.basis)
        weights = _neutralised(powered, self.basis)
        portfolio = _neutralised(tails_weighted(self.meta)[:, None], self.basis)[:, 0]
        own_portfolio = _orthogonal(weights - weights.mean(axis=0), portfolio)
        targets = self.centred / 4
        likeness = self.players.T @ _standardised(predictions) / count
        compared = len(likeness) - int(are_players)
        average = (likeness.sum(axis=0, keepdims=True) - int(are_players)) / compared
        if are_players:
            np.fill_diagonal(likeness, -1.0)
        return {
            "corr": self.tails @ _standardised(powered) / count,
            "mmc": self.centred @ _orthogonal(predictions, self.meta) / count,
            "bmc": self.centred @ _orthogonal(predictions, self.benchmark) / count,
            # Rounded, so that equal predictions of equal rows are still equal after the projection.
            "fnc": self.tails @ _standardised(tails_weighted(gaussianised(neutral.round(9)))) / count,
            "alpha": targets @ weights / count,
            "mpc": targets @ own_portfolio / (np.linalg.norm(portfolio) or 1.0) / 50,
            "corr_w_meta_model": (_standardised(self.meta[:, None]).T @ _standardised(predictions)) / count,
            "average_with_players": average,
            "most_with_players": likeness.max(axis=0, keepdims=True),
        }


def round_board(outcome: Outcome, members: Crowd, seed: int) -> RoundBoard:
    """Return the board of a round: targets, meta model and the scores of all players."""
    predictions = player_predictions(members, seed, outcome.key, outcome.known)
    players = gaussianised(predictions.T)
    targets = outcome.targets.astype(np.float64)
    centred = 4 * (targets - targets.mean(axis=1, keepdims=True))
    board = RoundBoard(
        ids=outcome.ids,
        tails=_standardised(tails_weighted(centred / 4).T).T,
        centred=centred,
        meta=gaussianised(meta_model(members, predictions)),
        benchmark=gaussianised(outcome.benchmark),
        basis=_basis(outcome.neutralizers.astype(np.float64)),
        players=_standardised(players),
        standings={},
    )
    for name, values in board.measure(players, are_players=True).items():
        board.standings[name] = np.sort(values, axis=1)
    return board


def _basis(columns: FloatArray) -> FloatArray:
    """Return an orthonormal basis of the columns and the constant; constant and repeated columns add nothing.

    At most one column for four rows is taken: more would explain any predictions away, which only tiny rounds meet.
    """
    columns = columns[:, : len(columns) // 4]
    stacked = np.column_stack([np.ones(len(columns)), columns - columns.mean(axis=0)])
    # By the small Gram matrix: a decomposition of the tall one takes seconds for Numerai's 400 columns.
    sizes, directions = np.linalg.eigh(stacked.T @ stacked)
    is_real = sizes > sizes[-1] * 1e-9
    return np.asarray(stacked @ (directions[:, is_real] / np.sqrt(sizes[is_real])), dtype=np.float64)


def _neutralised(predictions: FloatArray, basis: FloatArray) -> FloatArray:
    return np.asarray(predictions - basis @ (basis.T @ predictions), dtype=np.float64)


def _orthogonal(predictions: FloatArray, reference: FloatArray) -> FloatArray:
    """Return columns without their projection on `reference` (n,)."""
    size = float(reference @ reference)
    return np.asarray(predictions - np.outer(reference, reference @ predictions) / (size or 1.0), dtype=np.float64)


def _standardised(columns: FloatArray) -> FloatArray:
    """Return columns with mean 0 and deviation 1; constant ones become nan."""
    centred = columns - columns.mean(axis=0)
    deviation = centred.std(axis=0)
    return np.asarray(centred / np.where(deviation > 1e-12, deviation, np.nan), dtype=np.float64)
