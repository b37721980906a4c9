"""`numebot ledger`, `rounds` and `why` over a database with a history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from numebot.adapters.clock import SystemClock
from numebot.cli import cli
from numebot.core.errors import ConfigError
from numebot.core.ledger import PASS, WAKE_UP
from numebot.core.types import State
from tests.ledger_rows import LedgerRows


class Home(LedgerRows):
    """Six rounds: alpha on-time but for 1402, beta disabled in 1403 and late in 1404."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SystemClock().now())
        self.folder = folder
        self.slots(
            alpha={number: "on-time" for number in range(1400, 1406) if number != 1402},
            beta={1400: "on-time", 1401: "on-time", 1402: "on-time", 1404: "late", 1405: "on-time"},
        )
        self.configured("alpha", "beta")
        for number in range(1400, 1406):
            if number != 1402:
                self.row(number, "alpha", State.CONFIRMED)
            if number not in (1403, 1404):
                self.row(number, "beta", State.CONFIRMED)
        self.row(1402, "alpha", State.MISSED, "the plugin was killed [at] its limit")
        self.row(1404, "beta", State.LATE, "Numerai lists it as late")
        self.note(1403, PASS, "a pass begins", models=["alpha"], enabled=["alpha"], disabled=["beta"])
        self.pays(1402, corr60=3.0, mmc60=15.0)
        self.scored(1402, "beta", corr60=0.01, mmc60=0.002)

    def call(self, *arguments: str) -> Result:
        environ = {"NUMEBOT_HOME": str(self.folder), "NUMERAI_DATA_FOLDER": str(self.folder)}
        return CliRunner().invoke(cli, arguments, env=environ, standalone_mode=False)

    def shown(self, *arguments: str) -> str:
        result = self.call(*arguments)
        assert result.exception is None, result.exception
        return result.output

    def answer(self, *arguments: str) -> Any:
        return json.loads(self.shown(*arguments, "--json"))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.store.close()


def line_with(words: str, text: str) -> str:
    found = [line for line in text.splitlines() if words in line]
    assert len(found) == 1, f"{words!r} in {text}"
    return found[0]


def test_the_ledger_is_a_grid_with_what_was_lost_below(home: Home) -> None:
    shown = home.shown("ledger")
    alpha, beta = (line for line in shown.splitlines() if line.lstrip().startswith(("alpha", "beta")))
    assert "●●M●●●" in alpha
    assert "●●●-L●" in beta
    assert alpha.split()[2:4] == ["83.3%", "3"]
    assert "● on-time   L late   M missed   - skipped" in shown
    lost = line_with("1402 ", shown)
    assert "the plugin was killed [at] its limit" in lost
    assert "+0.0600, median of 1 own other model in this round" in lost
    assert "not known" in line_with("Numerai lists it as late", shown)


def test_only_misses_only_some_models_and_only_the_newest_rounds(home: Home) -> None:
    shown = home.shown("ledger", "--missed")
    assert "●" not in shown
    assert ("1402" in shown, "1404" in shown) == (True, True)
    shown = home.shown("ledger", "--missed", "--last", "3")
    assert ("1402" in shown, "1404" in shown) == (False, True)
    assert "nothing was missed in these rounds" in home.shown("ledger", "alpha", "--last", "3")
    month = home.round(1402).opens_at
    assert 1402 in home.answer("ledger", "--month", f"{month:%Y-%m}")["rounds"]
    assert "no round is known in 1999-01" in home.shown("ledger", "--month", "1999-01")


def test_the_ledger_as_json_has_the_documented_fields(home: Home) -> None:
    answer = home.answer("ledger")
    assert list(answer) == ["tournament", "rounds", "models", "not_on_time"]
    assert answer["rounds"] == list(range(1400, 1406))
    alpha, beta = answer["models"]
    assert (alpha["model"], alpha["model_id"], alpha["streak"]) == ("alpha", "id-alpha", 3)
    assert alpha["share_on_time"] == pytest.approx(5 / 6)
    assert alpha["counts"]["missed"] == 1
    assert beta["rounds"][3] == {"round": 1403, "state": "skipped", "reason": "disabled at the time"}
    late, missed = answer["not_on_time"]
    assert (late["round"], late["estimate"]) == (1404, None)
    assert missed["estimate"]["score"] == pytest.approx(0.06)
    assert missed["estimate"]["metrics"] == {"corr60": 0.01, "mmc60": 0.002}
    assert list(home.answer("ledger", "--missed")) == ["tournament", "rounds", "not_on_time"]


def test_an_unknown_model_of_the_ledger_gets_a_suggestion(home: Home) -> None:
    result = home.call("ledger", "alhpa")
    assert isinstance(result.exception, ConfigError)
    assert 'Did you mean "alpha"? Known are: alpha, beta' in str(result.exception)


def test_rounds_tell_lateness_state_and_how_many_are_on_time(home: Home) -> None:
    home.see(1401, payout_factor="0.5", resolves_at=home.now, is_resolved=True)
    shown = home.shown("rounds", "--last", "5")
    assert [line.split()[0] for line in shown.splitlines() if line.strip()[:2] == "14"] == [
        "1405", "1404", "1403", "1402", "1401",
    ]  # fmt: skip
    line = line_with("1401 ", shown)
    assert " 0 s " in line
    assert f"{home.round(1401).opens_at:%a %Y-%m-%d %H:%M:%S}" in line
    assert line.split()[-3:] == ["resolved", "2/2", "0.5"]
    assert "1/2" in line_with("1404 ", shown)
    assert "1/1" in line_with("1403 ", shown), "a disabled model is not wanted"
    newest = home.answer("rounds", "--last", "1")["rounds"][0]
    assert list(newest) == [
        "round", "state", "opens_at", "opened_late_s", "deadline", "scores_at", "resolves_at", "on_time", "wanted",
        "payout_factor",
    ]  # fmt: skip
    assert (newest["round"], newest["on_time"], newest["opened_late_s"]) == (1405, 2, 0.0)


def test_why_tells_one_story_in_order(home: Home) -> None:
    home.note(1402, WAKE_UP, "wake-up (a round is expected): a pass is started", at_s=3, missing=["alpha"])
    home.note(1402, PASS, "a pass begins (on schedule), 2 to do", at_s=4, models=["beta", "alpha"])
    again = (home.round(1402).opens_at + timedelta(seconds=90)).isoformat()
    words = "createSubmission: no usable answer (HTTP 502 [bad gateway])."
    home.note(1402, "state", f"failed: {words}", "alpha", at_s=30, state="failed", next_attempt_at=again, lasted_s=12.4)
    home.note(1402, "state", "confirmed (b.csv)", "beta", at_s=31, state="confirmed")
    home.note(1401, "state", "another round", "alpha")
    shown = home.shown("why", "1402", "alpha")
    title, *_ = shown.splitlines()
    assert title == "Classic, round 1402, alpha: missed: the plugin was killed [at] its limit"
    order = ["opened", "wake-up (a round", "number 2 of them", words, "looked at again in 1 min", "deadline"]
    places = [shown.rindex(one) for one in order]
    assert places == sorted(places)
    failed = line_with(words, shown)
    assert ("+0:00:30" in failed, "-0:59:30" in failed, "12.4 s" in failed) == (True, True, True)
    assert "another round" not in shown
    assert "b.csv" not in shown


def test_why_as_json_has_the_documented_fields(home: Home) -> None:
    answer = home.answer("why", "last", "alpha")
    assert list(answer) == [
        "tournament", "round", "model", "state", "reason", "opens_at", "deadline", "submission", "moments",
    ]  # fmt: skip
    assert (answer["round"], answer["state"], answer["reason"]) == (1405, "on-time", None)
    assert answer["submission"]["filename"] == "alpha_submission_1405-abcdefgh.csv"
    assert "round 1405 opened" in [moment["words"] for moment in answer["moments"]]
    assert home.answer("why", "current", "beta")["round"] == 1405


def test_why_also_answers_where_nothing_was_done(home: Home) -> None:
    shown = home.shown("why", "1403", "beta")
    assert "beta: skipped: disabled at the time" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("99", "alpha"), "round 99: not known. Of classic, rounds 1400 to 1405 are"),
        (("soon", "alpha"), 'Allowed is a number from 1400 to 1405, "current" or "last"'),
        (("1402", "alhpa"), 'model "alhpa": not known. Did you mean "alpha"? Known are: alpha, beta.'),
        (("1402", "alpha", "--tournament", "signals"), "signals: no round was seen yet"),
    ],
)
def test_why_says_what_there_is_when_it_is_asked_for_something_else(
    home: Home, arguments: tuple[str, ...], words: str
) -> None:
    result = home.call("why", *arguments)
    assert isinstance(result.exception, ConfigError)
    assert words in str(result.exception)


def test_a_name_in_two_tournaments_has_to_be_chosen(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.tournament = 11
    home.see(1402)
    home.slots(alpha={1402: "on-time"})
    monkeypatch.setenv("NUMEBOT_TOURNAMENT__PLAY", "classic,signals")
    result = home.call("why", "1402", "alpha")
    assert isinstance(result.exception, ConfigError)
    assert "Add --tournament classic or --tournament signals." in str(result.exception)
    assert home.answer("why", "1402", "alpha", "--tournament", "signals")["tournament"] == 11


def test_an_empty_database_says_so(tmp_path: Path) -> None:
    environ = {"NUMEBOT_HOME": str(tmp_path), "NUMERAI_DATA_FOLDER": str(tmp_path)}
    for command in ("ledger", "rounds"):
        result = CliRunner().invoke(cli, [command], env=environ, standalone_mode=False)
        assert "no round is known" in result.output
