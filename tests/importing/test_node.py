from __future__ import annotations

import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numebot.core.types import State

pytestmark = pytest.mark.sampled(0.5)

Make = Callable[..., Any]

NODE = """
import pandas as pd
from numerapi import NumerAPI

napi = NumerAPI()
live = pd.read_parquet(napi.download_dataset("v5.3/live.parquet"))
features = [name for name in live.columns if name.startswith("feature")]
napi.upload_predictions(df=live[features].mean(axis=1).rename("prediction").to_frame())
"""


def test_an_imported_node_plays_in_an_environment_of_its_own(numebot: Make, tmp_path: Path) -> None:
    bot = numebot()
    bot.configs("beta")
    folder = tmp_path / "my node"
    folder.mkdir()
    (folder / "predict.py").write_text(NODE)
    (folder / "requirements.txt").write_text("")
    answer = bot.command("import", "node", str(folder), "--model", "alpha")
    assert answer.returncode == 0, answer.stderr
    (libraries,) = (bot.data_folder / "nodes/alpha/venv/lib").glob("python*/site-packages")
    (libraries / "ours.pth").write_text(sysconfig.get_path("purelib"))  # what its requirements would have brought
    again = bot.command("import", "node", str(folder), "--model", "alpha")
    assert "Its row was there." in again.stderr
    assert (libraries / "ours.pth").exists()
    table = bot.home / "model_configs.csv"
    table.write_text(table.read_text().replace("False", "True"))
    bot.run("alpha")
    assert bot.states()["alpha"] is State.CONFIRMED


def test_what_is_no_node_and_what_cannot_be_installed_is_told(numebot: Make, tmp_path: Path) -> None:
    bot = numebot()
    answer = bot.command("import", "node", str(tmp_path), "--model", "gamma")
    assert (answer.returncode, "has no predict.py" in answer.stderr) == (2, True)
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / "predict.py").write_text(NODE)
    (folder / "requirements.txt").write_text("./no-such-package\n")
    answer = bot.command("import", "node", str(folder), "--model", "gamma")
    assert (answer.returncode, "could not be installed" in answer.stderr) == (2, True), answer.stderr
    answer = bot.command("import", "node", str(folder), "--model", "delta", "--python", "/no/python")
    assert "/no/python: is no Python that can be used" in answer.stderr
