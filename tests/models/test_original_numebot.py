"""Plugins as the original numebot had them, all three generations, trained and asked in real child processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from numebot.adapters.artifacts import Artifacts, TrainingRecord
from numebot.adapters.runner.runner import Runner
from numebot.core.errors import PluginError
from numebot.core.types import ModelConfig
from numebot.original.modules import class_name
from numebot.plugin import TrainingData
from tests.fakes import RoundInMemory, made_up_rows

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 2, 13, tzinfo=UTC)

G1_FRAME = """
from numebot.models.numerai_model import NumeraiModel


class MeanModel(NumeraiModel):
    def load_model(self):
        self.model_ready = True

    def predict(self, dataset, save_for_submission=False):
        assert dataset["era"].eq("eraX").all() and dataset["data_type"].eq("live").all()
        features = [name for name in dataset.columns if name.startswith("feature")]
        return dataset[features].mean(axis=1).to_frame("prediction")
"""

G2_WITH_ROW = """
import joblib
import pandas as pd
from numerapi.numerapi import NumerAPI
from sklearn.linear_model import LinearRegression

from numebot.data.data_constants import NC
from numebot.data.data_manager import DataManager
from numebot.file_names_getter import FileNamesGetter
from numebot.models.numerai_model import NumeraiModel
from private_plugins.extended import DataManagerExtended


class RowModel(NumeraiModel):
    def __init__(self, config_row: pd.Series, file_names: FileNamesGetter, napi: NumerAPI, testing: bool = False):
        self.folder = file_names.model_folder(config_row.name) / "other_files"
        assert config_row["parameters"]["k"] == 46800
        super().__init__(config_row=config_row, file_names=file_names, napi=napi, testing=testing)

    def load_model(self):
        path = self.folder / "linear.joblib"
        if path.exists():
            self.model_ready = True
            return joblib.load(path)
        return LinearRegression()

    def train_model(self, data: DataManager):
        own = DataManagerExtended(data.names, data.nrows, save_memory=False)
        assert own.train_val[NC.era].between(1, 20).all() and len(own.val) == 80
        self.model.fit(own.train_val[own.features], own.train_val[NC.target])
        self.folder.mkdir(parents=True, exist_ok=True)
        joblib.dump(self.model, self.folder / "linear.joblib")

    def predict(self, data: DataManager, to_be_saved_for_submission=False):
        if not self.model_ready:
            return None
        return pd.DataFrame({"prediction": self.model.predict(data.live[data.features])}, index=data.live.index)
"""

EXTENDED = """
import pandas as pd
from numebot import DataManager
from numebot.data.data_constants import NC


class DataManagerExtended(DataManager):
    def __init__(self, file_names, nrows, save_memory=True):
        super().__init__(file_names=file_names, nrows=nrows, save_memory=save_memory)

    @property
    def train_val(self):
        return pd.concat([self.training, self.val]).sort_values(by=NC.era)
"""

G3_DEFAULTS = """
from xgboost import XGBRegressor
from numebot.models.numerai_model import NumeraiModel


class ExampleModel(NumeraiModel):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def load_model(self):
        model = XGBRegressor(n_estimators=5, max_depth=2)
        path = self.names.model_path(self.name, suffix="pkl").with_suffix(".json")
        if path.exists():
            model.load_model(path)
            self.model_ready = True
        return model

    def save_model(self):
        self.model.save_model(self.names.model_path(self.name).with_suffix(".json"))

    def train_model(self, data):
        features = [name for name in data.train.columns if name.startswith("feature")]
        self.model.fit(data.train[features], data.train["target"])
"""

TRAINS_IN_PREDICT = """
import pandas as pd
from sklearn.linear_model import LinearRegression
from numebot.models.numerai_model import NumeraiModel


class Every(NumeraiModel):
    def load_model(self):
        return None

    def predict(self, data, to_be_saved_for_submission=False):
        self.data = data
        self.train_model(data.train)
        rows = data.tournament
        output = pd.DataFrame({"prediction": self.model.predict(rows[data.features])}, index=rows.index)
        if to_be_saved_for_submission:
            self.save_for_submission(output)
        return output

    def train_model(self, dataset):
        self.model = LinearRegression().fit(dataset[self.data.features], dataset["target"])
"""

ASKS = """
from numebot.models.numerai_model import NumeraiModel


class Asks(NumeraiModel):
    def load_model(self):
        return self.models_dict[self.name]
"""

NEVER_READY = """
from numebot.models.numerai_model import NumeraiModel


class Never(NumeraiModel):
    def load_model(self):
        return None
"""


class Old:
    """A folder with old plugins, and a runner that wraps them."""

    def __init__(self, folder: Path) -> None:
        self.live = RoundInMemory(folder / "round")
        self.code = folder / "code"
        self.runner = Runner([ROOT], place=folder / "place")
        self.artifacts = Artifacts(folder)
        rows = made_up_rows([f"{era:04d}" for era in range(1, 21)], targets=True)
        features = [name for name in rows.columns if name.startswith("feature")]
        self.data = TrainingData(rows[features], rows[["target"]], rows["era"], "target")

    def config(self, name: str, source: str, **parameters: object) -> ModelConfig:
        package = self.code / "private_plugins"
        package.mkdir(parents=True, exist_ok=True)
        (package / "extended.py").write_text(EXTENDED)
        (package / f"{name}.py").write_text(source)
        given = {"plugin": f"private_plugins.{name}", "folder": str(self.code), "name": "rpica", **parameters}
        return ModelConfig("rpica", "models.original_numebot", parameters=given, readable=(self.code,))

    def predictions(self, config: ModelConfig) -> pd.Series:
        """Train, keep, and predict from what was kept."""
        fitted = self.runner.train(config, self.data)
        features = tuple(fitted_name for fitted_name in self.data.features)
        record = TrainingRecord("v5.3", features, "target", dict(config.parameters), {}, None, {}, config.code, "")
        version = self.artifacts.keep("rpica", record, save=fitted.save, now=NOW)
        return self.runner.predict(config, version, self.live)

    def linear(self, rows: int | None = None) -> np.ndarray:
        from sklearn.linear_model import LinearRegression

        X, y = self.data.X[:rows] / 4, self.data.y[:rows]
        return LinearRegression().fit(X, y).predict(self.live.rows[self.data.features] / 4)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Old]:
    old = Old(tmp_path)
    yield old
    old.runner.close()


def test_the_first_generation_gets_a_frame(old: Old) -> None:
    found = old.predictions(old.config("mean_model", G1_FRAME))
    assert np.allclose(found, old.live.rows.mean(axis=1) / 4, atol=1e-3)


def test_the_second_gets_its_row_and_keeps_files_of_its_own(old: Old) -> None:
    found = old.predictions(old.config("row_model", G2_WITH_ROW, parameters={"k": 13 * 3600}))
    assert np.allclose(found, old.linear(), atol=1e-3)


def test_the_third_uses_what_the_base_class_does(old: Old) -> None:
    found = old.predictions(old.config("example_model", G3_DEFAULTS))
    assert found.nunique() > 1
    assert list(found.index) == list(old.live.rows.index)


def test_one_that_trains_inside_predict_has_its_training_rows(old: Old) -> None:
    found = old.predictions(old.config("every", TRAINS_IN_PREDICT))
    assert np.allclose(found, old.linear(18 * 40), atol=5e-2)


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("asks", ASKS, r"it asked Numerai \(get_models\)"),
        ("never", NEVER_READY, "says that it is not ready. Train it: numebot train rpica"),
        ("gone", "import no_such_library", "No module named 'no_such_library'"),
        ("empty", "X = 1", "which class"),
    ],
)
def test_what_cannot_run_says_why(old: Old, name: str, source: str, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        old.predictions(old.config(name, source))


@pytest.mark.parametrize(
    ("module", "name"),
    [("a.example_model", "ExampleModel"), ("a.my_NN_model", "MyNnModel"), ("b.v52_ender20", "V52Ender20"),
     ("c.trainByEra", "Trainbyera")],
)  # fmt: skip
def test_class_names_are_made_as_they_were(module: str, name: str) -> None:
    assert class_name(module) == name
