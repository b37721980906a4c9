from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from numebot.adapters.artifacts import Artifacts
from numebot.adapters.datasets import Datasets, Selection
from numebot.adapters.runner.runner import Runner
from numebot.core.checks import check_submission, read_submission, submission_csv, to_submission
from numebot.core.errors import PluginError, Unavailable
from numebot.core.types import ModelConfig, Round, TrainedVersion
from numebot.training import evaluate, train_model
from tests.fakes import FakeDataSource, made_up_rows, parquet_bytes

ROOT = Path(__file__).parents[1]
REAL = Path(os.environ.get("NUMEBOT_SHARED_DATA", ROOT / "../shared/data"))
needs_real_data = pytest.mark.skipif(
    not REAL.is_dir(), reason="real Numerai files: set NUMEBOT_SHARED_DATA to a folder that holds them"
)
NOW = datetime(2026, 11, 22, 2, 13, tzinfo=UTC)
QUICK = {"n_estimators": 30, "learning_rate": 0.1}


def eras(first: int, last: int) -> list[str]:
    return [f"{era:04d}" for era in range(first, last + 1)]


@pytest.fixture
def server() -> FakeDataSource:
    features = {"small": [f"feature_{number}" for number in range(4)]}
    return FakeDataSource(
        {
            "v5.3/features.json": json.dumps({"feature_sets": features, "targets": []}).encode(),
            "v5.3/train.parquet": parquet_bytes(made_up_rows(eras(1, 20), seed=10)),
            "v5.3/validation.parquet": parquet_bytes(made_up_rows(eras(21, 50), seed=20)),
            "v5.3/live.parquet": parquet_bytes(made_up_rows(["X"], seed=30, targets=False)),
        }
    )


class Workshop:
    """Everything a training works with, below one folder."""

    def __init__(self, server: FakeDataSource, folder: Path) -> None:
        self.datasets = Datasets(server, folder)
        self.artifacts = Artifacts(folder)
        self.runner = Runner([ROOT, folder])
        self.lines: list[str] = []

    def train(self, config: ModelConfig) -> TrainedVersion:
        return train_model(
            config,
            datasets=self.datasets,
            artifacts=self.artifacts,
            runner=self.runner,
            now=lambda: NOW,
            progress=self.lines.append,
        )


@pytest.fixture
def workshop(server: FakeDataSource, tmp_path: Path) -> Workshop:
    return Workshop(server, tmp_path)


def xgboost(**parameters: object) -> ModelConfig:
    return ModelConfig("rpica", "models.example_xgboost", parameters={**QUICK, **parameters})


def test_a_trained_version_says_what_it_was_made_from(workshop: Workshop) -> None:
    trained = workshop.train(xgboost())
    assert trained.data_version == "v5.3"
    assert trained.features == ("feature_0", "feature_1", "feature_2", "feature_3")
    assert trained.target == "target_ender_60"
    assert trained.eras == ("0001", "0020")
    assert trained.parameters == {"n_estimators": 30, "learning_rate": 0.1}
    assert trained.trained_at == NOW
    assert {"python", "numebot", "numpy", "pandas", "xgboost"} <= set(trained.libraries)
    assert workshop.artifacts.current("rpica") == trained


def test_it_is_measured_on_eras_after_the_embargo(workshop: Workshop) -> None:
    long = workshop.train(xgboost())
    assert long.metrics["validation_eras"] == 30 - 16
    assert long.metrics["corr_mean"] > 0.1
    assert set(long.metrics) == {"corr_mean", "corr_std", "corr_sharpe", "corr_max_drawdown", "validation_eras"}
    short = workshop.train(xgboost(target="target_ender_20"))
    assert (short.target, short.metrics["validation_eras"]) == ("target_ender_20", 30 - 8)


def test_its_steps_are_told(workshop: Workshop) -> None:
    workshop.train(xgboost())
    assert workshop.lines[0] == "rpica: reading 4 features of v5.3/train.parquet"
    assert workshop.lines[1] == "training on 800 rows of 20 eras (0001 to 0020), target target_ender_60"
    assert workshop.lines[2].startswith("validation on 14 eras: corr 0.")
    assert workshop.lines[3] == "kept as version 20261122T021300Z, current from now on"


def test_the_trained_version_predicts_the_round(workshop: Workshop) -> None:
    config = ModelConfig("rpica", "models.example_lightgbm", parameters=QUICK)
    workshop.train(config)
    trained = workshop.runner.version_for(config, workshop.artifacts)
    live = workshop.datasets.live(Round(8, 1405, NOW, NOW))
    submission = to_submission(workshop.runner.predict(config, trained, live), live.ids)
    assert check_submission(read_submission(submission_csv(submission)), live.ids) == []


def test_a_model_without_fit_is_not_trained(workshop: Workshop) -> None:
    with pytest.raises(PluginError, match=r"rpica: models.feature_mean has no fit and needs no training"):
        workshop.train(ModelConfig("rpica", "models.feature_mean"))
    assert workshop.artifacts.current("rpica") is None


def test_without_validation_eras_it_is_kept_and_said_to_be_not_evaluated(
    server: FakeDataSource, workshop: Workshop
) -> None:
    server.files["v5.3/validation.parquet"] = parquet_bytes(made_up_rows(eras(21, 36), seed=20))
    assert workshop.train(xgboost()).metrics == {"validation_eras": 0}
    assert "not evaluated: no validation era has targets after the embargo of 16 eras" in workshop.lines


def test_a_training_is_not_lost_with_the_validation_file(server: FakeDataSource, workshop: Workshop) -> None:
    del server.files["v5.3/validation.parquet"]
    assert workshop.train(xgboost()).metrics == {"validation_eras": 0}
    assert any(line.startswith("not evaluated: v5.3/validation.parquet") for line in workshop.lines)


def test_a_training_without_rows_to_learn_from_fails_clearly(server: FakeDataSource, workshop: Workshop) -> None:
    del server.files["v5.3/train.parquet"]
    with pytest.raises(Unavailable, match=r"v5.3/train.parquet"):
        workshop.train(xgboost())
    with pytest.raises(PluginError, match=r'"medum" is not in features.json of v5.3'):
        workshop.train(xgboost(feature_set="medum"))


def test_constant_predictions_have_no_score(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "flat.py").write_text(
        "import numpy as np\nfrom numebot.plugin import Model\n\n\nclass Flat(Model):\n"
        "    def fit(self, data):\n        self.fitted = True\n\n"
        "    def predict(self, live):\n        return np.zeros(len(live))\n"
    )
    assert workshop.train(ModelConfig("rpica", "flat.py")).metrics == {"validation_eras": 0}


def test_each_era_is_predicted_by_itself_as_a_round_is(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "ranker.py").write_text(
        "from numebot.plugin import Model\n\n\nclass Ranker(Model):\n"
        "    def fit(self, data):\n        self.fitted = True\n\n"
        "    def predict(self, live):\n        print('ROWS', len(live))\n        return live.iloc[:, 0].rank()\n"
    )
    config = ModelConfig("rpica", "ranker.py")
    workshop.train(config)
    trained = workshop.runner.version_for(config, workshop.artifacts)
    assert trained is not None
    assert trained.metrics["corr_mean"] > 0.1
    assert workshop.runner.log_of(config).read_text().count("ROWS 40\n") == 14


@pytest.fixture
def real_2018() -> FakeDataSource:
    """The real rows of 2018 under today's names: eras 1-90 to learn from, later ones to be measured by."""
    rows = pd.read_parquet(REAL / "classic-2018-numerox/numerox_test_data_2018_mid.parquet")
    known = rows[rows["bernie"].notna()]
    features = [f"x{number}" for number in range(1, 51)]
    live = rows[rows["region_name"] == "live"]
    files = {
        "v0.1/features.json": json.dumps({"feature_sets": {"small": features}}).encode(),
        "v0.1/train.parquet": parquet_bytes(known[known["era"] <= 90]),
        "v0.1/validation.parquet": parquet_bytes(known[known["era"] > 90]),
        "v0.1/live.parquet": parquet_bytes(live.drop(columns=["region_name"])),
    }
    return FakeDataSource(files)


@needs_real_data
@pytest.mark.parametrize("code", ["models.example_xgboost", "models.example_lightgbm"])
def test_a_plugin_learns_from_real_data_and_predicts_its_round(
    real_2018: FakeDataSource, tmp_path: Path, code: str
) -> None:
    workshop = Workshop(real_2018, tmp_path)
    config = ModelConfig("rpica", code, parameters={**QUICK, "target": "bernie"})
    trained = workshop.train(config)
    assert (len(trained.features), trained.target, trained.eras) == (50, "bernie", ("1", "90"))
    assert trained.metrics["validation_eras"] > 10
    assert np.isfinite(list(trained.metrics.values())).all()
    assert -0.3 < trained.metrics["corr_mean"] < 0.5
    live = workshop.datasets.live(Round(8, 1405, NOW, NOW))
    submission = to_submission(workshop.runner.predict(config, trained, live), live.ids)
    assert len(submission) == 43
    assert check_submission(read_submission(submission_csv(submission)), live.ids) == []


@needs_real_data
def test_era_scores_of_real_data_are_finite_for_every_era(real_2018: FakeDataSource, tmp_path: Path) -> None:
    workshop = Workshop(real_2018, tmp_path)
    config = ModelConfig("rpica", "models.example_lightgbm", parameters={**QUICK, "target": "bernie"})
    selection = Selection("v0.1", tuple(f"x{number}" for number in range(1, 51)), ("bernie",))
    fitted = workshop.runner.train(config, workshop.datasets.training(selection))
    groups = list(workshop.datasets.validation(selection, last_training_era="0", embargo=0))
    figures = evaluate(fitted, iter(groups))
    assert figures["validation_eras"] == sum(group.eras.nunique() for group in groups)
