"""The power fails at any moment of a pass: what the disk may hold then is whole, true, and enough to go on from."""

from __future__ import annotations

import random
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from numebot.core.types import STEPS, State
from tests.chaos import disk_model
from tests.chaos.disk_model import Fate, by_chance, everything, nothing
from tests.chaos.power_checks import (
    DATABASE,
    Told,
    complaints,
    lay_out,
    read_records,
    told_by,
    torn_files,
    trained_complaints,
)
from tests.chaos.promises import assert_kept
from tests.chaos.replay import Replay
from tests.chaos.strace import NUMEBOT_RUN, calls, under_strace
from tests.machine_tools import needed
from tests.numebot_home import MEAN

pytestmark = [needed("strace", "strace"), pytest.mark.slow]
Make = Callable[..., Any]

MODELS = ("alpha", "beta")
MIXTURES = 20
"""How many random mixtures of lost and kept changes are tried at each cut in the whole form."""


class Watch:
    """Looks at a pass through its strace log: one power cut after each change of the disk."""

    def __init__(self, bot: Any, log: Path, desk: Path) -> None:
        self.told: list[Told] = []
        self.cuts = 0
        self.states = 0
        self._home = bot.home
        self._folder = bot.data_folder
        self._data = f"{bot.data_folder.name}/"
        self._log = log
        self._desk = desk
        self._seen: set[tuple[frozenset[tuple[str, bytes | None]], int]] = set()

    def look(self, mixtures: int, chance: random.Random) -> Replay:
        """Check each state that the disk may be in at each cut."""
        replay = Replay(self._folder)
        for sent in replay.play(calls(self._log)):
            if sent is not None:
                self.told += told_by(sent)
            self.cuts += sent is None
            for fate in (nothing, everything, *(by_chance(chance) for _ in range(mixtures))):
                state = replay.disk.after_power_cut(fate)
                assert not torn_files(state, replay.finals), f"cut {self.cuts}"
                self._check(state)
        return replay

    def _check(self, state: disk_model.State) -> None:
        key = frozenset(state.items()), len(self.told)
        if key in self._seen:
            return
        self._seen.add(key)
        self.states += 1
        desk = self._desk / str(self.states)
        desk.mkdir(parents=True)
        inside = {path.removeprefix(self._data): content for path, content in state.items()}
        lay_out(inside, desk, only=(DATABASE, "models/"))
        wrong = complaints(state, read_records(desk / DATABASE), self.told, str(self._home))
        assert wrong + trained_complaints(desk, self.told) == [], f"cut {self.cuts}, told {self.told[-1:]}"
        shutil.rmtree(desk)


def test_the_power_fails_after_any_call_of_a_pass(
    numebot: Make, tmp_path: Path, is_full: bool, chance: random.Random, figures: Callable[..., None]
) -> None:
    bot = numebot()
    log = tmp_path / "pass.strace"
    done = under_strace(NUMEBOT_RUN, log, environ=bot.environ())
    assert done.returncode == 0, done.stderr
    watch = Watch(bot, log, tmp_path / "desk")
    replay = watch.look(MIXTURES if is_full else 0, chance)
    figures("power cuts in a pass", cuts=watch.cuts, states=watch.states, told=len(watch.told))
    # The log was read rightly only if the model ends with the files that are really there.
    assert replay.disk.after_power_cut(everything) == really_there(bot)
    assert {(told.model, told.step) for told in watch.told} == {(name, step) for name in MODELS for step in STEPS[1:]}
    assert sum(told.filename is not None for told in watch.told) == 2
    assert watch.cuts > 150


TRAINED = """
    def fit(self, data):
        self.weights = data.X.mean()

    def predict(self, live):
        return live @ self.weights
"""
TRAIN_AND_RUN = '"$PYTHON" -m numebot train alpha && "$PYTHON" -m numebot run alpha && "$PYTHON" -m numebot run'


def test_the_power_fails_while_a_model_is_trained_and_played(
    numebot: Make, tmp_path: Path, is_full: bool, chance: random.Random, figures: Callable[..., None]
) -> None:
    if not is_full:
        pytest.skip("only in the whole form: CHAOS=full")
    bot = numebot()
    code = bot.plugin("trained", MEAN + TRAINED)  # the later predict counts
    bot.configs(f"alpha,{code}", "beta")
    log = tmp_path / "training.strace"
    done = under_strace(["sh", "-c", TRAIN_AND_RUN], log, environ={**bot.environ(), "PYTHON": sys.executable})
    assert done.returncode == 0, done.stderr
    watch = Watch(bot, log, tmp_path / "desk")
    replay = watch.look(MIXTURES // 2, chance)
    figures("power cuts in training", cuts=watch.cuts, states=watch.states, told=len(watch.told))
    assert replay.disk.after_power_cut(everything) == really_there(bot)
    assert any(told.version for told in watch.told)


@dataclass(frozen=True)
class Cut:
    """A moment at which the pass is killed, and what becomes of what was not synced."""

    moment: str
    fate: str

    def options(self) -> list[str]:
        """For "fsync 7" the way to die at that call; a border of the step machine needs none."""
        call, _, count = self.moment.partition(" ")
        return ["-e", f"inject={call}:signal=KILL:when={count}"] if count else []


FATES = ("nothing", "everything", "chance")
CUTS = [Cut("uploaded", "nothing"), Cut("before:submitted", "nothing")]
ALL_CUTS = [
    *(Cut(f"{when}{step}", fate) for step in STEPS[1:] for when, fate in (("before:", "chance"), ("", "nothing"))),
    *(Cut(f"fdatasync {count}", FATES[count % 3]) for count in range(1, 20)),
    *(Cut(f"fsync {count}", FATES[count % 3]) for count in range(1, 18, 2)),
    *(Cut(f"sendto {count}", FATES[count % 3]) for count in range(5, 26, 2)),
]


def test_the_run_after_a_power_cut_confirms_one_submission(
    numebot: Make, practice: Make, tmp_path: Path, is_full: bool, chance: random.Random, figures: Callable[..., None]
) -> None:
    cuts = ALL_CUTS if is_full else CUTS
    server = practice(models=tuple(f"model_{index}" for index in range(len(cuts))))
    fates = {"nothing": nothing, "everything": everything, "chance": by_chance(chance)}
    made = accepted = 0
    for index, cut in enumerate(cuts):
        bot, model, log = numebot(server), f"model_{index}", tmp_path / f"{index}.strace"
        bot.configs(model)
        environ = {**bot.environ(), "NUMEBOT_CRASH_AT": cut.moment}
        killed = under_strace(NUMEBOT_RUN, log, *cut.options(), environ=environ)
        if killed.returncode == 0 and cut.options():
            continue  # the pass had fewer such calls
        assert killed.returncode == -signal.SIGKILL, f"{cut}: {killed.stderr}"
        made += 1
        power_fails(bot, log, fates[cut.fate])
        accepted += len(bot.accepted(model))
        (row,) = bot.run().submissions
        assert row.state is State.CONFIRMED, (cut, row)
        assert_kept(bot, row.round_number, [model])
        log.unlink()
    figures("runs after a power cut", cuts=made, accepted_before_the_cut=accepted, missing=0, doubled=0)
    assert made >= 0.9 * len(cuts)


def power_fails(bot: Any, log: Path, fate: Fate) -> None:
    """Put what the disk may hold in place of what is there."""
    replay = Replay(bot.data_folder)
    for _ in replay.play(calls(log)):
        pass
    shutil.rmtree(bot.data_folder)
    lay_out(replay.disk.after_power_cut(fate), bot.home)


def really_there(bot: Any) -> disk_model.State:
    paths = [bot.data_folder, *bot.data_folder.rglob("*")]
    return {str(path.relative_to(bot.home)): None if path.is_dir() else path.read_bytes() for path in paths}
