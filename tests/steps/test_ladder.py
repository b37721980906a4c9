"""Where a rung's predictions come from, and when it has none to give. End to end: tests/pipeline/test_scheduled.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from numebot.adapters.artifacts import Artifacts, TrainingRecord
from numebot.adapters.predictions import PredictionFiles
from numebot.adapters.runner.runner import Runner
from numebot.adapters.store import Store
from numebot.core.errors import PluginError
from numebot.core.types import Event, ModelConfig, State, Submission
from numebot.steps.ladder import Ladder, Source

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
IDS = pd.Index([f"n{number:04d}" for number in range(6)], name="id")
CONFIG = ModelConfig("alpha", "plugins/learner.py", parameters={"weight": 2})
ROW = Submission(8, 1405, "alpha")

PLUGIN = """
from numebot.plugin import Model

class Learner(Model):
    feature_set = "small"
    def __init__(self, weight=1):
        self.weight = weight
    def fit(self, data): ...
    def predict(self, live):
        return live.iloc[:, 0]
"""


class Desk:
    """A ladder on real files and a real database; the live data and the examples are made up."""

    def __init__(self, folder: Path) -> None:
        (folder / "plugins").mkdir()
        (folder / "plugins" / "learner.py").write_text(PLUGIN)
        self.store = Store(f"sqlite:///{folder / 'numebot.db'}")
        self.files = PredictionFiles(folder)
        self.artifacts = Artifacts(folder)
        self.asked: list[str | None] = []
        self.live = SimpleNamespace(round_number=1405, sha256="live", ids=IDS)
        examples: Any = SimpleNamespace(example_predictions=lambda live: pd.Series(0.5, index=live.ids))
        self.ladder = Ladder(Runner([folder]), self.artifacts, self.files, examples, self.store)

    def for_model(self, trained: Any) -> Any:
        """Stand in for LiveFiles: note for which version the live data were asked for."""
        self.asked.append(trained.version if trained else None)
        return self.live

    def source(self, rung: str | None) -> Source:
        files: Any = self
        return self.ladder.source(CONFIG, ROW, rung, files)

    def train(self, second: int) -> str:
        record = TrainingRecord("v5.3", ("f",), "target", {"weight": second}, {}, None, {}, CONFIG.code, "0" * 64)
        now = NOW.replace(second=second)
        return self.artifacts.keep("alpha", record, save=lambda to: (to / "x").write_text(str(second)), now=now).version

    def other(self, state: State, ids: pd.Index = IDS, rung: str | None = None) -> None:
        """Let beta stand somewhere, with predictions."""
        fresh = self.store.begin_submission(Submission(8, 1405, "beta"), now=NOW)
        row = replace(fresh, state=state, step=state, rung=rung, inputs_sha256="beta's")
        self.store.change(fresh, row, Event(NOW, "state", "x"))
        self.files.keep_raw(row, pd.Series(range(len(ids)), index=ids, dtype=float))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.store.close()


def test_the_model_itself_comes_first_with_its_newest_version(desk: Desk) -> None:
    desk.train(1)
    newest = desk.train(2)
    source = desk.source(None)
    assert (source.trained and source.trained.version, source.request is not None) == (newest, True)
    assert desk.asked == [newest]


def test_previous_is_the_version_before_the_current_one_with_a_key_of_its_own(desk: Desk) -> None:
    first, _ = desk.train(1), desk.train(2)
    source = desk.source("previous")
    assert source.trained is not None
    assert (source.trained.version, dict(source.trained.parameters)) == (first, {"weight": 1})
    assert source.key != desk.source(None).key
    assert source.request is not None


def test_without_an_earlier_version_previous_says_so(desk: Desk) -> None:
    desk.train(1)
    with pytest.raises(PluginError, match="fallback previous: alpha has no earlier trained version"):
        desk.source("previous")


def test_a_broken_current_version_is_a_reason_for_the_previous_one(desk: Desk) -> None:
    first, second = desk.train(1), desk.train(2)
    (desk.artifacts.load("alpha", second).folder / "x").write_text("damaged")
    with pytest.raises(PluginError, match="sha256"):
        desk.source(None)
    source = desk.source("previous")
    assert source.trained is not None
    assert source.trained.version == first


def test_another_models_predictions_are_taken_over_in_the_order_of_the_live_data(desk: Desk) -> None:
    desk.other(State.CHECKED, IDS[::-1])
    source = desk.source("beta")
    predictions = source.predict()
    assert list(predictions.index) == list(IDS)
    assert list(predictions) == [5, 4, 3, 2, 1, 0]
    assert (source.scale(), source.trained, source.request) == ("rank", None, None)


@pytest.mark.parametrize("state", [State.PENDING, State.PREDICTED])
def test_predictions_that_have_not_passed_their_checks_are_not_taken_over(desk: Desk, state: State) -> None:
    desk.other(state)
    with pytest.raises(PluginError, match="fallback beta: it has no predictions of its own for this round"):
        desk.source("beta")


def test_what_is_a_stand_in_itself_does_not_stand_in(desk: Desk) -> None:
    desk.other(State.CONFIRMED, rung="example")
    with pytest.raises(PluginError, match="no predictions of its own"):
        desk.source("beta")


def test_a_model_that_was_never_played_or_whose_file_is_gone_has_nothing_to_give(desk: Desk) -> None:
    with pytest.raises(PluginError, match="no predictions of its own"):
        desk.source("beta")
    desk.other(State.CHECKED)
    desk.files.raw_path(Submission(8, 1405, "beta")).unlink()
    with pytest.raises(PluginError, match="no predictions of its own"):
        desk.source("beta")


def test_predictions_for_other_ids_are_never_taken_over(desk: Desk) -> None:
    desk.other(State.CHECKED, IDS[:-1])
    with pytest.raises(PluginError, match="not for the ids of this round's live data"):
        desk.source("beta")


def test_the_example_predictions_are_the_last_resort(desk: Desk) -> None:
    source = desk.source("example")
    assert list(source.predict().index) == list(IDS)
    assert (source.words, source.trained) == ("taken from Numerai's example predictions", None)
    assert source.key not in (None, "")
