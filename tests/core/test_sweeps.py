from __future__ import annotations

import pytest

from numebot.core.errors import ConfigError
from numebot.core.sweep_report import report_lines
from numebot.core.sweeps import Span, Trial, TrialState, best_of, parse_plan

SPACE = {
    "max_depth": [3, 5],
    "leaves": {"low": 8, "high": 24, "step": 8},
    "rate": {"low": 0.01, "high": 0.1, "log": True},
}


def test_a_file_becomes_a_plan() -> None:
    plan = parse_plan({"sampler": "random", "trials": 4, "folds": 2, "space": SPACE, "parameters": {"n": 1}}, "x.toml")
    assert (plan.sampler, plan.trials, plan.folds, plan.split) == ("random", 4, 2, "walk-forward")
    assert plan.space["max_depth"] == (3, 5)
    assert plan.space["leaves"] == Span(8, 24, 8, is_whole=True)
    assert plan.parameters == {"n": 1}
    assert parse_plan({"space": {"a": [1]}}, "x.toml").points() == [{}] * 30  # TPE learns on the way


def test_a_grid_is_every_combination_once() -> None:
    plan = parse_plan({"sampler": "grid", "space": {"a": [1, "x"], "b": {"low": 0.1, "high": 0.3, "step": 0.1}}}, "g")
    assert len(plan.points()) == 6
    assert plan.points()[0] == {"a": 1, "b": 0.1}
    assert parse_plan({"sampler": "grid", "space": {"a": {"low": 2, "high": 4}}}, "g").points() == [
        {"a": 2}, {"a": 3}, {"a": 4},
    ]  # fmt: skip


def test_random_points_are_in_range_and_the_same_again_and_more_only_add_to_them() -> None:
    few = parse_plan({"sampler": "random", "trials": 5, "space": SPACE}, "r").points()
    many = parse_plan({"sampler": "random", "trials": 40, "space": SPACE}, "r").points()
    assert many[:5] == few
    assert {point["max_depth"] for point in many} == {3, 5}
    assert {point["leaves"] for point in many} == {8, 16, 24}
    rates = [point["rate"] for point in many]
    assert all(isinstance(rate, float) and 0.01 <= rate <= 0.1 for rate in rates)
    assert sum(isinstance(rate, float) and rate < 0.0316 for rate in rates) in range(10, 31)  # half, on a log scale
    other = parse_plan({"sampler": "random", "trials": 5, "space": SPACE, "seed": 1}, "r")
    assert other.points() != few


def test_another_plan_has_another_fingerprint_and_more_trials_have_not() -> None:
    plan = parse_plan({"trials": 3, "space": SPACE}, "x")
    assert plan.fingerprint() == parse_plan({"trials": 9, "space": SPACE}, "x").fingerprint()
    for changed in ({"seed": 2}, {"folds": 2}, {"space": {"max_depth": [3, 6]}}, {"parameters": {"n": 1}}):
        assert plan.fingerprint() != parse_plan({"space": SPACE, **changed}, "x").fingerprint()


def test_all_that_is_wrong_is_said_at_once() -> None:
    content = {
        "sampler": "grd", "trails": 3, "folds": 0, "prune": "yes", "seed": True, "parameters": {"d": 1},
        "space": {"a": 3, "b": {"low": 5, "high": 1}, "c": {"low": 0, "high": 1.5, "log": True}, "d": [1], "e": []},
    }  # fmt: skip
    with pytest.raises(ConfigError) as told:
        parse_plan(content, "sweep.toml")
    words = str(told.value)
    for part in (
        "sweep.toml: ", '"trails" is unknown. Did you mean "trials"', "sampler is 'grd'. Did you mean \"grid\"",
        "folds is 0. Allowed: a whole number from 1", "prune is 'yes'", "seed is True", "[space] a is 3",
        "[space] b is", "[space] c: with log, low has to be above 0", '"d" stands in [parameters] and in [space]',
        "[space] e is []", "Nothing was tried.",
    ):  # fmt: skip
        assert part in words, part
    with pytest.raises(ConfigError, match="names no parameter"):
        parse_plan({}, "sweep.toml")
    with pytest.raises(ConfigError, match="a grid needs a step, or a list"):
        parse_plan({"sampler": "grid", "space": {"a": {"low": 0.1, "high": 0.5}}}, "sweep.toml")


TRIALS = [
    Trial(0, TrialState.COMPLETE, {"depth": 3, "rate": 0.123456}, 0.01, (0.02, 0.01)),
    Trial(1, TrialState.COMPLETE, {"depth": 5, "rate": 0.2}, 0.03, (0.03, 0.03)),
    Trial(2, TrialState.PRUNED, {"depth": 7, "rate": 0.2}, None, (-0.01,)),
    Trial(3, TrialState.FAILED, {"depth": 9, "rate": 0.2}, error="depth <9> is too deep"),
    Trial(4, TrialState.COMPLETE, {"depth": 6, "rate": 0.2}, 0.03, (0.03, 0.03)),
]


def test_the_best_is_the_first_of_the_highest() -> None:
    best = best_of(TRIALS)
    assert best is not None
    assert best.number == 1
    assert best_of(TRIALS[2:4]) is None


def test_a_report_ranks_the_trials_and_says_what_matters() -> None:
    lines = report_lines("m@8/abc", "corr_mean", TRIALS, {"depth": 0.75, "rate": 0.25})
    assert lines[0] == "m@8/abc: 3 complete, 1 pruned, 1 failed"
    assert [line.split()[0] for line in lines[3:6]] == ["1", "4", "0"]
    assert "rate=0.1235" in lines[5]
    assert any(line.strip().startswith("75%") and line.endswith("depth") for line in lines)
    assert report_lines("m", "corr_mean", TRIALS[3:4], {})[1] == "The last failure: depth <9> is too deep"
    assert report_lines("m", "corr_mean", [], {}) == ["m: no trials", "No trial is complete yet."]
