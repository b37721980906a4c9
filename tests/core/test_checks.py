from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numerai_tools.submissions as official
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numebot.core.checks import (
    MARGIN,
    check_submission,
    read_submission,
    require_submission,
    submission_csv,
    to_submission,
)
from numebot.core.errors import CheckFailed
from numebot.core.types import Tournament

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("NUMEBOT_SHARED_DATA", ROOT / "../shared/data"))
LIVE = [f"n{number:015x}" for number in range(200)]
GOOD = np.linspace(0.01, 0.99, len(LIVE)).tolist()
TICKERS = [f"T{number} US" for number in range(300)]

# Numerai's validator of Signals changes its argument in place, which newer pandas announces to end.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")

needs_real_data = pytest.mark.skipif(
    not REAL.is_dir(), reason="real Numerai files: set NUMEBOT_SHARED_DATA to a folder that holds them"
)


def table(ids: list[object] = LIVE, values: list[object] = GOOD, header: str = "id,prediction") -> pd.DataFrame:
    names = header.split(",")
    return pd.DataFrame({names[0]: list(ids), names[1]: list(values)})


def with_value(value: object, position: int = 7) -> pd.DataFrame:
    return table(values=[*GOOD[:position], value, *GOOD[position + 1 :]])


def official_refusal(frame: pd.DataFrame, live: list[str], tournament: int) -> str | None:
    """Return why Numerai's own validator refuses a file, or None; it changes its argument, so it gets a copy."""
    frame = frame.copy()
    try:
        if tournament == Tournament.CLASSIC:
            official.validate_submission_numerai(pd.Series(live), frame)
        elif tournament == Tournament.SIGNALS:
            universe = pd.DataFrame(dict.fromkeys(official.SIGNALS_ALLOWED_ID_COLS, live))
            official.validate_submission_signals(universe, frame)
        else:
            official.validate_submission_crypto(pd.DataFrame({"symbol": live}), frame)
    except AssertionError as error:
        return str(error)
    except TypeError as error:  # it compares text with numbers
        return str(error)
    return None


def test_a_legal_file_has_no_problem_in_any_order() -> None:
    assert check_submission(table(), LIVE) == []
    assert check_submission(table().sample(frac=1, random_state=3), LIVE) == []


BROKEN = {
    "no rows": (table([], []), "rows: the file is empty"),
    "prediction_rank": (table(header="id,prediction_rank"), "header: found id,prediction_rank"),
    "swapped columns": (table()[["prediction", "id"]], "header: found prediction,id"),
    "ids in the index": (table().set_index("id"), "Are the ids in the index?"),
    "third column": (table().assign(era="X"), "header: found id,prediction,era"),
    "missing ids": (table(LIVE[5:], GOOD[5:]), "ids: 5 of 200 live ids are missing"),
    "repeated id": (table([*LIVE[:-1], LIVE[0]]), f"ids: 1 stand more than once: {LIVE[0]}"),
    "another round": (table([f"o{id}" for id in LIVE]), "none of the 200 ids is live in this round"),
    "id is NaN": (table([np.nan, *LIVE[1:]]), "1 of 200 rows of the file have no id"),
    "NaN": (with_value(float("nan")), f"1 of 200 are NaN: {LIVE[7]} = nan"),
    "infinite": (with_value(float("inf")), f"1 of 200 are infinite: {LIVE[7]} = inf"),
    "below 0": (with_value(-0.2), f"not strictly between 0 and 1: {LIVE[7]} = -0.2"),
    "above 1": (with_value(13.0), "not strictly between 0 and 1"),
    "text": (with_value("0,5"), "not numbers"),
    "constant": (table(values=[0.5] * len(LIVE)), "spread: all 200 values are (nearly) the same, 0.5"),
    "nearly constant": (table(values=[0.5, *[0.5 + 1e-12] * (len(LIVE) - 1)]), "spread:"),
}

STRICTER = {
    "probability": (table(header="id,probability"), "header:"),
    "exact 0": (with_value(0.0), "not strictly between 0 and 1"),
    "exact 1": (with_value(1.0), "not strictly between 0 and 1"),
    "hardly above 1": (with_value(1.0000000000002), "not strictly between 0 and 1"),
    "just below 0": (with_value(-1e-12), "not strictly between 0 and 1"),
    "extra ids": (table([*LIVE, "n" + "f" * 15], [*GOOD, 0.4]), "ids: 1 are not live in this round"),
    "tiny spread": (table(values=[0.5, *[0.5 + 1e-6] * (len(LIVE) - 1)]), "spread:"),
}
"""What the official validator lets pass and numebot refuses; the module's docstring says why."""


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_here_and_by_numerai(name: str) -> None:
    frame, words = BROKEN[name]
    problems = check_submission(frame, LIVE)
    assert words in " ".join(problems)
    assert official_refusal(frame, LIVE, Tournament.CLASSIC) is not None


@pytest.mark.parametrize("name", STRICTER)
def test_where_numebot_is_stricter_on_purpose(name: str) -> None:
    frame, words = STRICTER[name]
    assert words in " ".join(check_submission(frame, LIVE))
    assert official_refusal(frame, LIVE, Tournament.CLASSIC) is None


values = st.one_of(
    st.floats(0.001, 0.999), st.sampled_from([0.0, 1.0, -0.1, 1.5, float("nan"), float("inf"), 0.5, 1e-9])
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*LIVE[:6], "n" + "e" * 15]), values), max_size=9))
def test_what_numebot_accepts_numerai_accepts(rows: list[tuple[str, float]]) -> None:
    live = LIVE[:4]
    frame = pd.DataFrame(rows, columns=["id", "prediction"])
    if not check_submission(frame, live):
        assert official_refusal(frame, live, Tournament.CLASSIC) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0, 1.2, float("nan")]), min_size=4, max_size=4))
def test_disagreements_are_only_the_documented_ones(numbers: list[float]) -> None:
    frame = table(LIVE[:4], numbers)
    ours, theirs = check_submission(frame, LIVE[:4]), official_refusal(frame, LIVE[:4], Tournament.CLASSIC)
    if (not ours) != (theirs is None):
        assert theirs is None
        assert {0.0, 1.0} & set(numbers)


@pytest.mark.parametrize(
    ("tournament", "header"), [(Tournament.SIGNALS, "numerai_ticker,signal"), (Tournament.CRYPTO, "symbol,prediction")]
)
def test_signals_and_crypto_need_a_hundred_live_ids(tournament: Tournament, header: str) -> None:
    enough = table(TICKERS[:100], GOOD[:100], header)
    few = table(TICKERS[:99], GOOD[:99], header)
    assert check_submission(enough, TICKERS, tournament) == []
    assert official_refusal(enough, TICKERS, tournament) is None
    assert "201 of 300 live ids are missing (at least 100 are needed)" in " ".join(
        check_submission(few, TICKERS, tournament)
    )
    assert official_refusal(few, TICKERS, tournament) is not None
    assert "header:" in check_submission(table(TICKERS[:100], GOOD[:100]), TICKERS, tournament)[0]


def test_every_problem_is_reported_at_once() -> None:
    frame = table([*LIVE[1:-1], LIVE[1]], [float("nan"), 2.0, *GOOD[3:]])
    with pytest.raises(CheckFailed) as refusal:
        require_submission(frame, LIVE)
    assert len(refusal.value.problems) == 4
    assert "Nothing is uploaded" in str(refusal.value)


def test_messages_name_three_examples_and_count_the_rest() -> None:
    (problem,) = check_submission(table(LIVE[9:], GOOD[9:]), LIVE)
    assert problem.endswith(f"{LIVE[0]}, {LIVE[1]}, {LIVE[2]} and 6 more.")


def test_the_checks_hold_when_python_drops_asserts() -> None:
    script = (
        "import sys, pandas as pd\n"
        "from numebot.core.checks import require_submission\n"
        "from numebot.core.errors import CheckFailed\n"
        "frame = pd.DataFrame({'id': ['a', 'b'], 'prediction': [0.2, float('nan')]})\n"
        "try:\n    require_submission(frame, ['a', 'b'])\n"
        "except CheckFailed as refusal:\n    print(sys.flags.optimize, refusal)\n"
    )
    answer = subprocess.run([sys.executable, "-O", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.startswith("1 submission: values: 1 of 2 are NaN: b = nan.")


@settings(deadline=None)
@given(st.sets(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=50).map(list))
def test_any_finite_numbers_become_a_legal_submission_of_the_same_order(numbers: list[float]) -> None:
    ids = pd.Index(LIVE[: len(numbers)], name="id")
    submission = to_submission(pd.Series(numbers, index=ids), ids)
    assert check_submission(submission.rename_axis("id").reset_index(), ids) == []
    assert submission.rank().tolist() == pd.Series(numbers, index=ids).rank().tolist()


def test_ranks_are_average_ranks_of_the_middle() -> None:
    ids = pd.Index(["a", "b", "c", "d"])
    submission = to_submission(pd.Series([10.0, -3.0, 10.0, 99.0], index=ids), ids)
    assert submission.tolist() == [0.5, 0.125, 0.5, 0.875]
    assert submission.name == "prediction"


def test_shuffled_predictions_find_their_ids() -> None:
    ids = pd.Index(LIVE)
    shuffled = pd.Series(GOOD, index=ids).sample(frac=1, random_state=1)
    submission = to_submission(shuffled, ids, scale=None)
    assert submission.tolist() == GOOD
    assert submission.index.equals(ids)


def test_own_scale_is_only_clipped() -> None:
    ids = pd.Index(["a", "b", "c"])
    assert to_submission(pd.Series([0.0, 0.3, 1.0], index=ids), ids, None).tolist() == [MARGIN, 0.3, 1 - MARGIN]
    with pytest.raises(CheckFailed, match=r"2 of 3 lie outside \[0, 1\]: a = -0.5, c = 4.0"):
        to_submission(pd.Series([-0.5, 0.3, 4.0], index=ids), ids, None)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_ranking_does_not_hide_numbers_that_are_none(wrong: float) -> None:
    ids = pd.Index(["a", "b", "c"])
    with pytest.raises(CheckFailed, match="1 of 3 are"):
        to_submission(pd.Series([0.1, wrong, 0.3], index=ids), ids)


def test_a_missing_extra_or_repeated_id_is_no_submission() -> None:
    ids = pd.Index(["a", "b", "c"])
    cases = {"missing": ["a", "b"], "not live": ["a", "b", "c", "x"], "more than once": ["a", "b", "c", "c"]}
    for words, found in cases.items():
        with pytest.raises(CheckFailed, match=words):
            to_submission(pd.Series(np.arange(len(found), dtype=float), index=found), ids)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, exclude_min=True, exclude_max=True), min_size=1, max_size=40))
def test_the_file_reads_back_bit_for_bit_and_is_the_same_every_time(numbers: list[float]) -> None:
    submission = pd.Series(numbers, index=pd.Index(LIVE[: len(numbers)], name="id"), name="prediction")
    content = submission_csv(submission)
    assert content == submission_csv(submission.copy())
    frame = read_submission(content)
    assert frame["prediction"].tolist() == numbers
    assert frame["id"].tolist() == LIVE[: len(numbers)]
    pandas_view = pd.read_csv(io.BytesIO(content))
    assert list(pandas_view.columns) == ["id", "prediction"]


def test_the_file_starts_with_the_header_whatever_the_index_is_called() -> None:
    series = pd.Series([0.25, 0.75], index=pd.Index(["a", "b"], name="whatever"))
    assert submission_csv(series) == b"id,prediction\na,0.25\nb,0.75\n"
    assert submission_csv(series, id_column="symbol").startswith(b"symbol,prediction\n")


def test_an_id_that_would_break_its_line_is_refused() -> None:
    with pytest.raises(CheckFailed, match=r"1 ids cannot stand in a CSV line: 'a,b'"):
        submission_csv(pd.Series([0.2, 0.4], index=["a,b", "c"]))


def test_a_ticker_called_na_is_still_an_id() -> None:
    frame = read_submission(b"symbol,prediction\nNA,0.5\nnan,0.6\n")
    assert frame["symbol"].tolist() == ["NA", "nan"]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"id,prediction\na,0.1,7\n", b'id,prediction\n"a,0.1\n', b"id,prediction\na\n"]
)
def test_what_is_no_csv_file_is_refused(content: bytes) -> None:
    with pytest.raises(CheckFailed, match="submission:"):
        read_submission(content)


def test_numbers_in_foreign_spelling_are_refused() -> None:
    frame = read_submission(b'id,prediction\na,"0,5"\nb,0_5\n')
    assert "not numbers" in check_submission(frame, ["a", "b"])[0]


@needs_real_data
def test_a_real_submission_passes_but_for_its_exact_one() -> None:
    frame = read_submission((REAL / "features-v5.2/live_example_preds.csv").read_bytes())
    assert len(frame) == 7128
    (problem,) = check_submission(frame, frame["id"])
    assert "values: 1 of 7128 are not strictly between 0 and 1" in problem
    predictions = frame.set_index("id")["prediction"]
    for scale in ("rank", None):
        repaired = to_submission(predictions, predictions.index, scale)
        file = read_submission(submission_csv(repaired))
        assert check_submission(file, frame["id"]) == []
        assert official_refusal(file, frame["id"].tolist(), Tournament.CLASSIC) is None


@needs_real_data
def test_a_real_submission_of_another_round_is_refused() -> None:
    today = read_submission((REAL / "features-v5.2/live_example_preds.csv").read_bytes())["id"]
    old = read_submission((REAL / "predictions-v4-round326/live_predictions_326.csv").read_bytes())
    assert "values: 1 of 5975" in " ".join(check_submission(old, old["id"]))
    assert "none of the 5975 ids is live in this round" in check_submission(old, today)[0]
    assert official_refusal(old, today.tolist(), Tournament.CLASSIC) is not None


@needs_real_data
def test_a_real_file_with_a_wrong_header_is_refused() -> None:
    frame = read_submission((REAL / "predictions-v4-round326/live_predictions_326_202207301047.csv").read_bytes())
    assert check_submission(frame, frame["id"]) == [
        "header: found id,prediction_rank; allowed: id, then prediction."
    ]
