"""What a timer's pass does: only what is due, in rounds that are wanted, also after a plugin ended its process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from numebot.core.types import State
from numebot.practice.faults import Fault, Kind
from tests.numebot_home import WAITS
from tests.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.sampled(0.5)

Make = Callable[..., Any]


def go_to(bot: Any, *, weekend: bool) -> None:
    """Let rounds pass until one is open that opened at the weekend, or one that did not."""
    while (bot.server.world.calendar.current(bot.server.clock.now()).opens_at.weekday() >= 5) is not weekend:
        bot.server.world.advance_to_next_opening()


def test_with_play_weekend_other_rounds_are_left_out(numebot: Make) -> None:
    bot = numebot()
    go_to(bot, weekend=False)
    result = bot.run(only_due=True, play="weekend")
    assert (result.is_done, result.is_entered, result.submissions) == (True, False, ())
    assert bot.server.world.submissions_of("alpha") == []
    go_to(bot, weekend=True)
    result = bot.run(only_due=True, play="weekend")
    assert result.is_entered
    assert [row.state for row in result.submissions] == [State.CONFIRMED, State.CONFIRMED]


def test_what_is_to_be_tried_later_is_left_alone_by_a_timer_and_tried_by_hand(numebot: Make) -> None:
    bot = numebot()
    bot.configs(f"alpha,{bot.plugin('moody', 'raise RuntimeError(2)')}")
    (first,) = bot.run(only_due=True).submissions
    assert (first.state, first.attempts) == (State.FAILED, 1)
    assert first.next_attempt_at is not None
    (left_alone,) = bot.run(only_due=True).submissions
    assert left_alone == first
    (by_hand,) = bot.run().submissions
    assert by_hand.attempts == 2
    bot.plugin("moody")
    assert bot.run(only_due=True).submissions == (by_hand,)
    bot.server.clock.advance(timedelta(minutes=3))
    assert bot.run(only_due=True).is_done


def test_a_last_attempt_still_fits_before_the_deadline(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.configs(f"alpha,{bot.plugin('broken', 'raise RuntimeError(2)')}")
    for _ in range(3):
        bot.run()
    bot.server.clock.advance(timedelta(minutes=20))
    result = bot.run()
    (row,) = result.submissions
    # 2 min margin, 30 s for the upload, 2 min for a run of unknown length: not in 8 min, which is behind all that
    spare = result.answer.round.deadline - row.next_attempt_at
    assert timedelta(minutes=4, seconds=30) <= spare <= timedelta(minutes=4, seconds=35)


def test_a_timers_pass_raises_each_alarm_once(numebot: Make) -> None:
    bot = numebot(window_minutes=60)
    bot.configs("alpha", f"beta,{bot.plugin('broken', 'raise RuntimeError(2)')}")
    bot.run(only_due=True)
    assert bot.events("alarm") == []
    bot.server.clock.advance(timedelta(minutes=50))
    for _ in range(2):
        bot.run(only_due=True)
    number = bot.rows()[0].round_number
    assert bot.events("alarm") == [f"round {number}: beta is not confirmed 15 min before the deadline"]


DIES = "import os; os._exit(0)"


def test_a_plugin_that_ends_its_process_has_failed_and_goes_behind_the_others(numebot: Make) -> None:
    bot = numebot()
    bot.configs(f"alpha,{bot.plugin('deadly', DIES)}")
    (alpha,) = bot.run(only_due=True).submissions
    assert (alpha.state, alpha.plugin_failures, alpha.attempts, alpha.begun_at) == (State.FAILED, 1, 1, None)
    assert "its process ended with exit code 0 before it gave an answer" in alpha.error
    bot.configs("alpha,plugins/deadly.py", "beta", "gamma")
    alpha, beta, gamma = bot.run().submissions
    assert (alpha.plugin_failures, beta.state, gamma.state) == (2, State.CONFIRMED, State.CONFIRMED)
    with bot.app() as app:
        ends = [event for event in app.store.events() if event.details.get("state") in ("failed", "submitted")]
    assert sorted(event.model for event in ends[1:-1]) == ["beta", "gamma"]
    assert (ends[0].model, ends[-1].model) == ("alpha", "alpha")


def test_a_pass_that_is_killed_while_a_plugin_runs_is_counted_and_leaves_nothing_behind(numebot: Make) -> None:
    bot = numebot()
    bot.configs(f"alpha,{bot.plugin('waiting', WAITS)}")
    for _ in range(2):
        bot.kill_while_running("run")
        assert [row.begun_at is not None for row in bot.rows()] == [True]
    bot.configs("alpha,plugins/waiting.py", "beta", "gamma")
    alpha, beta, gamma = bot.run(only_due=True).submissions
    assert (alpha.state, alpha.plugin_failures, alpha.attempts, alpha.begun_at) == (State.FAILED, 2, 2, None)
    assert "never came back" in alpha.error
    assert (beta.state, gamma.state) == (State.CONFIRMED, State.CONFIRMED)
    assert [line.split(":")[0] for line in bot.timeline("alpha")] == ["the last attempt never came back"] * 2


def test_after_two_deaths_the_ladder_takes_over(numebot: Make) -> None:
    bot = numebot()
    bot.configs(f"alpha,{bot.plugin('deadly', DIES)},example")
    for _ in range(2):
        bot.command("run")
    (row,) = bot.run().submissions
    assert (row.state, row.rung) == (State.CONFIRMED, "example")


def test_a_replacement_that_kills_its_process_does_not_undo_a_confirmed_submission(numebot: Make) -> None:
    bot = numebot()
    (before,) = bot.run("alpha").submissions
    bot.plugin("mean", DIES)
    bot.command("run", "alpha", "--force")
    (after,) = bot.run("alpha", only_due=True).submissions
    assert (after.state, after.filename, after.begun_at) == (State.CONFIRMED, before.filename, None)


def test_a_round_that_ends_with_a_plugin_that_never_came_back_says_so(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.configs(f"alpha,{bot.plugin('waiting', WAITS)}")
    bot.kill_while_running("run")
    bot.server.clock.advance(timedelta(minutes=31))
    (row,) = bot.run().submissions
    assert (row.state, row.begun_at) == (State.MISSED, None)
    assert "never came back" in row.error


SWALLOWS = f"""
        try:
            {WAITS}
        except BaseException:
            {{then}}
        return live.mean(axis=1)
"""


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (WAITS, signal.SIGINT),
        (WAITS, signal.SIGTERM),
        (SWALLOWS.format(then="pass"), signal.SIGTERM),
        (SWALLOWS.format(then="raise ValueError('no')"), signal.SIGTERM),
    ],
    ids=["ctrl-c", "sigterm", "swallowed", "turned into its own error"],
)
def test_an_interrupt_in_the_middle_of_a_plugin_is_not_its_fault(
    numebot: Make, body: str, number: signal.Signals
) -> None:
    bot = numebot()
    bot.configs(f"alpha,{bot.plugin('slow', body)}")
    process = bot.start("run")
    try:
        wait_until(lambda: bot.is_running() or process.poll() is not None, "the plugin is running")
        assert [row.begun_at is not None for row in bot.rows()] == [True]
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 130
    finally:
        process.kill()
        process.wait()
    assert [(row.state, row.plugin_failures, row.begun_at) for row in bot.rows()] == [(State.PENDING, 0, None)]
    assert bot.timeline("alpha") == []


LEARNER = """
from pathlib import Path

from numebot.plugin import Model


class Learner(Model):
    feature_set = "small"

    def __init__(self, is_broken=False):
        self.is_broken = is_broken

    def fit(self, data):
        pass

    def save(self, folder):
        (folder / "learned").write_text("nothing")

    def load(self, folder):
        if self.is_broken and Path(__file__).with_name("is_trained").exists():
            raise RuntimeError("broken by training")

    def predict(self, live):
        return -live.mean(axis=1)
"""


def train(bot: Any, *, is_broken: bool) -> str:
    """Train alpha, which gets the ladder previous > beta > example; return the version."""
    (bot.home / "plugins" / "learner.py").write_text(LEARNER)
    header = "numerai_name,model_code,parameters,fallback"
    alpha = f"alpha,plugins/learner.py,{{'is_broken': {is_broken}}},previous > beta > example"
    (bot.home / "model_configs.csv").write_text("\n".join([header, alpha, "beta,plugins/mean.py,,", ""]))
    with bot.app() as app:
        version = str(app.train(app.registry.models[0], lambda line: None).version)
    if is_broken:
        (bot.home / "plugins" / "is_trained").touch()  # what is evaluated at the end of the training is not broken yet
    return version


def test_after_two_failures_the_previous_version_is_sent(numebot: Make) -> None:
    bot = numebot()
    good, bad = train(bot, is_broken=False), train(bot, is_broken=True)
    for failures in (1, 2):
        (row,) = bot.run("alpha").submissions
        assert (row.state, row.plugin_failures, row.rung) == (State.FAILED, failures, None)
    (row,) = bot.run("alpha").submissions
    assert (row.state, row.rung, row.trained_version) == (State.CONFIRMED, "previous", good)
    assert good != bad
    assert any(f"with {good} (fallback: previous)" in line for line in bot.timeline("alpha"))
    with bot.app() as app:
        assert app.store.run_times(8) == {}, "a stand-in's run says nothing of the model's own"


def test_the_ladder_is_climbed_rung_by_rung_to_the_other_model(numebot: Make) -> None:
    bot = numebot()
    train(bot, is_broken=True)
    (bot.home / "plugins" / "is_trained").unlink()
    train(bot, is_broken=True)
    for failures in range(1, 5):
        alpha, _ = bot.run().submissions
        assert (alpha.state, alpha.plugin_failures) == (State.FAILED, failures)
    alpha, beta = bot.run().submissions
    assert (alpha.state, alpha.rung, alpha.sha256) == (State.CONFIRMED, "beta", beta.sha256)
    assert (beta.state, beta.rung) == (State.CONFIRMED, None)


def test_the_last_rung_is_the_rounds_example_predictions(numebot: Make) -> None:
    bot = numebot()
    train(bot, is_broken=True)
    bot.plugin("mean", "raise RuntimeError(3)")
    for _ in range(6):
        alpha, _ = bot.run().submissions
        assert alpha.state is State.FAILED
    alpha, beta = bot.run().submissions
    assert (alpha.state, alpha.rung, beta.state) == (State.CONFIRMED, "example", State.FAILED)
    assert len(bot.accepted("alpha")) == 1


def test_shortly_before_the_deadline_each_rung_gets_one_try(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.configs(f"alpha,{bot.plugin('broken', 'raise RuntimeError(2)')},example")
    bot.server.clock.advance(timedelta(minutes=18))
    assert bot.run().submissions[0].state is State.FAILED
    (row,) = bot.run().submissions
    assert (row.state, row.rung) == (State.CONFIRMED, "example")


def test_without_a_ladder_nothing_stands_in(numebot: Make) -> None:
    bot = numebot()
    bot.configs(f"alpha,{bot.plugin('broken', 'raise RuntimeError(2)')}", "beta")
    for _ in range(4):
        alpha, _ = bot.run().submissions
    assert (alpha.state, alpha.rung, alpha.plugin_failures) == (State.FAILED, None, 4)


def test_force_tries_a_mended_model_before_its_stand_in(numebot: Make) -> None:
    bot = numebot()
    bot.configs(f"alpha,{bot.plugin('moody', 'raise RuntimeError(2)')},example")
    for _ in range(3):
        bot.run()
    assert [row.rung for row in bot.rows()] == ["example"]
    bot.plugin("moody")
    (row,) = bot.run(force=True).submissions
    assert (row.state, row.rung) == (State.CONFIRMED, None)


LATE_DATA = [
    Fault(Kind.WRONG_ROUND, "get"),
    Fault(Kind.TRUNCATED, "get"),
    Fault(Kind.STATUS, "get", status=404),
    Fault(Kind.SEVERAL_ERRORS, "dataset", messages=("Dataset v5.3/live.parquet not found",)),
]


@pytest.mark.parametrize("fault", LATE_DATA, ids=lambda fault: f"{fault.operation}-{fault.kind}")
def test_data_that_are_not_there_yet_are_waited_for_without_using_up_attempts(numebot: Make, fault: Fault) -> None:
    bot = numebot()
    bot.run("alpha")
    bot.server.world.advance_to_next_opening()
    bot.server.faults.switch_on(fault)
    for _ in range(3):
        (row,) = bot.run("alpha", only_due=True).submissions
        assert (row.state, row.step, row.attempts, row.plugin_failures) == (State.FAILED, State.PENDING, 0, 0)
        bot.server.clock.advance(timedelta(seconds=61))
    with bot.app() as app:
        lines = [event.message for event in app.store.events(round_number=row.round_number, model="alpha")]
    assert [line.split(":")[0] for line in lines] == ["waits for the data"]
    bot.server.faults.clear()
    result = bot.run("alpha", only_due=True)
    assert result.is_done
    assert result.submissions[0].attempts == 0


def test_data_that_never_come_end_in_a_missed_round(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.server.faults.switch_on(Fault(Kind.STATUS, "get", status=404))
    bot.run("alpha", only_due=True)
    bot.server.clock.advance(timedelta(minutes=31))
    (row,) = bot.run("alpha", only_due=True).submissions
    assert row.state is State.MISSED
    assert "404" in row.error


def test_a_second_numebot_leaves_the_work_to_the_first(numebot: Make) -> None:
    bot = numebot()
    with bot.app() as app, app.at_work("run"):
        answer = bot.command("run", "--scheduled")
        assert (answer.returncode, answer.stdout) == (0, "")
        assert f"process {os.getpid()} on" in answer.stderr
        assert bot.command("run").returncode == 1
    assert bot.server.world.submissions_of("alpha") == []


def test_run_wait_takes_over_as_soon_as_the_other_one_ends(numebot: Make) -> None:
    bot = numebot()
    with bot.app() as app, app.at_work("run"):
        process = bot.start("run", "--wait", "60")
        lock = bot.data_folder / "numebot.lock"
        wait_until(lambda: is_open_in(process.pid, lock), "the second one waits for the lock")
        assert process.poll() is None
    try:
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert bot.states() == {"alpha": State.CONFIRMED, "beta": State.CONFIRMED}


def is_open_in(pid: int, path: Path) -> bool:
    try:
        return any(link.resolve() == path.resolve() for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
