"""Everything that matters in one screen, from the database and this machine alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from numebot.adapters.clock import SystemClock
from numebot.adapters.lease import DAEMON_LOCK, lease
from numebot.cli import cli
from numebot.core.types import Event, Round, State, Submission

Make = Callable[..., Any]


@pytest.fixture
def bot(numebot: Make) -> Any:
    """A numebot that saw round 1404, open for 40 minutes from `bot.now` on, and whose beta failed."""
    bot = numebot()
    bot.now = now = SystemClock().now()
    round_ = Round(8, 1404, now - timedelta(minutes=20), now + timedelta(minutes=40), now + timedelta(days=1))
    with bot.app() as app:
        app.store.remember_round(round_, now=now)
        for name in ("alpha", "beta"):
            app.store.begin_submission(Submission(8, 1404, name), now=now)
    change(bot, "alpha", state=State.CONFIRMED, step=State.CONFIRMED, filename="alpha_submission_1404-x.csv")
    again = now + timedelta(minutes=4)
    change(bot, "beta", state=State.FAILED, error="the weights are gone", attempts=2, next_attempt_at=again)
    return bot


def change(bot: Any, model: str, **changes: object) -> None:
    with bot.app() as app:
        row = app.store.submission(8, 1404, model)
        app.store.change(row, replace(row, **changes), Event(bot.now, "state", "x", 8, 1404, model))


def status(bot: Any, *arguments: str) -> str:
    result = CliRunner().invoke(cli, ["status", *arguments], env=bot.environ(), standalone_mode=False)
    assert result.exception is None, result.exception
    return result.output


def line_with(words: str, text: str) -> str:
    found = [line for line in text.splitlines() if words in line]
    assert len(found) == 1, f"{words!r} in {text}"
    return found[0]


@contextmanager
def daemon(bot: Any, **beacon: object) -> Iterator[None]:
    with bot.app() as app:
        app.store.note("daemon", beacon)
    with lease(bot.data_folder, "serve", SystemClock(), name=DAEMON_LOCK):
        yield


def test_one_screen_says_where_everything_stands(bot: Any) -> None:
    shown = status(bot)
    title = line_with("Classic, round 1404", shown)
    assert re.search(r"\(open, 3[89] min left\), deadline ", title)
    assert f"{bot.now + timedelta(minutes=40):%a %Y-%m-%d %H:%M} UTC" in title
    assert "alpha_submission_1404-x.csv" in line_with("alpha", shown)
    beta = line_with("beta", shown)
    assert "failed" in beta
    assert f"the weights are gone. tried again at {bot.now + timedelta(minutes=4):%H:%M:%S}" in beta
    assert f"Round 1405 is expected at {bot.now + timedelta(days=1):%a %Y-%m-%d %H:%M} UTC or later." in shown
    assert "The daemon is not running" in shown
    assert "GB free of" in line_with("Disk: ", shown)
    assert str(bot.data_folder) in line_with("Disk: ", shown)
    assert len(shown.splitlines()) < 24, "one screen"


def test_the_latest_safe_start_goes_by_past_runs(bot: Any) -> None:
    # 2 min margin, 30 s for the upload, 2 min for a run that was never measured
    start = bot.now + timedelta(minutes=35, seconds=30)
    assert f"latest safe start {start:%H:%M:%S} UTC" in line_with("beta", status(bot))
    with bot.app() as app:
        app.store.record(Event(bot.now, "state", "predicted", 8, 1403, "beta", {"took_s": 600}))
    assert f"latest safe start {start - timedelta(minutes=8):%H:%M:%S} UTC" in line_with("beta", status(bot))


def test_what_is_due_says_so_and_a_stand_in_is_named(bot: Any) -> None:
    change(bot, "beta", next_attempt_at=None, rung="previous")
    assert "fallback: previous. the weights are gone. tried again now" in line_with("beta", status(bot))


def test_a_round_that_is_over_says_for_how_long(bot: Any) -> None:
    with bot.app() as app:
        opens_at = bot.now - timedelta(hours=3)
        app.store.remember_round(Round(8, 1405, opens_at, opens_at + timedelta(hours=1)), now=bot.now)
    shown = status(bot)
    assert re.search(r"Classic, round 1405 \(closed 2 h 0[01] min ago\), deadline ", shown)
    assert "Round 1406 is expected at " in shown
    assert "latest safe start" not in shown


def test_before_the_first_round_the_next_opening_is_shown_all_the_same(numebot: Make) -> None:
    shown = status(numebot())
    assert "Classic: no round was seen yet." in shown
    assert "The next round is expected at " in shown


def test_a_daemon_that_lives_is_told_with_its_last_wake_up(bot: Any) -> None:
    started, finished = bot.now - timedelta(hours=5), bot.now - timedelta(minutes=3)
    beacon = {"started_at": started.isoformat(), "finished_at": finished.isoformat(), "trouble": "no table"}
    with daemon(bot, **beacon, next_look_at=(bot.now + timedelta(minutes=2)).isoformat()):
        shown = status(bot)
    assert re.search("The daemon is alive for 5 h 0[01] min, process ", shown)
    assert re.search(f"Last finished wake-up: {finished:%a %Y-%m-%d %H:%M:%S} UTC, [34] min ago.", shown)
    assert "It complains: no table" in shown
    assert "Its next look was due" not in shown


def test_a_daemon_that_is_late_for_its_next_look_is_told(bot: Any) -> None:
    due = bot.now - timedelta(minutes=6)
    with daemon(bot, finished_at=(bot.now - timedelta(minutes=11)).isoformat(), next_look_at=due.isoformat()):
        assert f"Its next look was due at {due:%H:%M:%S} UTC: it is at work, or it hangs" in status(bot)
    assert "Its next look was due" not in status(bot), "one that is not running is not late"


def test_the_last_alarm_is_shown(bot: Any) -> None:
    with bot.app() as app:
        for message in ("first", "last"):
            app.store.record(Event(datetime(2026, 11, 24, 13, 45, tzinfo=UTC), "alarm", message))
    assert "Last alarm: Tue 2026-11-24 13:45:00 UTC, last" in status(bot)


@pytest.mark.parametrize("beacon", [{}, {"started_at": "soon", "finished_at": 7, "next_look_at": None}])
def test_a_beacon_that_says_nothing_stops_nothing(bot: Any, beacon: dict[str, object]) -> None:
    with daemon(bot, **beacon):
        assert "The daemon is alive, process " in status(bot)


def test_the_json_form_has_the_documented_shape(bot: Any) -> None:
    with daemon(bot, finished_at=bot.now.isoformat(), states={"8": "open"}):
        answer = json.loads(status(bot, "--json"))
    assert list(answer) == ["tournament", "round", "opens_at", "closes_at", "models", "next_round", "daemon"]
    assert (answer["tournament"], answer["round"]) == (8, 1404)
    assert answer["closes_at"] == (bot.now + timedelta(minutes=40)).isoformat()
    assert answer["next_round"] == {"number": 1405, "opens_at": (bot.now + timedelta(days=1)).isoformat()}
    assert {row["name"]: (row["state"], row["fallback"], row["error"]) for row in answer["models"]} == {
        "alpha": ("confirmed", None, None),
        "beta": ("failed", None, "the weights are gone"),
    }
    alive = answer["daemon"]
    assert (alive["is_alive"], alive["finished_at"], alive["states"]) == (True, bot.now.isoformat(), {"8": "open"})
    assert isinstance(alive["pid"], int)
