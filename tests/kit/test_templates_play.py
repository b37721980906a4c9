"""Every template from `models new` to a confirmed submission, in real processes against a practice tournament."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numebot.adapters.plugin_files.files import kinds
from numebot.adapters.plugin_files.kinds import KINDS
from numebot.core.types import State

pytestmark = pytest.mark.sampled(0.5)

Make = Callable[..., Any]
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def is_here(kind: str) -> bool:
    library = KINDS[kind].library
    return library is None or importlib.util.find_spec(library) is not None


@pytest.mark.slow
def test_each_is_made_checked_trained_enabled_and_confirmed(numebot: Make) -> None:
    playable = [kind for kind in kinds() if is_here(kind)]
    names = {kind: f"new_{kind}" for kind in playable}
    bot = numebot(models=tuple(names.values()))
    (bot.home / "model_configs.csv").write_text("numerai_name,model_code\n")
    for kind, name in names.items():
        made = bot.command("models", "new", name, "--from", kind)
        assert made.returncode == 0, made.stderr
        steps = re.findall(r"^  numebot (.+)$", made.stderr, re.MULTILINE)
        learns = [f"train {name}"] if KINDS[kind].learns else []
        assert steps == [f"models check {name}", *learns, f"models enable {name}"]
    for step in (["train", *(names[kind] for kind in playable if KINDS[kind].learns)],
                 ["models", "enable", *names.values()], ["run", "--json"],
                 ["models", "check", *names.values()]):  # fmt: skip
        done = bot.command(*step)
        assert done.returncode == 0, (step, done.stdout, done.stderr)
        if step[0] == "run":
            states = {model["name"]: model["state"] for model in json.loads(done.stdout)["models"]}
            assert states == dict.fromkeys(names.values(), State.CONFIRMED)
    assert "live file of round" in done.stdout


def test_the_readme_names_every_template() -> None:
    (told,) = re.findall(r"models new NAME \[--from ([\w|\\]+)\]", README)
    assert set(told.split("\\|")) == set(KINDS)
