"""Numerai's scores as pure functions: of one model in one era, of many models in many eras, and what eras say in sum.

They agree with numerai_tools.scoring (0.7) to rounding; a contract test holds them to it.
"""

from numebot.core.metrics.exposure import Exposures
from numebot.core.metrics.neutral import neutralised
from numebot.core.metrics.payout import era_payouts
from numebot.core.metrics.ranks import FloatArray, gaussian_rows
from numebot.core.metrics.single import (
    MAX_LOST_SHARE,
    contribution,
    era_corr,
    gaussianised,
    numerai_corr,
    orthogonalised,
    pearson,
    ranked,
    tails_weighted,
)
from numebot.core.metrics.summaries import adjusted_sharpe, autocorrelation, drawdowns, max_drawdown, summaries, summary
from numebot.core.metrics.table import EraTable

__all__ = [
    "MAX_LOST_SHARE",
    "EraTable",
    "Exposures",
    "FloatArray",
    "adjusted_sharpe",
    "autocorrelation",
    "contribution",
    "drawdowns",
    "era_corr",
    "era_payouts",
    "gaussian_rows",
    "gaussianised",
    "max_drawdown",
    "neutralised",
    "numerai_corr",
    "orthogonalised",
    "pearson",
    "ranked",
    "summaries",
    "summary",
    "tails_weighted",
]
