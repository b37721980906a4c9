"""kill -9 on `numebot run`, at every border of the step machine and at any moment, with answers that get lost."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from numebot.core.errors import NumebotError
from numebot.practice.faults import Fault, Kind
from tests.chaos.killing import (
    COUNTER,
    LONGEST_S,
    kill_at,
    measured,
    numebot_run,
    states_after_a_kill,
    unfinished_files,
)
from tests.chaos.light_market import light_numebot
from tests.chaos.promises import accepted, assert_kept

Make = Callable[..., Any]

MODELS = ("alpha", "beta", "gamma")
ON_THE_WAY, AT_THE_END = (
    [f"{when}{state}" for state in states for when in ("before:", "")]
    for states in (("predicted", "checked", "uploaded", "submitted"), ("confirmed",))
)
VALIDATION_S = 30
KILLS_A_ROUND = 5
RUNS_TO_THE_END = 8
"""Undisturbed runs that a round may need after its kills, as answers go on getting lost."""


def lost_answers(operation: str) -> tuple[Fault, Fault]:
    """3 of 10 answers never arrive although the work was done: half as an error, half as a broken connection."""
    return (
        Fault(Kind.STATUS_AFTER_COMMIT, operation, probability=0.15),
        Fault(Kind.RESET_AFTER_COMMIT, operation, probability=0.15 / 0.85),  # asked only where the first spared it
    )


LOST = tuple(
    fault for operation in ("submissionUploadAuth", "put", "createSubmission") for fault in lost_answers(operation)
)


def current_round(bot: Any) -> int:
    number: int = bot.server.world.calendar.current(bot.server.clock.now()).number
    return number


def play_to_the_end(bot: Any) -> None:
    for _ in range(RUNS_TO_THE_END):
        try:
            if bot.run().is_done:
                return
        except NumebotError:
            continue
        bot.server.world.advance(timedelta(seconds=VALIDATION_S))


@pytest.mark.parametrize(("borders", "validation_s"), [(ON_THE_WAY, VALIDATION_S), (AT_THE_END, 0)])
def test_a_kill_at_a_border_in_one_model_after_the_other(
    numebot: Make,
    tmp_path: Path,
    is_full: bool,
    chance: random.Random,
    figures: Callable[..., None],
    borders: list[str],
    validation_s: float,
) -> None:
    # while Numerai validates, it lists nothing yet, and a process that starts again has to ask for what it sent
    bot = light_numebot(numebot, tmp_path, models=MODELS, validation_delay_s=validation_s)
    chosen = borders if is_full else chance.sample(borders, 1)
    for border in chosen:
        number = current_round(bot)
        for turn in range(len(MODELS)):
            # the first in the list gets to the border first, and those that were killed there before wait behind
            bot.configs(*MODELS[turn:], *MODELS[:turn])
            with numebot_run(bot, tmp_path / "log", NUMEBOT_CRASH_AT=border) as process:
                assert process.wait(LONGEST_S) == -signal.SIGKILL, (border, turn, (tmp_path / "log").read_text())
        play_to_the_end(bot)
        assert_kept(bot, number, MODELS)
        assert unfinished_files(bot) == []
        bot.server.world.advance_to_next_opening()
    kills = len(chosen) * len(MODELS)
    figures(f"kills at {chosen[-1]} …", kills=kills, rounds=len(chosen), model_rounds=kills)


def test_kills_at_any_moment_with_3_of_10_answers_lost(
    numebot: Make, tmp_path: Path, is_full: bool, chance: random.Random, figures: Callable[..., None]
) -> None:
    bot, log = light_numebot(numebot, tmp_path, models=MODELS), tmp_path / "log"
    bot.configs(*MODELS)
    bot.server.faults.replace((COUNTER,))
    life = measured(bot, log)
    bot.server.faults.replace((COUNTER, *LOST))
    hunt = Hunt(bot)
    kills = 200 if is_full else 10
    for count, moment in enumerate(moments(kills, chance)):
        if count % KILLS_A_ROUND == 0:
            hunt.next_round()
        while (work_s := kill_at(bot, log, life, moment)) is not None:
            # What was left of the round took less time than that. If it was a whole one, lives are shorter by now.
            life = replace(life, work_s=work_s) if hunt.is_fresh else life
            hunt.next_round()
            moment *= 0.95
        hunt.note_kill()
    hunt.next_round()
    lost = sum(switched.struck for switched in bot.server.faults.switched() if switched.fault != COUNTER)
    figures(
        "random kills",
        kills=kills,
        rounds=hunt.rounds,
        model_rounds=hunt.rounds * len(MODELS),
        answers_lost=lost,
        duplicates=hunt.duplicates,
        missing=hunt.missing,
        states_when_killed=dict(hunt.states.most_common()),
    )
    assert lost


def moments(count: int, chance: random.Random) -> list[float]:
    """Return moments spread evenly over a life, in any order: one in ten during the start-up, the others after it."""
    early = count // 10
    spread = [-(n + chance.random()) / early for n in range(early)]
    spread += [(n + chance.random()) / (count - early) for n in range(count - early)]
    chance.shuffle(spread)
    return spread


class Hunt:
    """A row of rounds in which processes are killed; each is played to its end and looked at before the next."""

    def __init__(self, bot: Any) -> None:
        self.bot = bot
        self.rounds = self.duplicates = self.missing = 0
        self.states: Counter[str] = Counter()
        self.is_fresh = True
        """Whether nothing was done yet in the round."""

    def note_kill(self) -> None:
        self.is_fresh = False
        self.states += states_after_a_kill(self.bot, current_round(self.bot), MODELS)

    def next_round(self) -> None:
        """End the round undisturbed, hold it against the promises, and open the next one."""
        number = current_round(self.bot)
        play_to_the_end(self.bot)
        found = [len(accepted(self.bot, model, number)) for model in MODELS]
        self.duplicates += sum(max(0, count - 1) for count in found)
        self.missing += found.count(0)
        assert_kept(self.bot, number, MODELS)
        assert unfinished_files(self.bot) == []
        self.rounds += 1
        self.is_fresh = True
        self.bot.server.world.advance_to_next_opening()
