"""Every server fault on every operation: what ends in time costs nothing, what does not is told, and no call hangs."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from numebot.adapters.clock import SystemClock
from numebot.adapters.numerai.account import OPTIONAL_TIMEOUT_S
from numebot.core.errors import NumebotError
from numebot.core.types import State, Submission, Tournament
from tests.chaos.fault_pairs import Pair, all_pairs, pairs_of_another_rounds_data
from tests.chaos.hurried import HurriedRuns
from tests.chaos.light_market import SAME_IDS_EVERY_ROUND, light_numebot
from tests.chaos.promises import accepted, assert_kept, assert_whole

Make = Callable[..., Any]

CLOCK = SystemClock()
READ_S = 2.0
TOTAL_S = 4.0
DOWNLOAD_S = 6.0
SETTINGS = f"""
[api]
connect_timeout_s = {READ_S}
read_timeout_s = {READ_S}
total_timeout_s = {TOTAL_S}
download_timeout_minutes = {DOWNLOAD_S / 60}

[store]
busy_timeout_s = 1

[submission]
attempts = 2
retry_s = 1
settle_s = 1
confirm_timeout_s = 3
confirm_poll_s = 0.5
"""
LIMITS = {
    "current_round": TOTAL_S,
    "key_info": TOTAL_S,
    "account_models": TOTAL_S + OPTIONAL_TIMEOUT_S,
    "submission_records": TOTAL_S,
    "stakes": OPTIONAL_TIMEOUT_S,
    "list_datasets": TOTAL_S,
    "download": TOTAL_S + DOWNLOAD_S,
    "authorise_upload": TOTAL_S,
    "put_file": TOTAL_S,
    "create_submission": TOTAL_S,
}
"""Seconds that one call of the client may take, repetitions and their pauses included."""
NOISE_S = 5.0
"""What a busy machine may add. A call without a limit would hang for ever, or drip for minutes."""
RUNS_UNTIL_STRUCK = 3
RUNS_AFTERWARDS = 4


def test_a_fault_that_ends_in_time_costs_no_round_and_one_that_does_not_is_told(
    numebot: Make,
    tmp_path: Path,
    is_full: bool,
    chance: random.Random,
    figures: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    matrix = Matrix(light_numebot(numebot, tmp_path), caplog, more_settings=SAME_IDS_EVERY_ROUND)
    pairs = all_pairs() if is_full else chance.sample(all_pairs(), 8)
    for pair in pairs:
        matrix.tell_both_stories(pair)
    figures("faults × operations", pairs=len(pairs), rounds=2 * len(pairs), **matrix.figures())
    assert not matrix.failures, "\n\n".join(matrix.failures)
    assert_whole(matrix.bot)


def test_another_rounds_data_cost_no_round(
    numebot: Make, is_full: bool, chance: random.Random, caplog: pytest.LogCaptureFixture
) -> None:
    matrix = Matrix(numebot(), caplog)
    pairs = pairs_of_another_rounds_data()
    for pair in pairs if is_full else chance.sample(pairs, 1):
        # they are recognised by the data of the round before
        matrix.play_undisturbed()
        matrix.next_round()
        matrix.tell(pair, matrix.fault_that_ends)
    assert not matrix.failures, "\n\n".join(matrix.failures)


class Matrix:
    """One numebot and one server through all the pairs, each in rounds of its own."""

    def __init__(self, bot: Any, log: pytest.LogCaptureFixture, *, more_settings: str = "") -> None:
        bot.configs("alpha")
        (bot.home / "config" / "numebot.toml").write_text(SETTINGS + more_settings)
        self.bot = bot
        self.runs = HurriedRuns(bot)
        self.log = log
        self.failures: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self._calls_held_against_limits = 0

    def tell_both_stories(self, pair: Pair) -> None:
        for story in (self.fault_that_ends, self.fault_that_does_not_end):
            self.tell(pair, story)

    def tell(self, pair: Pair, story: Callable[[Pair], None]) -> None:
        """Play one pair in the current round; what does not hold is kept for the end."""
        try:
            story(pair)
        except (AssertionError, NumebotError) as error:
            self.failures.append(f"{pair}, {story.__name__}: {error}")
        finally:
            self.next_round()

    @property
    def number(self) -> int:
        number: int = self.bot.server.world.calendar.current(self.bot.server.clock.now()).number
        return number

    def fault_that_ends(self, pair: Pair) -> None:
        """The fault is there until it has struck a run, and gone in the next."""
        self._switch_on(pair)
        for _ in range(RUNS_UNTIL_STRUCK):
            self._try_to_run()
            if self._struck(pair):
                break
        self._switch_off(pair)
        self.play_undisturbed()
        assert_kept(self.bot, self.number, ["alpha"])
        self._assert_bounded()

    def fault_that_does_not_end(self, pair: Pair) -> None:
        """The fault outlasts the deadline; afterwards the server can be asked what really became of the round."""
        self.log.clear()
        self._switch_on(pair)
        error = self._try_to_run()
        row = self._row()
        is_confirmed = row is not None and row.state is State.CONFIRMED
        assert is_confirmed or error or self.log.records, "not confirmed, and no word of it"
        self._pass_the_deadline()
        self._try_to_run()
        self._assert_no_false_success()
        self._switch_off(pair)
        self._try_to_run()
        self.outcomes[self._truth()] += 1
        self._assert_bounded()

    def play_undisturbed(self) -> None:
        for _ in range(RUNS_AFTERWARDS):
            if self.runs.run().is_done:
                return

    def next_round(self) -> None:
        self.bot.server.faults.clear()
        self.runs.names.answers = None
        wait_until_reachable(self.bot.server.url)
        world = self.bot.server.world
        world.advance_to_next_opening()
        # made before anybody waits for it: on a busy machine that takes longer than the client's patience
        world.market.dataset_path("v5.3/live.parquet", self.number)

    def figures(self) -> dict[str, object]:
        longest = max(self.runs.took, key=lambda call: call[1] / LIMITS[call[0]])
        return {
            "calls_timed": len(self.runs.took),
            "longest_call": f"{longest[0]} {longest[1]:.1f} s of {LIMITS[longest[0]]:.0f} s allowed",
            "when_it_did_not_end": dict(self.outcomes.most_common()),
        }

    def _switch_on(self, pair: Pair) -> None:
        self.runs.names.refused = 0
        self.runs.names.answers = pair.answers
        self.bot.server.faults.replace(pair.faults)

    def _switch_off(self, pair: Pair) -> None:
        assert self._struck(pair), "the fault never struck, so nothing was shown"
        self.runs.names.answers = None
        self.bot.server.faults.clear()
        wait_until_reachable(self.bot.server.url)

    def _struck(self, pair: Pair) -> int:
        if pair.fault is None:
            return self.runs.names.refused
        return sum(each.struck for each in self.bot.server.faults.switched() if each.fault == pair.fault)

    def _pass_the_deadline(self) -> None:
        world = self.bot.server.world
        left = world.calendar.current(world.now()).deadline - world.now()
        world.advance(left + timedelta(seconds=1))

    def _try_to_run(self) -> NumebotError | None:
        try:
            self.runs.run()
        except NumebotError as error:
            return error
        return None

    def _row(self) -> Submission | None:
        with self.bot.app() as app:
            return app.store.submission(Tournament.CLASSIC, self.number, "alpha")

    def _assert_no_false_success(self) -> None:
        row, held = self._row(), accepted(self.bot, "alpha", self.number)
        assert len(held) <= 1, f"{len(held)} accepted submissions"
        if row is not None and row.state is State.CONFIRMED:
            assert [row.filename] == [entry.filename for entry in held], "a false confirmation"

    def _truth(self) -> str:
        """Hold the last state and the timeline against what the server has; return the state."""
        self._assert_no_false_success()
        row, held = self._row(), accepted(self.bot, "alpha", self.number)
        if row is None:
            assert not held, "the server holds a submission that is not in the database"
            return "not begun"
        if held:
            assert row.state is State.CONFIRMED, f"the server holds it, and it is called {row.state}: {row.error}"
            return "confirmed"
        assert row.state is State.MISSED, f"nothing is on the server, and it is called {row.state}: {row.error}"
        with self.bot.app() as app:
            events = app.store.events(round_number=self.number, model="alpha")
        assert any(event.details.get("state") == State.MISSED for event in events), "no word in the timeline"
        return "missed"

    def _assert_bounded(self) -> None:
        fresh = self.runs.took[self._calls_held_against_limits :]
        self._calls_held_against_limits = len(self.runs.took)
        over = [f"{name} {took_s:.1f} s" for name, took_s in fresh if took_s > LIMITS[name] + NOISE_S]
        assert not over, f"calls without an end: {over}"


def wait_until_reachable(url: str) -> None:
    """Return when the server listens again."""
    host, _, port = url.removeprefix("http://").partition(":")
    limit = CLOCK.monotonic() + 60
    while CLOCK.monotonic() < limit:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        CLOCK.wait(0.02)
    raise AssertionError("the practice server did not come back")
