"""What a row of era scores says: mean, spread, Sharpe, drawdown."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd


def max_drawdown(era_scores: pd.Series[float]) -> float:
    """Return the deepest fall of the running sum from its highest point so far, as a positive number."""
    running = era_scores.dropna().cumsum()
    return float((running.cummax() - running).max()) if len(running) else math.nan


def drawdowns(era_scores: pd.Series[float]) -> pd.Series[float]:
    """Return how far the running sum lies below its highest point so far, era by era, as numbers up to 0."""
    running = era_scores.dropna().cumsum()
    return running - running.cummax()


def summary(era_scores: pd.Series[float]) -> dict[str, float]:
    """Return mean, std (ddof 1), sharpe and max_drawdown of era scores; nan where too few eras are known."""
    mean, std = float(era_scores.mean()), float(era_scores.std(ddof=1))
    return {
        "mean": mean,
        "std": std,
        "sharpe": mean / std if std > 0 else math.nan,
        "max_drawdown": max_drawdown(era_scores),
    }


def autocorrelation(era_scores: pd.Series[float]) -> float:
    """Return the correlation of each known era's score with the next one's; nan for fewer than three eras."""
    known = era_scores.dropna().to_numpy(dtype=np.float64)
    if len(known) < 3 or known[1:].std() == 0 or known[:-1].std() == 0:
        return math.nan
    return float(np.corrcoef(known[:-1], known[1:])[0, 1])


def adjusted_sharpe(era_scores: pd.Series[float]) -> float:
    """Return the Sharpe ratio over the penalty √(1 + 2·Σ (n - i)/n·ρ^i) for scores that hang on the era before.

    ρ is the autocorrelation. Overlapping targets make neighbouring eras alike, so that plain Sharpe flatters.
    Source: "smart Sharpe" of Numerai's analysis notebooks.
    """
    plain, rho, count = summary(era_scores)["sharpe"], autocorrelation(era_scores), int(era_scores.count())
    steps = np.arange(1, count)
    penalty = 1 + 2 * float(((count - steps) / count * rho**steps).sum()) if count else math.nan
    return plain / math.sqrt(penalty) if penalty > 0 else math.nan


def summaries(era_scores: pd.DataFrame) -> pd.DataFrame:
    """Return a row of figures per column of `era_scores` (eras × models).

    eras (how many are known), sum, mean, std, sharpe, adjusted_sharpe, autocorrelation, max_drawdown.
    """
    rows = {
        str(name): {
            "eras": float(column.count()),
            "sum": float(column.sum(min_count=1)),
            **summary(column),
            "adjusted_sharpe": adjusted_sharpe(column),
            "autocorrelation": autocorrelation(column),
        }
        for name, column in era_scores.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")
