"""The safety net end to end: what is uploaded after a deadline, and what Numerai makes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from numebot.core.types import State
from numebot.practice.faults import Fault, Kind
from tests.numebot_home import WAITS

Make = Callable[..., Any]


def with_net(numebot: Make) -> Any:
    bot = numebot(window_minutes=30)
    bot.variables["NUMEBOT_SCHEDULE__SAFETY_NET"] = "true"
    return bot


def close(bot: Any) -> int:
    """Let the deadline pass and return the number of the round."""
    bot.server.clock.advance(timedelta(minutes=31))
    return int(bot.server.world.calendar.current(bot.server.clock.now()).number)


def test_a_confirmed_round_is_uploaded_once_more_for_the_next_one(numebot: Make) -> None:
    bot = with_net(numebot)
    (confirmed,) = bot.run("alpha").submissions
    number = close(bot)
    bot.run("alpha")
    (sent,) = bot.nets(number)
    assert (sent.state, sent.sha256) == (State.SUBMITTED, confirmed.sha256)
    assert sent.filename != confirmed.filename
    bot.run("alpha")
    (queued,) = bot.nets(number)
    assert queued.state is State.QUEUED
    assert [row for row in bot.rows() if row.model == "alpha"] == [confirmed]
    for _ in range(2):
        bot.run("alpha")
    assert len(bot.server.world.submissions_of("alpha", number)) == 2, "once more means once"
    bot.server.world.advance_to_next_opening()
    with bot.app() as app:
        (slot,) = [slot for slot in app.server.account_models() if slot.name == "alpha"]
    assert [(one.status, one.filename) for one in slot.submissions if one.round_number == number + 1] == [
        ("on-time", queued.filename)
    ]


def test_an_upload_that_was_not_looked_at_before_the_next_opening_gets_its_ending_then(numebot: Make) -> None:
    bot = with_net(numebot)
    bot.run("alpha")
    number = close(bot)
    bot.run("alpha")
    assert [row.state for row in bot.nets(number)] == [State.SUBMITTED]
    bot.server.world.advance_to_next_opening()
    bot.run("alpha")
    assert [row.state for row in bot.nets(number)] == [State.QUEUED]


def test_an_upload_that_never_came_through_is_given_up_when_the_next_round_opens(numebot: Make) -> None:
    bot = with_net(numebot)
    bot.run("alpha")
    number = close(bot)
    bot.server.faults.switch_on(Fault(Kind.STATUS, "put", status=500))
    bot.run("alpha")
    assert [row.state for row in bot.nets(number)] == [State.FAILED]
    bot.server.faults.clear()
    bot.server.world.advance_to_next_opening()
    bot.run("alpha")
    (row,) = bot.nets(number)
    assert row.state is State.MISSED
    assert "the next round has opened" in row.error


def test_the_next_round_is_played_freshly_all_the_same(numebot: Make) -> None:
    bot = with_net(numebot)
    bot.run("alpha")
    number = close(bot)
    for _ in range(2):
        bot.run("alpha")
    bot.server.world.advance_to_next_opening()
    result = bot.run("alpha")
    assert result.is_done
    (row,) = result.submissions
    assert row.round_number == number + 1
    assert row.filename not in {one.filename for one in bot.nets(number)}
    assert [one.filename for one in bot.accepted("alpha")] == [row.filename]


def test_a_missed_round_is_uploaded_late_and_is_queued(numebot: Make) -> None:
    bot = with_net(numebot)
    bot.server.faults.switch_on(Fault(Kind.STATUS, "put", status=500))
    assert bot.run("alpha").submissions[0].state is State.FAILED
    number = close(bot)
    bot.server.faults.clear()
    assert [row.state for row in bot.run("alpha").submissions] == [State.MISSED]
    (row,) = bot.run("alpha").submissions
    assert row.state is State.QUEUED
    assert "uploaded late" in row.error
    assert [one.state for one in bot.nets(number)] == [State.QUEUED]


def test_a_round_that_this_machine_slept_through_is_uploaded_late(numebot: Make) -> None:
    bot = with_net(numebot)
    number = close(bot)
    for _ in range(2):
        bot.run("alpha")
    assert [one.state for one in bot.nets(number)] == [State.QUEUED]


def test_without_the_setting_nothing_is_sent_after_the_deadline(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.run("alpha")
    number = close(bot)
    bot.run("alpha")
    assert len(bot.nets(number)) == 0
    assert len(bot.server.world.submissions_of("alpha", number)) == 1


def test_nothing_is_sent_shortly_before_the_next_round_or_in_a_dry_run(numebot: Make) -> None:
    bot = with_net(numebot)
    bot.run("alpha")
    number = close(bot)
    bot.run("alpha", dry_run=True)
    assert len(bot.nets(number)) == 0
    bot.server.clock.advance(timedelta(hours=23, minutes=24))
    bot.run("alpha")
    assert len(bot.nets(number)) == 0


def test_a_round_that_is_not_entered_has_no_net(numebot: Make) -> None:
    bot = with_net(numebot)
    number = close(bot)
    while bot.server.world.calendar.current(bot.server.clock.now()).opens_at.weekday() >= 5:
        bot.server.world.advance_to_next_opening()
        number = close(bot)
    bot.run("alpha", only_due=True, play="weekend")
    assert len(bot.nets(number)) == 0


def test_the_net_climbs_the_ladder_one_rung_per_failure_and_then_gives_up(numebot: Make) -> None:
    bot = with_net(numebot)
    broken = bot.plugin("broken", "raise RuntimeError(2)")
    bot.configs(f"alpha,{broken},example", f"beta,{broken}")
    number = close(bot)
    bot.run()
    alpha, beta = bot.nets(number)
    assert (alpha.state, alpha.plugin_failures) == (State.FAILED, 1)
    assert (beta.state, beta.next_attempt_at) == (State.REJECTED, None)
    for _ in range(2):
        bot.server.clock.advance(timedelta(minutes=11))
        bot.run()
    alpha, _ = bot.nets(number)
    assert (alpha.state, alpha.rung) == (State.QUEUED, "example")


def test_a_pass_that_dies_with_a_plugin_after_the_deadline_is_not_begun_again(numebot: Make) -> None:
    bot = with_net(numebot)
    bot.configs(f"alpha,{bot.plugin('waiting', WAITS)}")
    number = close(bot)
    bot.kill_while_running("run")
    for _ in range(2):
        bot.run()
    (row,) = bot.nets(number)
    assert row.state is State.REJECTED
    assert "never came back" in row.error


def test_a_model_without_a_slot_ends_at_once(numebot: Make) -> None:
    bot = with_net(numebot)
    bot.configs("alhpa", "beta")
    number = close(bot)
    bot.run()
    states = {row.model: row.state for row in bot.nets(number)}
    assert states == {"alhpa": State.REJECTED, "beta": State.SUBMITTED}


def test_a_server_that_fails_is_asked_again_later(numebot: Make) -> None:
    bot = with_net(numebot)
    bot.run("alpha")
    number = close(bot)
    bot.server.faults.switch_on(Fault(Kind.STATUS, "put", status=500))
    bot.run("alpha")
    (row,) = bot.nets(number)
    assert (row.state, row.step, row.attempts) == (State.FAILED, State.CHECKED, 1)
    bot.server.faults.clear()
    bot.run("alpha")
    assert bot.nets(number) == [row], "left alone until its time"
    bot.server.clock.advance(timedelta(minutes=2))
    bot.run("alpha")
    assert [one.state for one in bot.nets(number)] == [State.SUBMITTED]


def test_an_upload_that_is_not_listed_is_looked_for_now_and_then(numebot: Make) -> None:
    bot = numebot(window_minutes=30, validation_delay_s=3600)
    bot.variables["NUMEBOT_SCHEDULE__SAFETY_NET"] = "true"
    number = close(bot)
    for _ in range(2):
        bot.run("alpha")
    (row,) = bot.nets(number)
    assert row.state is State.SUBMITTED
    assert row.next_attempt_at is not None
    bot.server.clock.advance(timedelta(hours=1))
    bot.run("alpha")
    assert [one.state for one in bot.nets(number)] == [State.QUEUED]
