"""Neutralisation: what is left of predictions when everything that features explain is taken out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_solve, cholesky

from numebot.core.metrics.ranks import FloatArray

ALIKE = 1e-4
"""Where less than this share of a column's length is news beside the columns before it, the slow, sure way is taken."""
CUT_OFF = 1e-6
"""Directions weaker than this share of the strongest are no directions. Source: numerai_tools.scoring.neutralize."""

EXACT_IN_FLOAT32 = 2**24
"""Whole numbers below this are exact in float32."""


def neutralised(rows: FloatArray, features: npt.NDArray[np.generic], proportion: float = 1.0) -> FloatArray:
    """Return rows without `proportion` of what features and a constant explain of them, by least squares.

    Shapes: rows (m, n), features (n, k) of any real dtype, result (m, n). A feature's missing values count as its mean.
    Constant rows become nan: nothing would be left of them but rounding. Source: numerai_tools.scoring.neutralize.
    """
    is_constant = rows.max(axis=1) == rows.min(axis=1)
    means = rows.mean(axis=1, keepdims=True)
    centred = rows - means
    left = rows - proportion * (means + _explained(centred, centred_columns(features), _products(features)))
    left[is_constant] = np.nan
    return np.asarray(left, dtype=np.float64)


def centred_columns(features: npt.NDArray[np.generic]) -> FloatArray:
    """Return features (n, k) as float64 without their means; missing values become the mean, 0."""
    values = np.array(features, dtype=np.float64, order="C")
    if not np.issubdtype(features.dtype, np.integer):
        is_missing = np.isnan(values)
        if is_missing.any():
            counts = np.maximum((~is_missing).sum(axis=0), 1)
            values = np.where(is_missing, np.nansum(values, axis=0) / counts, values)
    values -= values.mean(axis=0)
    return np.asarray(values, dtype=np.float64)


def _products(features: npt.NDArray[np.generic]) -> FloatArray | None:
    """Return the products of centred whole-numbered features (n, k) with each other, shape (k, k); None for others.

    Sums of small whole numbers are exact in float32, which takes half the time of float64.
    """
    if not np.issubdtype(features.dtype, np.integer) or not features.size:
        return None
    largest = max(abs(int(features.max())), abs(int(features.min())))
    if largest**2 * len(features) >= EXACT_IN_FLOAT32:
        return None
    whole = features.astype(np.float32)
    sums = features.sum(axis=0, dtype=np.int64).astype(np.float64)
    return np.asarray((whole.T @ whole).astype(np.float64) - np.outer(sums, sums / len(features)), dtype=np.float64)


def _explained(centred: FloatArray, columns: FloatArray, products: FloatArray | None) -> FloatArray:
    """Return the part of centred rows (m, n) that lies in the span of centred columns (n, k).

    The small matrix of the columns' products takes a fraction of the time of a decomposition of the columns. It squares
    their condition: where columns are (nearly) sums of others, the decomposition has to do it.
    """
    products = columns.T @ columns if products is None else products
    lengths = np.sqrt(np.diag(products))
    # A column that never changes (history that is missing) explains nothing; its length is rounding.
    varies = lengths > 1e-9 * max(float(lengths.max(initial=0.0)), 1e-300)
    if not varies.any():
        return np.zeros_like(centred)
    if not varies.all():
        columns, products, lengths = columns[:, varies], products[np.ix_(varies, varies)], lengths[varies]
    try:
        factor = cholesky(products / np.outer(lengths, lengths), lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        factor = np.zeros((1, 1))
    if np.diag(factor).min() < ALIKE:
        weights = np.linalg.lstsq(columns, centred.T, rcond=CUT_OFF)[0]
        return np.asarray((columns @ weights).T, dtype=np.float64)

    def projection(rows: FloatArray) -> FloatArray:
        solved = cho_solve((factor, True), (rows @ columns / lengths).T, check_finite=False).T
        return np.asarray((solved / lengths) @ columns.T, dtype=np.float64)

    first = projection(centred)
    # A second look at what is left takes the squared rounding of the products back to the last digits.
    return first + projection(centred - first)
