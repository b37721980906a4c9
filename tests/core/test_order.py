from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from numebot.core.order import UPLOAD_TAKES, Weight, in_order, latest_start, p95
from numebot.core.types import ModelConfig

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=50)


def model(name: str, fallback: str = "", *, is_ensemble: bool = False) -> ModelConfig:
    return ModelConfig(name, "plugins/mean.py", fallback=fallback, is_ensemble=is_ensemble)


def weight(stake: float, minutes: float = 1, *, has_failed: bool = False) -> Weight:
    return Weight(stake, timedelta(minutes=minutes), has_failed)


def order(configs: list[ModelConfig], last_start: datetime = SOON, **weights: Weight) -> str:
    return " ".join(config.name for config in in_order(configs, weights, now=NOW, last_start=last_start))


def test_the_most_stake_comes_first() -> None:
    configs = [model("none"), model("little"), model("much")]
    assert order(configs, little=weight(1), much=weight(100), none=weight(0)) == "much little none"


def test_what_confirms_the_most_stake_per_minute_comes_first() -> None:
    assert order([model("slow"), model("quick")], slow=weight(100, 20), quick=weight(50, 1)) == "quick slow"


def test_what_no_longer_fits_comes_after_what_does() -> None:
    configs, soon = [model("long"), model("short")], NOW + timedelta(minutes=5)
    weights = {"long": weight(1000, 6), "short": weight(1, 5)}
    assert order(configs, soon, **weights) == "short long"
    assert order(configs, soon + timedelta(minutes=1), **weights) == "long short"


def test_without_any_stake_the_quick_ones_come_first_and_ties_keep_the_order_of_the_table() -> None:
    assert order([model("slow"), model("quick")], slow=weight(0, 5), quick=weight(0, 1)) == "quick slow"
    assert order([model("c"), model("a"), model("b")]) == "c a b"


def test_models_that_failed_go_behind_all_others() -> None:
    configs = [model("bad"), model("good")]
    assert order(configs, bad=weight(100, has_failed=True), good=weight(0, 100)) == "good bad"


def test_ensembles_come_last() -> None:
    configs = [model("ensemble", is_ensemble=True), model("a"), model("bad")]
    assert order(configs, ensemble=weight(100), bad=weight(1, has_failed=True)) == "a bad ensemble"


def test_a_failed_model_waits_for_its_stand_ins_and_one_that_is_well_does_not() -> None:
    configs = [model("a", "previous > b > example"), model("b")]
    assert order(configs, a=weight(100), b=weight(1)) == "a b"
    failed = {"a": weight(100, has_failed=True), "b": weight(1, has_failed=True)}
    assert order(configs, **failed) == "b a"
    assert order([model("a", "b"), model("b", is_ensemble=True)], a=weight(1, has_failed=True)) == "b a"


def test_a_circle_of_stand_ins_is_cut() -> None:
    configs = [model("a", "b"), model("b", "c"), model("c", "a")]
    failed = {name: weight(stake, has_failed=True) for name, stake in (("a", 3), ("b", 2), ("c", 1))}
    assert sorted(order(configs, **failed).split()) == ["a", "b", "c"]
    assert order([model("a", "a")], a=weight(1, has_failed=True)) == "a"


ROWS = st.tuples(st.floats(0, 1e6), st.floats(0, 200), st.booleans(), st.booleans(), st.sampled_from("abcdx"))


@given(st.lists(ROWS))
def test_every_model_is_played_once(drawn: list[tuple[float, float, bool, bool, str]]) -> None:
    rows = list(zip("abcdefgh", drawn, strict=False))
    configs = [model(name, fallback, is_ensemble=ensemble) for name, (*_, ensemble, fallback) in rows]
    weights = {name: weight(stake, minutes, has_failed=bad) for name, (stake, minutes, bad, *_) in rows}
    found = in_order(configs, weights, now=NOW, last_start=SOON)
    assert sorted(config.name for config in found) == sorted(config.name for config in configs)


def test_p95_is_a_run_that_nineteen_of_twenty_stayed_within() -> None:
    assert p95([]) is None
    assert p95([7.0]) == timedelta(seconds=7)
    assert p95(range(1, 21)) == timedelta(seconds=19)
    assert p95([5, 1, 3]) == timedelta(seconds=5)


@given(st.lists(st.floats(0, 1e5), min_size=1))
def test_p95_holds_what_it_says(durations: list[float]) -> None:
    found = p95(durations)
    assert found is not None
    within = sum(timedelta(seconds=one) <= found for one in durations)
    assert within >= 0.95 * len(durations)


def test_the_latest_start_leaves_the_run_the_upload_and_the_margin() -> None:
    start = latest_start(SOON, timedelta(minutes=10), margin=timedelta(minutes=2))
    assert start + timedelta(minutes=10) + UPLOAD_TAKES + timedelta(minutes=2) == SOON
