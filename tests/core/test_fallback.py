from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.core.fallback import (
    SHORT_OF_TIME,
    ladder_problem,
    parse_ladder,
    rung_for,
    stand_ins,
    usable_ladder,
)

LONG = timedelta(hours=1)


@pytest.mark.parametrize(
    "text",
    ["previous > beta > example", "previous,beta,example", "previous beta example", "previous->beta->example",
     " previous ; beta | example ", "Previous → beta → EXAMPLE", "previous > beta > previous > example"],
)  # fmt: skip
def test_a_ladder_is_read_however_it_is_written(text: str) -> None:
    assert parse_ladder(text) == ("previous", "beta", "example")


@pytest.mark.parametrize("text", ["", "   ", "none", "None", "off", " OFF ", ">", ", ,"])
def test_no_ladder_is_the_default(text: str) -> None:
    assert parse_ladder(text) == ()
    assert rung_for(text, 10, LONG) is None


def test_names_of_models_keep_their_letters() -> None:
    assert parse_ladder("My-Model > an_other.one") == ("My-Model", "an_other.one")


def test_each_rung_gets_two_tries_and_the_last_one_all_that_follow() -> None:
    rungs = [rung_for("previous > beta > example", failures, LONG) for failures in range(10)]
    assert rungs == [None, None, "previous", "previous", "beta", "beta", *["example"] * 4]


def test_short_of_time_each_rung_gets_one_try() -> None:
    rungs = [rung_for("previous > example", failures, SHORT_OF_TIME) for failures in range(4)]
    assert rungs == [None, "previous", "example", "example"]


@given(st.text(), st.integers(0, 100), st.integers(0, 7200))
def test_any_text_gives_a_rung_of_its_own_ladder(text: str, failures: int, left_s: int) -> None:
    left = timedelta(seconds=left_s)
    assert rung_for(text, failures, left) in (None, *parse_ladder(text))
    assert rung_for(text, 0, left) is None


MODELS = ("alpha", "beta")


@pytest.mark.parametrize("text", ["", "none", "previous", "previous > beta > example"])
def test_a_ladder_that_leads_somewhere_has_no_problem(text: str) -> None:
    assert ladder_problem("alpha", text, MODELS) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("previuos", '"previuos" is none of previous, example and the enabled models of this table.'),
        ("x > beta > y", '"x", "y" are none of previous, example and the enabled models of this table.'),
        ("alpha > example", "a model cannot stand in for itself."),
        ("x > alpha", '"x" is none of previous, example and the enabled models of this table. a model cannot'),
    ],
)
def test_a_rung_that_leads_nowhere_is_named(text: str, words: str) -> None:
    problem = ladder_problem("alpha", text, MODELS)
    assert problem is not None
    assert problem.startswith(f"fallback: {words}")
    assert problem.endswith("The ladder goes on without it.")


@given(st.lists(st.sampled_from(["alpha", "beta", "gamma", "x", "previous", "example"])))
def test_what_is_left_of_a_ladder_has_no_problem_and_is_in_order(rungs: list[str]) -> None:
    text = " > ".join(rungs)
    left = usable_ladder("alpha", text, MODELS)
    assert ladder_problem("alpha", left, MODELS) is None
    kept = [rung for rung in parse_ladder(text) if rung in ("beta", "previous", "example")]
    assert list(parse_ladder(left)) == kept
    assert stand_ins("alpha", left) == tuple(rung for rung in kept if rung == "beta")
