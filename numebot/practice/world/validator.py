"""Is an uploaded file a submission? The practice server's own judge, with the rules and classes Numerai publishes.

It is written apart from the checks numebot makes before an upload, so that the two can disagree and be noticed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pandas as pd

from numebot.core.types import Tournament

MINIMUM_TICKERS = 100
"""Valid ids a Signals or Crypto submission needs; Classic needs every live id."""

_SIGNALS_IDS = ("numerai_ticker", "composite_figi", "bloomberg_ticker", "ticker", "sedol")
_SIGNALS_EXTRAS = ("data_type", "date", "friday_date")
_MISSING = {"", "nan", "na", "n/a", "null", "none"}


class Invalid(Exception):
    """The file is no legal submission; the text begins with Numerai's class, e.g. invalid_submission_ids."""


@dataclass(frozen=True)
class ValidFile:
    """An accepted file: the predictions on live ids, and how many rows the file had in all."""

    predictions: pd.Series[float]
    rows: int


def validate(content: bytes, tournament: int, live_ids: pd.Index) -> ValidFile:
    """Return the predictions of a legal file, indexed by live id. Raises: Invalid."""
    frame, id_column, value_column = _table(content, tournament)
    ids = frame[id_column]
    if ids.str.strip().str.lower().isin(_MISSING - {"na", "null", "none"}).any():
        raise Invalid(f"invalid_submission_ids: Submission must not contain NaNs in the {id_column} column.")
    live = frame[ids.isin(live_ids.astype(str))]
    if live[id_column].duplicated().any():
        raise Invalid(f"invalid_submission_ids: Duplicates detected in {id_column} for live period.")
    needed = len(live_ids) if tournament == Tournament.CLASSIC else MINIMUM_TICKERS
    if len(live) < needed:
        raise Invalid(
            "invalid_submission_ids: Not enough stocks submitted."
            f" {len(live)} of the {len(frame)} ids are live, {needed} are needed."
            " Are you using the latest live ids or live universe?"
        )
    values = _values(live[value_column])
    return ValidFile(pd.Series(values, index=pd.Index(live[id_column], name=None), dtype=float), len(frame))


def read_values(content: bytes, tournament: int) -> pd.Series[float]:
    """Return every prediction of a file with legal headers and values, by id. Raises: Invalid."""
    frame, id_column, value_column = _table(content, tournament)
    if frame[id_column].duplicated().any():
        raise Invalid(f"invalid_submission_ids: Duplicates detected in {id_column}.")
    return pd.Series(_values(frame[value_column]), index=pd.Index(frame[id_column], name=None), dtype=float)


def _table(content: bytes, tournament: int) -> tuple[pd.DataFrame, str, str]:
    """Return the rows as text, the name of the id column and that of the value column."""
    id_columns, value_columns = _headers(tournament)
    expected = f"headers must be one of {list(id_columns)} and one of {list(value_columns)}"
    try:
        frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, index_col=False)
    except (ValueError, pd.errors.ParserWarning) as error:
        # ParserError, EmptyDataError and UnicodeDecodeError are ValueErrors: HTML, parquet, an empty or a ragged file
        raise Invalid(f"invalid_submission_headers: not readable as CSV; {expected}") from error
    if tournament == Tournament.SIGNALS:
        frame = frame.drop(columns=[column for column in frame.columns if column in _SIGNALS_EXTRAS])
    columns = [str(column) for column in frame.columns]
    if len(columns) != 2 or columns[0] not in id_columns or columns[1] not in value_columns:
        raise Invalid(f"invalid_submission_headers: {expected}; found {columns[:6]}")
    return frame, columns[0], columns[1]


def _headers(tournament: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if tournament == Tournament.SIGNALS:
        return _SIGNALS_IDS, ("prediction", "signal")
    if tournament == Tournament.CRYPTO:
        return ("symbol",), ("prediction", "signal")
    return ("id",), ("prediction", "probability")


def _values(texts: pd.Series[str]) -> np.ndarray:
    """Return the values as floats. Exact 0 and 1 pass, as they do at Numerai, although its text says exclusive."""
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
    if np.isnan(numbers).any():
        raise Invalid("invalid_submission_values: submission must not contain NaNs")
    if not ((numbers >= 0) & (numbers <= 1)).all():
        raise Invalid("invalid_submission_values: values must be between 0 and 1 exclusive")
    if len(numbers) < 2 or np.isclose(numbers.std(ddof=1), 0):
        raise Invalid("invalid_submission_values: submission must have non-zero standard deviation")
    return numbers
