"""The practice server's own judge of submissions, beside Numerai's published one."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from numerai_tools.submissions import (
    validate_submission_crypto,
    validate_submission_numerai,
    validate_submission_signals,
)

from numebot.practice.world.validator import Invalid, validate

LIVE = pd.Index([f"n{row:015x}" for row in range(150)])
HEADERS = "invalid_submission_headers"
VALUES = "invalid_submission_values"
IDS = "invalid_submission_ids"


def frame(tournament: int = 8, rows: int = 150) -> pd.DataFrame:
    column = {8: "id", 11: "numerai_ticker", 12: "symbol"}[tournament]
    return pd.DataFrame({column: LIVE[:rows], "prediction": np.linspace(0.1, 0.9, rows)})


def changed(row: int, value: object, column: str = "prediction") -> pd.DataFrame:
    table = frame().astype({column: object})
    table.loc[row, column] = value
    return table


CASES: list[tuple[str, int, pd.DataFrame, str | None]] = [
    ("a legal file", 8, frame(), None),
    ("probability in place of prediction", 8, frame().rename(columns={"prediction": "probability"}), None),
    ("shuffled rows", 8, frame().sample(frac=1, random_state=3), None),
    ("extra ids", 8, pd.concat([frame(), pd.DataFrame({"id": ["nx"], "prediction": [0.5]})]), None),
    ("exact zero and one", 8, changed(0, 0.0).assign(prediction=np.linspace(0, 1, 150)), None),
    ("a wrong header", 8, frame().rename(columns={"prediction": "prediction_rank"}), HEADERS),
    ("columns in the wrong order", 8, frame()[["prediction", "id"]], HEADERS),
    ("a third column", 8, frame().assign(era="X"), HEADERS),
    ("ids lost to the index", 8, frame()[["prediction"]], HEADERS),
    ("a missing value", 8, changed(3, None), VALUES),
    ("a value above one", 8, changed(3, 1.7), VALUES),
    ("a negative value", 8, changed(3, -0.2), VALUES),
    ("infinity", 8, changed(3, np.inf), VALUES),
    ("a constant", 8, frame().assign(prediction=0.5), VALUES),
    ("a missing id", 8, frame(rows=149), IDS),
    ("a duplicate live id", 8, changed(3, LIVE[4], "id"), IDS),
    ("ids of another round", 8, frame().assign(id=[f"m{row}" for row in range(150)]), IDS),
    ("enough tickers", 11, frame(11, rows=100), None),
    ("a date beside the ticker", 11, frame(11).assign(date="2026-11-20"), None),
    ("a signal column", 11, frame(11).rename(columns={"prediction": "signal"}), None),
    ("too few tickers", 11, frame(11, rows=99), IDS),
    ("a Classic id column in Signals", 11, frame(), HEADERS),
    ("enough tokens", 12, frame(12, rows=100), None),
    ("too few tokens", 12, frame(12, rows=99), IDS),
    ("a ticker column in Crypto", 12, frame(11), HEADERS),
]


@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # numerai-tools uses it with pandas 3
@pytest.mark.parametrize(
    ("tournament", "table", "expected"), [case[1:] for case in CASES], ids=[one[0] for one in CASES]
)
def test_the_verdict_and_its_class_agree_with_numerais_own_validator(
    tournament: int, table: pd.DataFrame, expected: str | None
) -> None:
    content = table.to_csv(index=False).encode()
    assert (_ours(content, tournament), _theirs(content, tournament)) == (expected, expected)


NO_TABLES = {
    "empty": b"",
    "html": b"<html>maintenance</html>",
    "parquet": b"PAR1\x00\xff\xfePAR1",
    "ragged": b'id,prediction\nn1,0.5,0.6,0.7\nn2,"0.4\n',
    "header only": b"id,prediction",
}


@pytest.mark.parametrize("content", NO_TABLES.values(), ids=NO_TABLES)
def test_what_is_no_table_at_all_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(Invalid, match=r"invalid_submission_(headers|ids)"):
        validate(content, 8, LIVE)


def test_a_token_named_na_is_an_id_like_any_other() -> None:
    live = pd.Index(["NA", "null", *[f"T{row}" for row in range(120)]])
    table = pd.DataFrame({"symbol": live, "prediction": np.linspace(0.1, 0.9, len(live))})
    assert list(validate(table.to_csv(index=False).encode(), 12, live).predictions.index) == list(live)


def test_the_accepted_values_are_those_of_the_live_ids() -> None:
    table = pd.concat([frame(), pd.DataFrame({"id": ["nx"], "prediction": [0.5]})])
    valid = validate(table.to_csv(index=False).encode(), 8, LIVE)
    assert (valid.rows, len(valid.predictions)) == (151, 150)
    assert valid.predictions[LIVE[0]] == pytest.approx(0.1)


def _ours(content: bytes, tournament: int) -> str | None:
    try:
        validate(content, tournament, LIVE)
    except Invalid as error:
        return str(error).partition(":")[0]
    return None


def _theirs(content: bytes, tournament: int) -> str | None:
    table = pd.read_csv(io.BytesIO(content))
    try:
        if tournament == 8:
            validate_submission_numerai(pd.Series(LIVE), table)
        elif tournament == 11:
            columns = ("numerai_ticker", "composite_figi", "bloomberg_ticker", "ticker", "sedol")
            validate_submission_signals(pd.DataFrame(dict.fromkeys(columns, LIVE)), table)
        else:
            validate_submission_crypto(pd.DataFrame({"symbol": LIVE}), table)
    except AssertionError as error:
        return str(error).partition(":")[0]
    return None
