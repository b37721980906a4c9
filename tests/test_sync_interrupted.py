"""A sync that is interrupted anywhere, as often as one likes, ends in the same rows as one that was not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from numebot.app import App
from numebot.results import sync_results


@dataclass
class Wire:
    """Counts the calls of a sync and interrupts it at one of them, before or after it was done."""

    at: int = -1
    before: bool = False
    calls: int = 0


class Tripwire:
    """Passes calls on to a port, over the wire."""

    def __init__(self, port: Any, wire: Wire) -> None:
        self._port, self._wire = port, wire

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._wire.calls += 1
            is_now = self._wire.calls == self._wire.at
            if is_now and self._wire.before:
                raise KeyboardInterrupt
            found = method(*arguments, **named)
            if is_now:
                raise KeyboardInterrupt
            return found

        return call


def sync(app: App, wire: Wire) -> None:
    tools = app.results_tools()
    names = ("server", "results", "figures", "store", "standing")
    ports = {name: Tripwire(getattr(tools, name), wire) for name in names}
    sync_results(replace(tools, **ports), 8)


def kept(app: App) -> dict[str, object]:
    """Everything that a sync brings home, without the moments at which it did."""
    answers, standing, models = app.store.answers, app.store.standing, app.store.results.own_models(8)
    board, accounts = answers.leaderboard(8), standing.account_board(8)
    numbers = [facts.round.number for facts in answers.round_facts(8)]
    return {
        "rounds": answers.round_facts(8),
        "settings": [answers.payout_settings(8, number) for number in numbers],
        "scores": sorted(answers.scores(8), key=repr),
        "payouts": sorted(answers.payouts(8), key=repr),
        "submissions": [answers.listed_submissions(8, model.name) for model in models],
        "board": board and (board.size, board.rows),
        "accounts": accounts and (accounts.size, accounts.rows),
        "days": [standing.model_days(8, model.id) for model in models],
        "risk": [standing.at_risk(8, model.id) for model in models],
        "account": standing.account_figures(),
        "prices": {day: price.usd for day, price in standing.prices().items()},
        "parts": {part: mark.error for part, mark in standing.part_marks(8).items()},
    }


@contextmanager
def home(bot: Any, name: str) -> Iterator[App]:
    """Yield the app on a database of its own."""
    bot.data_folder = bot.home / name
    with bot.app() as app:
        yield app


@pytest.mark.slow
def test_an_interrupted_sync_ends_in_the_same_rows(numebot: Callable[..., Any]) -> None:
    # Its clock hardly moves by itself: what is told must be the same at the end as at the beginning.
    bot = numebot(models=("alpha", "beta"), speed=0.001)
    for _ in range(2):
        bot.run()
        bot.server.world.advance_to_next_opening()
    bot.server.world.advance(timedelta(days=6))
    counted = Wire()
    with home(bot, "whole") as app:
        sync(app, counted)
        whole = kept(app)
    assert len(whole["scores"]) > 100  # type: ignore[arg-type]
    count = 0

    @settings(max_examples=4, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.integers(1, counted.calls), st.booleans()), min_size=1, max_size=3))
    def interrupted(points: list[tuple[int, bool]]) -> None:
        nonlocal count
        count += 1
        with home(bot, f"interrupted{count}") as app:
            for at, before in points:
                try:
                    sync(app, Wire(at, before))
                except KeyboardInterrupt:
                    continue
            sync(app, Wire())
            assert kept(app) == whole

    interrupted()
