"""Plugins beside the pass: what is made once, what waits for nobody, and what is ended. End to end: tests/pipeline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pandas as pd
import pytest

from numebot.adapters.clock import SystemClock
from numebot.adapters.runner.asking import PredictionRequest
from numebot.core.errors import LocalTrouble, NumebotError, PluginError
from numebot.core.types import ModelConfig
from numebot.steps.look_ahead import LookAhead, Wanted
from tests.waiting import wait_until

Found = pd.Series | NumebotError


class FakeRunner:
    """Runs everything at once; each plugin ends when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ends: dict[str, Found] = {}
        self.trouble: BaseException | None = None
        self.was_stopped = False
        self._news = threading.Event()

    def end(self, model: str, found: Found) -> None:
        self.ends[model] = found
        self._news.set()

    def predict_many(
        self,
        requests: Iterable[PredictionRequest],
        *,
        began: Callable[[PredictionRequest], None],
        is_stopped: Callable[[], bool],
    ) -> Iterator[tuple[PredictionRequest, Found]]:
        waiting = {request.config.name: request for request in requests}
        self.asked = list(waiting)
        for request in waiting.values():
            began(request)
        while waiting and not is_stopped():
            if self.trouble is not None:
                raise self.trouble
            for name in waiting.keys() & self.ends.keys():
                yield waiting.pop(name), self.ends[name]
            self._news.wait(0.01)
        self.was_stopped = is_stopped()


def wanted(model: str, key: str | None = None, **limits: Any) -> Wanted:
    nothing: Any = None
    return Wanted(model, PredictionRequest(ModelConfig(model, "x.py", **limits), None, nothing), key or model)


def look_ahead(runner: FakeRunner, *models: Wanted) -> LookAhead:
    runner_: Any = runner
    return LookAhead(runner_, SystemClock(), models)


def numbers(value: float) -> pd.Series:
    return pd.Series([value], index=["n1"])


def test_who_is_done_first_is_taken_first_and_failures_are_each_models_own() -> None:
    runner = FakeRunner()
    with look_ahead(runner, wanted("a"), wanted("b"), wanted("c")) as ahead:
        wait_until(lambda: len(runner.asked) == 3, "all of them are asked at once")
        assert ahead.first_done(["a", "b", "c"]) is None
        runner.end("b", PluginError("broken"))
        wait_until(lambda: ahead.first_done(["a", "b", "c"]) == "b", "b is done")
        with pytest.raises(PluginError, match="broken"):
            ahead.take("b")
        runner.end("c", numbers(3))
        runner.end("a", numbers(1))
        assert ahead.take("a").tolist() == [1]
        assert ahead.take("c").tolist() == [3]


def test_what_is_the_same_is_made_once_and_known_to_be_begun_for_each() -> None:
    runner = FakeRunner()
    with look_ahead(runner, wanted("a", "k"), wanted("b", "k"), wanted("c", "k", memory_limit_mb=9)) as ahead:
        runner.end("a", numbers(1))
        assert ahead.take("b").equals(ahead.take("a"))
        assert runner.asked == ["a", "c"]
        assert sorted(ahead.newly_begun()) == ["a", "b", "c"]
        assert ahead.newly_begun() == []
        assert (ahead.twin_of("a"), ahead.twin_of("b"), ahead.twin_of("c")) == (None, "a", None)


def test_what_still_runs_is_ended_with_it() -> None:
    runner = FakeRunner()
    with look_ahead(runner, wanted("a")):
        wait_until(lambda: runner.asked != [], "it runs")
    assert runner.was_stopped


def test_a_machine_that_starts_no_process_is_every_models_trouble() -> None:
    runner = FakeRunner()
    runner.trouble = LocalTrouble("no process")
    with look_ahead(runner, wanted("a"), wanted("b")) as ahead:
        for model in ("a", "b"):
            with pytest.raises(LocalTrouble, match="no process"):
                ahead.take(model)


def test_a_fault_of_our_own_does_not_let_the_pass_wait_for_ever() -> None:
    runner = FakeRunner()
    runner.trouble = ZeroDivisionError()
    with look_ahead(runner, wanted("a")) as ahead, pytest.raises(RuntimeError, match="could not be run"):
        ahead.take("a")


def test_with_nothing_to_predict_there_is_no_thread() -> None:
    runner = FakeRunner()
    before = threading.active_count()
    with look_ahead(runner) as ahead:
        assert threading.active_count() == before
        assert not ahead.is_made_here("a")
        assert ahead.first_done(["a"]) is None
