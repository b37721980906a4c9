"""Node folders of numerai-cli, run as they are in a real child process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from numebot.adapters.runner.runner import Runner
from numebot.core.errors import PluginError
from numebot.core.types import ModelConfig
from tests.fakes import RoundInMemory

ROOT = Path(__file__).parents[2]

NODE = """
import os
import pandas as pd
from numerapi import NumerAPI

MODEL_CONFIGS = {models}


def predict(napi, weight):
    napi.download_dataset("v5.0/live.parquet", "live.parquet")
    live = pd.read_parquet("live.parquet")
    features = [name for name in live.columns if name.startswith("feature")]
    return (live[features].mean(axis=1) * weight).rename("prediction").to_frame()


def submit(napi, predictions, model_id):
    predictions.to_csv("predictions.csv")
    print("submitted", napi.upload_predictions("predictions.csv", model_id=model_id))


if __name__ == "__main__":
    assert not os.environ["NUMERAI_SECRET_KEY"]
    napi = NumerAPI("public", "secret")
    assert napi.get_current_round() == 1404
    open("trained_model", "a").close()
    for config in MODEL_CONFIGS:
        submit(napi, predict(napi, config["weight"]), config["id"])
"""


@pytest.fixture
def live(tmp_path: Path) -> RoundInMemory:
    return RoundInMemory(tmp_path / "round")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner([ROOT], place=tmp_path / "place")
    yield runner
    runner.close()


def node(tmp_path: Path, source: str, **parameters: Any) -> ModelConfig:
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / "predict.py").write_text(source)
    given = {"folder": str(folder), "python": sys.executable, **parameters}
    return ModelConfig("rpica", "models.numerai_node", parameters=given, readable=(folder,))


def test_its_upload_is_kept_and_its_folder_stays(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    config = node(tmp_path, NODE.format(models=[{"id": "m-1", "weight": 1}]))
    found = runner.predict(config, None, live)
    assert found.tolist() == pytest.approx(live.rows.mean(axis=1).tolist())
    assert [path.name for path in (tmp_path / "node").iterdir()] == ["predict.py"]
    log = runner.log_of(config).read_text()
    assert "upload_predictions: not sent, but taken over. numebot uploads predictions itself" in log
    assert "v5.0/live.parquet was asked for, and this is the file of v5.3" in log


def test_of_several_models_the_row_names_one(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    models = [{"id": "m-1", "weight": 1}, {"id": "m-2", "weight": 2}]
    config = node(tmp_path, NODE.format(models=models), model_id="m-2")
    assert runner.predict(config, None, live).tolist() == pytest.approx((live.rows.mean(axis=1) * 2).tolist())
    unnamed = ModelConfig(
        "rpica", config.code, parameters={**config.parameters, "model_id": ""}, readable=config.readable
    )
    with pytest.raises(PluginError, match=r"predicted for the models m-1, m-2\. Say which one"):
        runner.predict(unnamed, None, live)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("from numerapi import NumerAPI\nNumerAPI().stake_set(5)", "numerapi's stake_set is not there while numebot"),
        ("from numerapi.numerapi import NumerAPI\nNumerAPI().download_dataset('v5.0/train.parquet')",
         "train.parquet into its parameter files"),
        ("import urllib.request as r\nr.urlopen('http://127.0.0.1:9/')", "predict.py|python.* ended with exit code 1"),
        ("pass", "predict.py left no file of predictions"),
    ],
)  # fmt: skip
def test_what_is_numebots_to_do_is_refused(
    tmp_path: Path, runner: Runner, live: RoundInMemory, source: str, words: str
) -> None:
    with pytest.raises(PluginError, match=words):
        runner.predict(node(tmp_path, source), None, live)


def test_a_file_counts_where_nothing_was_uploaded(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    source = "import numerapi, pandas as pd, os\nnapi = numerapi.SignalsAPI()\nnapi.download_dataset('live.parquet')\n"
    source += "pd.read_parquet('live.parquet')[['feature_0']].to_csv('predictions.csv', header=['prediction'])"
    found = runner.predict(node(tmp_path, source), None, live)
    assert found.tolist() == live.rows["feature_0"].tolist()


def test_a_folder_that_is_gone_is_said_so(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    config = node(tmp_path, "pass")
    (tmp_path / "node/predict.py").unlink()
    with pytest.raises(PluginError, match=r"node/predict.py is not there"):
        runner.predict(config, None, live)
