"""What a pass leaves behind for `numebot why`: faults of the server, attempts, decisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from numebot.cli import cli
from numebot.practice.faults import Fault, Kind

Make = Callable[..., Any]


@pytest.fixture
def bot(numebot: Make) -> Any:
    bot = numebot()
    # The machine may be busy; what is late here is no fault that these tests are about.
    bot.variables = {"NUMEBOT_API__READ_TIMEOUT_S": "20", "NUMEBOT_API__TOTAL_TIMEOUT_S": "60"}
    return bot


def ask(bot: Any, *arguments: str) -> Any:
    result = CliRunner().invoke(cli, [*arguments, "--json"], env=bot.environ(), standalone_mode=False)
    assert result.exception is None, result.exception
    return json.loads(result.output)


def told(bot: Any) -> list[str]:
    return [f"{one['words']} → {one['decided'] or ''}" for one in ask(bot, "why", "current", "alpha")["moments"]]


def place(words: str, lines: list[str]) -> int:
    found = [index for index, line in enumerate(lines) if words in line]
    assert found, f"{words!r} in {lines}"
    return found[0]


def test_a_lost_answer_is_told_with_what_was_done_about_it(bot: Any) -> None:
    bot.server.faults.switch_on(
        Fault(Kind.STATUS, "submissionUploadAuth", status=503, body="<html>busy</html>", times=1),
        Fault(Kind.STATUS_AFTER_COMMIT, "createSubmission", status=502, times=1),
    )
    bot.run("alpha")
    answer = ask(bot, "why", "current", "alpha")
    assert (answer["state"], answer["reason"]) == ("on-time", None)
    lines = told(bot)
    order = [
        "opened",
        "a pass begins (by hand), 1 to do",
        "predicted ",
        "checked, ",
        "503",
        "uploaded ",
        "502",
        "it is known there, id ",
        "submitted, id ",
        "confirmed (",
        "deadline",
    ]
    places = [place(words, lines) for words in order]
    assert places == sorted(places), lines
    assert "not sent again before Numerai was asked for alpha_submission_" in lines[place("502", lines)]
    took = {one["words"].split()[0]: one["took_s"] for one in answer["moments"] if one["state"] not in (None, "failed")}
    assert all(took[step] is not None for step in ("predicted", "checked,", "uploaded", "submitted,", "confirmed"))
    assert bot.server.secret_key not in json.dumps(answer)


def test_a_failure_is_told_with_the_next_attempt_and_who_was_not_played(bot: Any) -> None:
    bot.server.faults.switch_on(Fault(Kind.STATUS, "put", status=403, body="<Error>AccessDenied</Error>"))
    bot.run("alpha")
    lines = told(bot)
    assert "tried again in 0 s" in lines[place("the storage answered 403", lines)]
    assert "looked at again in" in lines[place("failed: ", lines)]
    answer = ask(bot, "why", "current", "alpha")
    assert answer["state"] == "open"
    assert answer["submission"]["next_attempt_at"] is not None
    with bot.app() as app:
        (begun,) = app.store.events(kinds=["pass"])
    assert (begun.details["models"], begun.details["enabled"]) == (["alpha"], ["alpha", "beta"])


def test_a_pass_that_has_nothing_to_do_writes_nothing(bot: Any) -> None:
    bot.run("alpha")
    with bot.app() as app:
        before = len(app.store.events())
    bot.run("alpha")
    with bot.app() as app:
        assert len(app.store.events()) == before


def test_a_round_that_is_left_out_says_so_once(bot: Any) -> None:
    while bot.server.world.calendar.current(bot.server.clock.now()).opens_at.weekday() >= 5:
        bot.server.world.advance_to_next_opening()
    for _ in range(2):
        bot.run("alpha", play="weekend", only_due=True)
    assert [words.partition(": ")[2] for words in bot.events("left-out")] == ['[schedule] play is "weekend"']
