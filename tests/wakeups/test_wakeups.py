from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from numebot.adapters.registry import read_registry
from numebot.core.chores import Chore
from numebot.core.errors import ConfigError, LocalTrouble
from numebot.core.types import Event, Round, State, Submission
from numebot.wakeups.work import WorkEnd
from tests.wakeups.fakes import Home, at, round_

SHORT = Chore("results", ("sync",), every=timedelta(hours=6))
BACKUP = Chore("backup", ("db", "backup"), at=time(3, 30))


def rest_days_round() -> Round:
    """The round of the Friday before, so that Monday and Tuesday morning have a past."""
    return round_(1403, at(13, day=20))


# How often it looks.


@pytest.mark.parametrize(
    ("now", "wait_s"),
    [
        (at(3), 300),
        (at(11, 50), 300),
        (at(11, 57), 180),
        (at(11, 58), 60),
        (at(12), 60),
        (at(17, 59), 60),
        (at(9, day=23), 300),
    ],
    ids=["night", "before", "right before", "early", "expected", "late", "no opening today"],
)
def test_between_rounds_it_looks_seldom_and_often_while_one_may_open(now: datetime, wait_s: float) -> None:
    home = Home(now, rest_days_round())
    assert home.wake_up() == wait_s


@pytest.mark.parametrize(
    ("minutes_left", "wait_s"), [(59, 60), (21, 60), (20, 15), (1, 15)], ids=["begin", "calm", "hurried", "end"]
)
def test_while_something_is_missing_it_looks_often_and_oftener_near_the_deadline(
    minutes_left: float, wait_s: float
) -> None:
    home = Home(at(14) - timedelta(minutes=minutes_left), round_())
    home.work.effect = lambda: home.settle(State.FAILED, next_attempt_at=at(14, 30))
    assert home.wake_up() == pytest.approx(wait_s, abs=1)


def test_a_next_attempt_is_not_slept_through() -> None:
    home = Home(at(13, 1), round_())
    home.work.effect = lambda: home.settle(State.FAILED, next_attempt_at=home.clock.now() + timedelta(seconds=20))
    assert home.wake_up() == 20


def test_when_all_is_confirmed_it_looks_seldom_again() -> None:
    home = Home(at(13, 1), round_())
    assert home.wake_up() == 300
    assert home.work.names() == ["run"]


def test_an_opening_hours_late_is_still_seen_within_a_minute() -> None:
    late = at(17, 39, 30)
    home = Home(at(11), rest_days_round(), round_(opens_at=late))
    home.live_until(at(18))
    assert [moment - late < timedelta(seconds=61) for moment in home.work.at] == [True]


def test_an_unexpected_opening_is_seen_within_five_minutes() -> None:
    surprise = at(5, 1)
    home = Home(at(4), rest_days_round(), round_(opens_at=surprise))
    home.live_until(at(6))
    assert [moment - surprise < timedelta(seconds=301) for moment in home.work.at] == [True]


def test_a_whole_week_is_played_each_round_once_and_in_time() -> None:
    openings = [at(13, 4, day=day) for day in (24, 25, 26, 27)] + [at(18, 2, day=28)]
    rounds = [round_(1404 + number, moment) for number, moment in enumerate(openings)]
    home = Home(at(0, day=23), rest_days_round(), *rounds)
    home.live_until(datetime(2026, 11, 30, 0, 0, tzinfo=UTC))
    assert len(home.work.at) == 5
    assert all(began - opened < timedelta(seconds=61) for began, opened in zip(home.work.at, openings, strict=True))
    assert {row.state for row in home.store.rows.values()} == {State.CONFIRMED}
    assert home.store.words("alarm") == []


def test_while_numerai_cannot_be_asked_it_looks_often() -> None:
    home = Home(at(3), rest_days_round())
    home.server.is_up = False
    assert home.wake_up() == 60


# The pass.


def test_the_pass_is_the_one_of_numebot_run() -> None:
    home = Home(at(13, 1), round_())
    home.wake_up()
    assert home.work.begun == [("run", "--scheduled", "--wait", "30", "--will-predict")]


@pytest.mark.parametrize(("state", "is_told"), [(State.PENDING, True), (State.FAILED, True), (State.UPLOADED, False)])
def test_the_pass_is_told_when_plugins_will_run(state: State, is_told: bool) -> None:
    home = Home(at(13, 1), round_())
    for model in ("alpha", "beta"):
        home.store.put(Submission(8, 1404, model, state))
    home.wake_up()
    assert [("--will-predict" in command) for command in home.work.begun] == [is_told]


def test_a_second_wake_up_over_a_finished_round_does_nothing() -> None:
    home = Home(at(13, 1), round_())
    for _ in range(3):
        home.wake_up()
    assert home.work.names() == ["run"]


@pytest.mark.parametrize(
    ("minutes_left", "budget_s"), [(600, 2700), (60, 1800), (20, 600), (8, 300), (1, 300)], ids=str
)
def test_the_budget_leaves_time_for_a_second_pass(minutes_left: float, budget_s: float) -> None:
    home = Home(at(13), round_(minutes=minutes_left))
    home.wake_up()
    assert home.work.budgets_s == [budget_s]


def test_a_pass_that_hangs_is_recorded_and_run_again() -> None:
    home = Home(at(13), round_())
    home.work.takes_s["run"] = 1e6
    wait_s = home.wake_up()
    assert home.clock.now() == at(13, 30)
    assert wait_s == 60
    (words,) = home.store.words("pass-killed")
    assert "killed; the next one goes on where it was" in words
    home.work.takes_s["run"] = 60
    home.clock.wait(wait_s)
    home.wake_up()
    assert home.work.names() == ["run", "run"]
    assert {row.state for row in home.store.rows.values()} == {State.CONFIRMED}


def test_a_pass_that_fails_is_tried_again_at_the_next_look() -> None:
    home = Home(at(13), round_())
    home.work.ends["run"] = WorkEnd.FAILED
    home.live_until(at(13, 4))
    assert home.work.names() == ["run"] * 4


def test_a_pass_that_cannot_be_started_is_the_daemons_trouble() -> None:
    home = Home(at(13), round_())
    home.work.ends["run"] = LocalTrouble("no process can be started")
    with pytest.raises(LocalTrouble):
        home.wake_up()
    assert "daemon" not in home.store.notes


def test_signs_of_life_come_while_a_pass_runs() -> None:
    home = Home(at(13), round_())
    home.work.takes_s["run"] = 1000
    home.wake_up()
    assert home.signs >= 100


def test_no_pass_for_a_round_that_is_not_entered() -> None:
    home = Home(at(13, 1), round_(), play="weekend", chores=[SHORT])
    assert home.wake_up() == 1
    assert home.work.names() == ["sync"]
    assert not home.awake.changes
    assert home.wake_up() == 300


def test_leftovers_get_a_pass_after_the_deadline() -> None:
    home = Home(at(13, 50), round_())
    home.work.effect = lambda: home.settle(State.SUBMITTED)
    home.live_until(at(14))
    home.work.begun.clear()
    home.work.effect = lambda: home.settle(State.LATE)
    home.live_until(at(14, 20))
    assert home.work.names() == ["run"]


def test_a_round_whose_deadline_moves_is_played_after_all() -> None:
    home = Home(at(13), round_(minutes=10))
    home.work.effect = lambda: home.settle(State.FAILED, next_attempt_at=at(13, 9, 59))
    home.live_until(at(13, 11))
    home.settle(State.MISSED)
    home.server.rounds[0] = replace(home.server.rounds[0], deadline=at(15))
    home.work.effect = home.confirm_all
    home.live_until(at(13, 20))
    assert {row.state for row in home.store.rows.values()} == {State.CONFIRMED}


# Alarms.


def test_alarms_come_at_30_15_and_5_minutes_each_once() -> None:
    home = Home(at(13), round_(), models=["alpha"])
    home.work.ends["run"] = WorkEnd.FAILED
    home.live_until(at(14, 5))
    words = "round 1404: alpha is not confirmed {} min before the deadline"
    assert home.store.words("alarm") == [words.format(minutes) for minutes in (30, 15, 5)]
    times = [event.at for event in home.store.timeline if event.kind == "alarm"]
    for moment, due in zip(times, (at(13, 30), at(13, 45), at(13, 55)), strict=True):
        assert timedelta() <= moment - due <= timedelta(seconds=61)


def test_alarms_come_also_while_a_pass_runs_and_only_for_what_it_has_not_done() -> None:
    home = Home(at(13, 20), round_())
    home.work.takes_s["run"] = 1190
    before = home.work.run

    def run(*arguments: object, **options: object) -> WorkEnd:
        tick = options.pop("tick")

        def ticked() -> None:
            if home.clock.now() > at(13, 35):
                home.settle(State.CONFIRMED, "alpha")
            tick()  # type: ignore[operator]

        return before(*arguments, tick=ticked, **options)  # type: ignore[arg-type]

    home.work.run = run  # type: ignore[method-assign, assignment]
    home.wake_up()
    raised = [event for event in home.store.timeline if event.kind == "alarm"]
    alarms = [(event.model, event.details["minutes"], event.at) for event in raised]
    assert [alarm[:2] for alarm in alarms if alarm[0]] == [("alpha", 30), ("beta", 30)]
    assert all(moment - at(13, 30) <= timedelta(seconds=11) for *_, moment in alarms[:2])


def test_alarms_come_also_while_numerai_cannot_be_asked() -> None:
    home = Home(at(13, 1), round_(), models=["alpha"])
    home.work.ends["run"] = WorkEnd.FAILED
    home.wake_up()
    home.server.is_up = False
    home.live_until(at(14))
    about_model = [event.details["minutes"] for event in home.store.timeline if event.model == "alpha"]
    assert about_model == [30, 15, 5]


def test_a_database_that_is_held_for_a_moment_does_not_end_a_pass(caplog: pytest.LogCaptureFixture) -> None:
    home = Home(at(13), round_())
    home.work.takes_s["run"] = 100
    home.work.effect = home.confirm_all
    before = home.work.run

    def run(*arguments: object, **options: object) -> WorkEnd:
        home.store.troubles = [LocalTrouble("the database is locked")]
        return before(*arguments, **options)  # type: ignore[arg-type]

    home.work.run = run  # type: ignore[method-assign, assignment]
    home.wake_up()
    assert {row.state for row in home.store.rows.values()} == {State.CONFIRMED}
    assert "the database is locked" in caplog.text


# Chores.


def test_a_chore_is_done_when_it_is_due_and_noted() -> None:
    home = Home(at(20, day=23), rest_days_round(), chores=[SHORT])
    home.live_until(at(11, day=24))
    assert home.work.names() == ["sync"] * 3
    gaps = [b - a for a, b in zip(home.work.at, home.work.at[1:], strict=False)]
    assert all(timedelta(hours=6) <= gap <= timedelta(hours=6, minutes=6) for gap in gaps)
    assert home.store.notes["chore:results"]["is_done"] is True


def test_a_daily_chore_is_done_once_a_day_from_its_time_on() -> None:
    home = Home(at(0, day=21), rest_days_round(), chores=[BACKUP])
    home.live_until(at(0, day=24))
    first, *rest = home.work.at
    assert first == at(0, day=21), "never done before, so it is due at once"
    assert [moment.day for moment in rest] == [21, 22, 23]
    assert all(time(3, 30) <= moment.time() < time(3, 36) for moment in rest)


def test_a_chore_that_fails_rests_for_half_an_hour_and_tells_once() -> None:
    home = Home(at(20, day=23), rest_days_round(), chores=[SHORT])
    home.work.ends["sync"] = WorkEnd.FAILED
    home.live_until(at(22, day=23))
    assert len(home.work.begun) == 4
    assert len(home.store.words("chore-failed")) == 1


def test_a_chore_that_cannot_even_be_started_is_a_failed_one() -> None:
    home = Home(at(20, day=23), rest_days_round(), chores=[SHORT])
    home.work.ends["sync"] = LocalTrouble("no process can be started")
    home.wake_up()
    assert home.store.notes["chore:results"]["is_done"] is False


def test_a_chore_that_gave_way_stays_due() -> None:
    home = Home(at(20, day=23), rest_days_round(), chores=[SHORT])
    home.work.takes_s["sync"] = 30
    before = home.work.run

    def run(*arguments: object, **options: object) -> WorkEnd:
        home.is_wanted = True
        return before(*arguments, **options)  # type: ignore[arg-type]

    home.work.run = run  # type: ignore[method-assign, assignment]
    home.wake_up()
    assert "chore:results" not in home.store.notes
    assert home.store.words("chore-failed") == []
    home.work.run = before  # type: ignore[method-assign]
    home.is_wanted = False
    home.wake_up()
    assert home.store.notes["chore:results"]["is_done"] is True


def test_no_chore_begins_while_somebody_wants_a_wake_up() -> None:
    home = Home(at(20, day=23), rest_days_round(), chores=[SHORT])
    home.is_wanted = True
    home.wake_up()
    assert home.work.begun == []


@pytest.mark.parametrize(
    ("now", "is_begun"),
    [(at(11, 40), True), (at(11, 49), False), (at(11, 59), False), (at(12, 30), False), (at(17), False)],
    ids=str,
)
def test_no_chore_begins_near_an_opening(now: datetime, is_begun: bool) -> None:
    home = Home(now, rest_days_round(), chores=[SHORT])
    home.wake_up()
    assert bool(home.work.begun) is is_begun


def test_no_chore_begins_while_a_round_is_not_confirmed() -> None:
    home = Home(at(13, 1), round_(), chores=[SHORT])
    home.work.effect = lambda: home.settle(State.FAILED, next_attempt_at=at(13, 59))
    home.live_until(at(13, 50))
    assert set(home.work.names()) == {"run"}
    home.settle(State.CONFIRMED)
    home.wake_up()
    assert home.work.names()[-1] == "sync"


def test_long_chores_do_not_reach_into_an_opening() -> None:
    """Each looks at the clock anew: what was begun before it took its time."""
    chores = [Chore(f"chore {number}", ("db", str(number)), budget_s=600) for number in range(4)]
    home = Home(at(11, 30), rest_days_round(), chores=chores)
    home.work.takes_s["db"] = 590
    home.live_until(at(12))
    assert home.clock.now() < at(12, 1)
    assert all(moment < at(11, 50) for moment in home.work.at)


def test_a_round_that_opens_during_chores_is_played_before_the_next_one() -> None:
    chores = [Chore(f"chore {number}", ("db", str(number)), budget_s=600) for number in range(3)]
    home = Home(at(5), rest_days_round(), round_(opens_at=at(5, 1)), chores=chores)
    home.work.takes_s["db"] = 300
    home.live_until(at(6))
    assert home.work.names() == ["db 0", "run", "db 1", "db 2"]


def test_a_last_run_in_the_future_or_in_pieces_is_not_believed() -> None:
    for note in ({"at": at(20, day=28).isoformat(), "is_done": True}, {"at": "yesterday"}, {"at": None}, {}):
        home = Home(at(20, day=23), rest_days_round(), chores=[SHORT])
        home.store.notes["chore:results"] = note
        home.wake_up()
        assert home.work.names() == ["sync"], note


def test_a_chore_is_done_when_it_said_that_it_would_be_worth_it_again() -> None:
    home = Home(at(20, day=23), rest_days_round(), chores=[SHORT])
    home.wake_up()
    for note in ({"at": "soon"}, {}, {"at": at(20, 45, day=23).isoformat()}):
        home.store.notes["next:results"] = note
        home.live_until(at(20, 40, day=23))
        assert home.work.names() == ["sync"], note
    home.live_until(at(21, 30, day=23))
    assert home.work.names() == ["sync"] * 2


# The table of models.


def test_an_edit_of_the_table_counts_at_the_next_wake_up() -> None:
    home = Home(at(13, 1), round_(), models=["alpha"])
    home.wake_up()
    home.configs.append(replace(home.configs[0], name="beta"))
    home.configs.append(replace(home.configs[0], name="gamma", enabled=False))
    home.wake_up()
    assert home.work.names() == ["run", "run"]
    assert {model for *_, model in home.store.rows} >= {"alpha", "beta"}


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00nonsense", b'a,"b\n', "folder"], ids=str)
def test_a_broken_table_is_survived_and_the_last_good_one_counts(
    tmp_path: Path, content: bytes | str | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "model_configs.csv"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_registry(path, home=tmp_path)
    trouble = caught.value
    home = Home(at(13, 20), round_(), models=["alpha"])
    home.work.ends["run"] = WorkEnd.FAILED
    home.wake_up()
    home.table_trouble = trouble
    passes = len(home.work.begun)
    home.live_until(at(13, 40))
    assert len(home.work.begun) == passes, "a pass could not read the table either"
    assert home.store.words("alarm") == ["round 1404: alpha is not confirmed 30 min before the deadline"]
    assert max(home.waits[1:]) <= 60
    assert home.awake.is_held
    assert home.store.notes["daemon"]["trouble"] == str(trouble)
    home.table_trouble = None
    home.work.ends.clear()
    home.wake_up()
    assert home.store.notes["daemon"]["trouble"] is None
    assert {row.state for row in home.store.rows.values()} == {State.CONFIRMED}


def test_a_table_that_is_broken_from_the_start_is_read_again_within_a_minute() -> None:
    home = Home(at(3), rest_days_round())
    home.table_trouble = ConfigError("model_configs.csv does not exist")
    assert home.wake_up() == 60


# The rest.


def test_the_machine_is_kept_awake_while_a_round_is_open_and_not_confirmed() -> None:
    home = Home(at(12, 50), rest_days_round(), round_())
    home.work.takes_s["run"] = 600
    held_in_pass: list[bool] = []
    home.work.effect = lambda: (held_in_pass.append(home.awake.is_held), home.confirm_all())[0]
    home.live_until(at(13, 30))
    assert held_in_pass == [True]
    assert home.awake.changes == [True, False]


def test_a_finished_wake_up_is_noted_with_what_comes_next() -> None:
    home = Home(at(3), rest_days_round())
    home.wake_up("SIGUSR1")
    note = home.store.notes["daemon"]
    assert note["reason"] == "SIGUSR1"
    assert note["finished_at"] == at(3).isoformat()
    assert note["next_look_at"] == at(3, 5).isoformat()
    assert note["states"] == {"8": "closed"}
    assert note["pid"] == 1


def test_a_wake_up_that_a_stop_cuts_short_asks_nobody_and_is_not_finished() -> None:
    home = Home(at(13), round_(), chores=[SHORT])
    asked: list[int] = []

    def stop() -> None:
        home.is_stopping = True
        asked.append(home.server.asked)

    home.work.effect = stop
    home.wake_up()
    assert asked == [home.server.asked], "a server that hangs would keep the daemon from its end"
    assert "daemon" not in home.store.notes
    assert home.work.names() == ["run"]


def test_what_nobody_could_begin_before_the_deadline_is_missed_and_says_so() -> None:
    home = Home(at(13, 1), round_())
    home.work.effect = lambda: home.settle(State.CONFIRMED, "alpha")  # of beta no pass could even write a row
    home.live_until(at(14, 10))
    rows = {model: row.state for (_, _, model), row in home.store.rows.items()}
    assert rows == {"alpha": State.CONFIRMED, "beta": State.MISSED}
    assert home.store.words("state") == ["missed: no attempt could be begun before the deadline"]


def test_a_round_that_was_over_when_numebot_came_is_nobodys() -> None:
    home = Home(at(14, 5), round_())
    home.live_until(at(14, 30))
    assert home.store.rows == {}


def test_rounds_that_are_left_out_are_not_missed() -> None:
    home = Home(at(13, 1), round_(), play="weekend")
    home.live_until(at(14, 30))
    assert home.store.rows == {}


def test_a_wake_up_that_starts_a_pass_is_written_down_with_its_reason() -> None:
    home = Home(at(13, 1), round_())
    home.wake_up("a round is expected")
    home.wake_up("hourly look")
    (event,) = [event for event in home.store.timeline if event.kind == "wake-up"]
    assert (event.message, event.round_number) == ("wake-up (a round is expected): a pass is started", 1404)
    assert event.details["missing"] == ["alpha", "beta"]


def test_a_pass_is_started_also_when_its_reason_cannot_be_written_down() -> None:
    home = Home(at(13, 1), round_())
    before = home.store.record

    def record(event: Event) -> None:
        if event.kind == "wake-up":
            raise LocalTrouble("held")
        before(event)

    home.store.record = record  # type: ignore[method-assign]
    home.wake_up()
    assert home.work.names() == ["run"]
