"""Is this a legal and sane submission? Real errors, never asserts: they hold under `python -O` as well.

The rules follow Numerai's own validator (numerai_tools.submissions 0.7.2). numebot is stricter on purpose where that
validator or the tournament lets something pass that can only be a fault of ours:

* Classic files are headed exactly `id,prediction` ("probability" is legal, but we never write it); Signals files have
  no date column;
* ids that are not live ids are refused (Numerai ignores them), in every tournament;
* exact 0 and 1 are refused (the documentation says exclusive, the validator lets them pass);
* a standard deviation below `MINIMUM_SPREAD` is refused, a single row included.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.core.errors import CheckFailed
from numebot.core.features import listed
from numebot.core.types import Tournament

MARGIN = 1e-6
"""Predictions that need no ranking are clipped to this distance from 0 and 1."""

MINIMUM_SPREAD = 1e-6
"""Standard deviation below which predictions count as constant; Numerai's own limit is about 1e-8."""

MINIMUM_TICKERS = 100
"""Live ids that a Signals or Crypto submission needs at least. Source: numerai_tools.submissions."""

HEADERS: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Tournament.CLASSIC: (("id",), ("prediction",)),
    Tournament.SIGNALS: (
        ("numerai_ticker", "composite_figi", "bloomberg_ticker", "ticker", "sedol"),
        ("prediction", "signal"),
    ),
    Tournament.CRYPTO: (("symbol",), ("prediction", "signal")),
}
"""Allowed names of the id column and of the value column."""


def to_submission(predictions: pd.Series, ids: pd.Index, scale: str | None = "rank") -> pd.Series:
    """Return predictions as they are submitted: floats strictly inside (0, 1), in the order of `ids`.

    `scale="rank"` takes any numbers: (average rank - 0.5) / n. `scale=None` keeps the plugin's own numbers, which must
    lie in [0, 1]; they are only clipped to `MARGIN` from both ends.
    Shapes: predictions (n,), index = ids in any order; result (n,) float64 named "prediction".
    Raises: CheckFailed for missing, extra or repeated ids, NaN or infinite values, or numbers outside [0, 1].
    """
    problems = _id_problems(predictions.index, ids, "predictions", minimum=len(ids))
    values = predictions.to_numpy(dtype=float)
    problems += _number_problems(predictions.index, values)
    outside = (values < 0) | (values > 1)
    if scale is None and outside.any():
        problems.append(
            f"values: {outside.sum()} of {len(values)} lie outside [0, 1]:"
            f" {_examples(predictions.index, values, outside)}."
            ' With scale = None they have to lie inside; scale = "rank" takes any numbers.'
        )
    _raise(problems, "predictions")
    ordered = pd.Series(values, index=predictions.index.astype(str), dtype=float).reindex(ids.astype(str))
    legal = ordered.clip(MARGIN, 1 - MARGIN) if scale is None else (ordered.rank(method="average") - 0.5) / len(ordered)
    legal.index = ids
    return legal.rename("prediction")


def submission_csv(submission: pd.Series, *, id_column: str = "id") -> bytes:
    """Return the bytes of the file that is uploaded: the same series gives the same bytes, on any machine.

    The id is a column of its own and each number is the shortest text that reads back as the same float.
    Raises: CheckFailed when an id would break the line it stands in.
    """
    ids = [str(id) for id in submission.index]
    broken = [repr(id) for id in ids if not id or any(character in ',"\r\n' for character in id)]
    if broken:
        raise CheckFailed(f"submission: {len(broken)} ids cannot stand in a CSV line: {listed(broken)}.")
    numbers = submission.to_numpy(dtype=float).tolist()
    lines = [f"{id},{number!r}" for id, number in zip(ids, numbers, strict=True)]
    return "\n".join([f"{id_column},prediction", *lines, ""]).encode()


def read_submission(content: bytes) -> pd.DataFrame:
    """Read a submission file back: ids as text, exactly as they stand there (a ticker may be called "NA").

    A column with anything but numbers in it stays text, for `check_submission` to refuse.
    Raises: CheckFailed when it is not a CSV file with as many fields in each line as in the header.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CheckFailed(f"submission: not a CSV file ({error}).") from error
    if not rows:
        raise CheckFailed("submission: the file is empty.")
    header, *lines = rows
    ragged = [number for number, line in enumerate(lines, start=2) if len(line) != len(header)]
    if ragged:
        raise CheckFailed(
            f"submission: {len(ragged)} lines do not have the {len(header)} fields of the header:"
            f" line {listed(ragged)}."
        )
    frame = pd.DataFrame(lines, columns=header, dtype=object)
    for position in range(1, len(header)):
        numbers = [_number(text) for text in frame.iloc[:, position]]
        if None not in numbers:
            frame.isetitem(position, np.array(numbers, dtype=float))
    return frame


def _number(text: str) -> float | None:
    if text.strip().lower() in ("", "nan", "null"):
        return float("nan")
    try:
        return None if "_" in text else float(text)  # Python alone reads 1_000 as a number
    except ValueError:
        return None


def check_submission(frame: pd.DataFrame, live_ids: Iterable[str], tournament: int = Tournament.CLASSIC) -> list[str]:
    """Return everything that is wrong with a submission file; an empty list means that it may be uploaded.

    `frame` is the file with the id as a column, `live_ids` are the ids of this round's live file. Each problem says
    where it lies (header, rows, ids, values, spread), how many rows it concerns and up to three of them.
    Source: numerai_tools.submissions; docs.numer.ai, submissions page (2026).
    """
    id_columns, value_columns = HEADERS.get(tournament, HEADERS[Tournament.CLASSIC])
    columns = [str(column) for column in frame.columns]
    if len(columns) != 2 or columns[0] not in id_columns or columns[1] not in value_columns:
        hint = " Are the ids in the index?" if columns and columns[0] in value_columns else ""
        return [
            f"header: found {','.join(columns) or 'nothing'}; allowed: {' or '.join(id_columns)},"
            f" then {' or '.join(value_columns)}.{hint}"
        ]
    live = pd.Index(live_ids)
    if not len(frame):
        return [f"rows: the file is empty; this round has {len(live)} live ids."]
    ids = pd.Index(frame[columns[0]])
    minimum = len(live) if tournament == Tournament.CLASSIC else MINIMUM_TICKERS
    return _id_problems(ids, live, "file", minimum=minimum) + _value_problems(ids, frame[columns[1]])


def require_submission(frame: pd.DataFrame, live_ids: Iterable[str], tournament: int = Tournament.CLASSIC) -> None:
    """Raise CheckFailed with every problem that `check_submission` finds."""
    _raise(check_submission(frame, live_ids, tournament), "submission")


def _raise(problems: list[str], what: str) -> None:
    if problems:
        raise CheckFailed(f"{what}: {' '.join(problems)} Nothing is uploaded.", problems)


def _id_problems(found: pd.Index, live: pd.Index, what: str, *, minimum: int) -> list[str]:
    """Return how ids differ from the live ones; `minimum` is how many live ids must be there."""
    empty = found.isna() | (found.astype(str) == "")
    ids, live = found[~empty].astype(str), live.astype(str)
    problems = []
    if empty.any():
        problems.append(f"ids: {empty.sum()} of {len(found)} rows of the {what} have no id.")
    repeated = ids[ids.duplicated()].unique()
    if len(repeated):
        problems.append(f"ids: {len(repeated)} stand more than once: {listed(repeated)}.")
    extra = ids[~ids.isin(live)].unique()
    missing = live[~live.isin(ids)]
    if len(extra) and len(extra) == ids.nunique():
        another = f"ids: none of the {len(extra)} ids is live in this round ({listed(extra)}): another round's?"
        return [*problems, another]
    if len(extra):
        problems.append(f"ids: {len(extra)} are not live in this round: {listed(extra)}.")
    if len(live) - len(missing) < minimum:
        needed = "" if minimum == len(live) else f" (at least {minimum} are needed)"
        problems.append(f"ids: {len(missing)} of {len(live)} live ids are missing{needed}: {listed(missing)}.")
    return problems


def _value_problems(ids: pd.Index, column: pd.Series) -> list[str]:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        examples = listed(repr(value) for value in column[:3])
        return [f"values: the column is of type {column.dtype}, not numbers: {examples}."]
    values = column.to_numpy(dtype=float, na_value=np.nan)
    problems = _number_problems(ids, values)
    outside = np.isfinite(values) & ((values <= 0) | (values >= 1))
    if outside.any():
        problems.append(
            f"values: {outside.sum()} of {len(values)} are not strictly between 0 and 1:"
            f" {_examples(ids, values, outside)}."
        )
    if not problems and float(np.std(values)) < MINIMUM_SPREAD:
        problems.append(f"spread: all {len(values)} values are (nearly) the same, {float(values[0])!r}.")
    return problems


def _number_problems(ids: pd.Index, values: npt.NDArray[np.float64]) -> list[str]:
    problems = []
    for name, wrong in (("NaN", np.isnan(values)), ("infinite", np.isinf(values))):
        if wrong.any():
            problems.append(f"values: {wrong.sum()} of {len(values)} are {name}: {_examples(ids, values, wrong)}.")
    return problems


def _examples(ids: pd.Index, values: npt.NDArray[np.float64], wrong: npt.NDArray[np.bool_]) -> str:
    return listed(f"{id} = {value!r}" for id, value in zip(ids[wrong].astype(str), values[wrong].tolist(), strict=True))
