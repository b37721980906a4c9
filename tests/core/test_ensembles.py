from __future__ import annotations

import pytest

from numebot.core.ensembles import circles, depths, members_of, members_problem
from numebot.core.types import ModelConfig


def model(name: str, *members: str) -> ModelConfig:
    return ModelConfig(name, "x.py", is_ensemble=bool(members), parameters={"members": list(members)})


@pytest.mark.parametrize(
    ("found", "names"),
    [(["a", "b", "a"], ("a", "b")), ({"a": 2, "b": 1}, ("a", "b")), ("a", ("a",)), (None, ()), (3, ()), ([1], ("1",))],
)
def test_members_are_named_in_any_form(found: object, names: tuple[str, ...]) -> None:
    assert members_of(ModelConfig("e", "x.py", is_ensemble=True, parameters={"members": found})) == names
    assert members_of(ModelConfig("e", "x.py", parameters={"members": found})) == ()


def test_a_stage_comes_after_those_of_all_members() -> None:
    configs = [model("e", "f", "a"), model("f", "a", "b"), model("a"), model("b"), model("g", "unknown")]
    assert depths(configs) == {"e": 2, "f": 1, "a": 0, "b": 0, "g": 1}


def test_a_circle_is_told_to_those_in_it_alone_and_has_an_end() -> None:
    configs = [
        model("a", "b"),
        model("b", "c", "x"),
        model("c", "a"),
        model("self", "self"),
        model("out", "a"),
        model("x"),
    ]
    found = circles(configs)
    assert sorted(found) == ["a", "b", "c", "self"]
    assert found["a"] == "members: a > b > c > a is a circle. An ensemble cannot be made of itself."
    assert set(depths(configs)) == {"a", "b", "c", "self", "out", "x"}


def test_members_that_are_not_played_are_named() -> None:
    assert members_problem(model("e", "a", "b"), {"a", "b"}) is None
    assert 'members: "b", "c" are none' in (members_problem(model("e", "a", "b", "c"), {"a"}) or "")
