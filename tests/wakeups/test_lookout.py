from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from numebot.adapters.store import Store as RealStore
from numebot.core.types import ModelConfig, RoundState, State, Submission
from numebot.wakeups import Lookout
from tests.fakes import FakeClock
from tests.wakeups.fakes import CLASSIC, Home, Server, at, round_


def test_before_any_round_nothing_is_missing() -> None:
    home = Home(at(9))
    look = home.lookout.look(CLASSIC, home.configs)
    assert (look.state, look.round, look.wants_pass, look.is_waiting) == (RoundState.CLOSED, None, False, False)


def test_every_model_of_an_open_round_is_missing_until_numerai_holds_it() -> None:
    home = Home(at(13, 1), round_())
    look = home.lookout.look(CLASSIC, home.configs)
    assert [one.model for one in look.missing] == ["alpha", "beta"]
    assert look.wants_pass
    home.settle(State.CONFIRMED, "alpha")
    assert [one.model for one in home.lookout.look(CLASSIC, home.configs).missing] == ["beta"]
    home.settle(State.REJECTED, "beta")
    look = home.lookout.look(CLASSIC, home.configs)
    # Rejected: no pass can help, but the owner has to hear of it.
    assert ([one.model for one in look.missing], look.wants_pass, look.is_waiting) == (["beta"], False, True)
    home.settle(State.CONFIRMED, "beta")
    look = home.lookout.look(CLASSIC, home.configs)
    assert (look.missing, look.wants_pass, look.is_waiting) == ((), False, False)


def test_a_model_that_rests_is_waited_for_without_a_pass() -> None:
    home = Home(at(13, 1), round_(), models=["alpha"])
    home.settle(State.FAILED, next_attempt_at=at(13, 5), error="no disk")
    look = home.lookout.look(CLASSIC, home.configs)
    assert (look.wants_pass, look.is_waiting) == (False, True)
    home.clock.wait(240)
    assert home.lookout.look(CLASSIC, home.configs).wants_pass


def test_the_servers_time_decides_not_ours() -> None:
    home = Home(at(13, 1), round_(), models=["alpha"])
    home.settle(State.FAILED, next_attempt_at=at(13, 30))
    home.server.ahead = timedelta(minutes=29)
    look = home.lookout.look(CLASSIC, home.configs)
    assert look.now == at(13, 30)
    assert look.wants_pass


def test_a_model_of_another_tournament_is_not_missing_here() -> None:
    home = Home(at(13, 1), round_())
    configs = [*home.configs, ModelConfig("gamma", "models.x", tournament=11)]
    assert [one.model for one in home.lookout.look(CLASSIC, configs).missing] == ["alpha", "beta"]


def test_a_round_is_written_down_when_it_changes_and_not_at_each_look() -> None:
    home = Home(at(13, 1), round_())
    for _ in range(3):
        home.lookout.look(CLASSIC, home.configs)
    assert home.store.writes == 1
    home.server.rounds[0] = replace(home.server.rounds[0], deadline=at(15))
    home.lookout.look(CLASSIC, home.configs)
    assert home.store.writes == 2
    newest = home.store.newest_round(CLASSIC)
    assert newest is not None
    assert newest.deadline == at(15)


def test_the_real_store_gives_a_round_back_as_it_was(tmp_path: Path) -> None:
    """Else each look would write to the disk."""
    clock = FakeClock(at(13, 1))
    store = RealStore(f"sqlite:///{tmp_path / 'numebot.db'}", busy_timeout_s=1)
    try:
        server = Server(clock, round_(opens_at=at(13) + timedelta(microseconds=123456)))
        lookout = Lookout(server, store, clock)
        lookout.look(CLASSIC, [])
        clock.wait(60)
        look = lookout.look(CLASSIC, [ModelConfig("alpha", "models.x")])
        assert store.newest_round(CLASSIC) == server.rounds[0]
        assert [one.model for one in look.missing] == ["alpha"]
    finally:
        store.close()


def test_a_server_that_cannot_be_asked_does_not_close_the_round() -> None:
    home = Home(at(13, 1), round_())
    home.lookout.look(CLASSIC, home.configs)
    home.server.is_up = False
    look = home.lookout.look(CLASSIC, home.configs)
    assert (look.state, look.wants_pass, look.is_waiting) == (RoundState.UNKNOWN, False, True)
    assert look.round == home.server.rounds[0]
    home.clock.wait(3600)
    look = home.lookout.look(CLASSIC, home.configs)
    assert (look.state, look.is_waiting) == (RoundState.UNKNOWN, False), "its deadline is over by what is known"


def test_unknown_from_the_start_is_no_round_and_no_crash() -> None:
    home = Home(at(13, 1))
    home.server.is_up = False
    look = home.lookout.look(CLASSIC, home.configs)
    assert (look.state, look.round, look.is_waiting) == (RoundState.UNKNOWN, None, False)


def test_an_outage_raises_one_alarm_after_a_quarter_of_an_hour() -> None:
    home = Home(at(9, 0, 31))
    home.server.is_up = False
    for _ in range(14):
        home.lookout.look(CLASSIC, home.configs)
        home.clock.wait(61.7)
    assert home.store.words("alarm") == []
    for _ in range(300):
        home.lookout.look(CLASSIC, home.configs)
        home.clock.wait(61.7)
    assert home.store.words("alarm") == ["Numerai cannot be asked for its rounds since 2026-11-24 09:00 UTC"]


def test_a_clock_that_is_set_during_an_outage_raises_no_second_alarm() -> None:
    home = Home(at(9))
    home.server.is_up = False
    for _ in range(30):
        home.lookout.look(CLASSIC, home.configs)
        home.clock.wait(60)
    home.clock._start += timedelta(hours=2)
    home.lookout.look(CLASSIC, home.configs)
    assert len(home.store.words("alarm")) == 1


def test_the_end_of_an_outage_is_told_and_the_next_one_is_a_new_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    home = Home(at(9))
    for _ in range(2):
        home.server.is_up = False
        for _ in range(20):
            home.lookout.look(CLASSIC, home.configs)
            home.clock.wait(60)
        home.server.is_up = True
        home.lookout.look(CLASSIC, home.configs)
    assert len(home.store.words("alarm")) == 2
    assert caplog.text.count("Numerai answers again after 1200 s") == 2


def test_rows_without_an_ending_are_looked_after_when_their_deadline_is_over() -> None:
    home = Home(at(13, 1), round_(), models=["alpha"])
    home.lookout.look(CLASSIC, home.configs)
    home.settle(State.SUBMITTED)
    home.clock.wait(3600)
    look = home.lookout.look(CLASSIC, home.configs)
    assert (look.state, look.is_waiting, look.has_leftovers) == (RoundState.CLOSED, False, True)
    home.settle(State.LATE)
    assert not home.lookout.look(CLASSIC, home.configs).wants_pass


def test_what_stays_undecided_for_long_is_asked_for_every_half_hour() -> None:
    home = Home(at(13, 1), round_(), models=["alpha"])
    home.lookout.look(CLASSIC, home.configs)
    home.settle(State.SUBMITTED)
    home.clock.wait(3 * 3600)
    asked = []
    for _ in range(24):
        asked.append(home.lookout.look(CLASSIC, home.configs).wants_pass)
        home.clock.wait(300)
    assert asked.count(True) == 4


def test_rows_of_an_earlier_round_are_leftovers_while_the_next_one_is_open() -> None:
    home = Home(at(13, 1), round_(), models=["alpha"])
    home.store.put(Submission(CLASSIC, 1403, "alpha", state=State.UPLOADED))
    home.settle(State.CONFIRMED)
    look = home.lookout.look(CLASSIC, home.configs)
    assert (look.is_waiting, look.wants_pass) == (False, True)


@pytest.mark.parametrize(("day", "is_entered"), [(24, False), (28, True)], ids=["Tuesday", "Saturday"])
def test_weekend_players_enter_the_round_of_saturday_alone(day: int, is_entered: bool) -> None:
    home = Home(at(13, 1, day=day), round_(opens_at=at(13, day=day)), play="weekend")
    look = home.lookout.look(CLASSIC, home.configs)
    assert look.state is RoundState.OPEN
    assert (look.wants_pass, look.is_waiting) == (is_entered, is_entered)


def test_the_safety_net_is_wanted_after_the_deadline_until_shortly_before_the_next_opening() -> None:
    home = Home(at(14, 1), round_(), models=["alpha"], has_net=True)
    assert home.lookout.look(CLASSIC, home.configs).wants_pass
    net = Submission(CLASSIC, 1404, "alpha", state=State.FAILED, next_attempt_at=at(14, 9))
    home.store.nets.rows = [net]
    assert not home.lookout.look(CLASSIC, home.configs).wants_pass
    home.clock.wait(600)
    assert home.lookout.look(CLASSIC, home.configs).wants_pass
    home.store.nets.rows = [replace(net, state=State.QUEUED)]
    assert not home.lookout.look(CLASSIC, home.configs).wants_pass
    home.store.nets.rows = []
    home.clock.wait(22.6 * 3600)
    assert home.clock.now() > at(12, 45, day=25)
    assert not home.lookout.look(CLASSIC, home.configs).wants_pass


def test_without_the_owners_wish_there_is_no_safety_net() -> None:
    home = Home(at(14, 1), round_())
    assert not home.lookout.look(CLASSIC, home.configs).wants_pass


def test_a_round_that_is_left_out_is_written_down_once_with_the_reason() -> None:
    home = Home(at(13, 1), round_(), play="weekend")
    for _ in range(2):
        home.lookout.look(CLASSIC, home.configs)
    assert home.store.words("left-out") == ['round 1404 is left out: [schedule] play is "weekend"']
    nobody = Home(at(13, 1), round_(), models=[])
    for _ in range(2):
        nobody.lookout.look(CLASSIC, nobody.configs)
    assert nobody.store.words("left-out") == ["round 1404 is left out: no model is enabled"]
