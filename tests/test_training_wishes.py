"""Training otherwise than a plugin says: other eras, features, targets, seeds, limits; and what becomes current."""

from __future__ import annotations

from pathlib import Path

import pytest

from numebot.core.errors import PluginError
from numebot.core.staging import EraChoice
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.training import TrainingWishes, train_model
from tests.fakes import FakeDataSource, made_up_rows, parquet_bytes
from tests.test_training import NOW, Workshop, eras, server, workshop, xgboost

__all__ = ["server", "workshop"]

NOTES = """
from numebot.plugin import Model


class Notes(Model):
    takes = "{takes}"

    def __init__(self, *, random_state=0, quality=1.0):
        self.random_state, self.quality = random_state, quality

    def fit(self, data):
        print("ROWS", len(data.X), data.target, data.features, self.random_state, data.memory_bytes)
        data.report(1, 2)
        {more}

    def predict(self, live):
        return self.quality * live.iloc[:, 0] + 0.01 * live.iloc[:, 1]
"""


def notes(
    workshop: Workshop, folder: Path, takes: str = "batches", more: str = "pass", **parameters: object
) -> ModelConfig:
    (folder / "notes.py").write_text(NOTES.format(takes=takes, more=more))
    return ModelConfig("rpica", "notes.py", parameters=parameters)


def train(workshop: Workshop, config: ModelConfig, **wishes: object) -> TrainedVersion:
    return train_model(
        config,
        datasets=workshop.datasets,
        artifacts=workshop.artifacts,
        runner=workshop.runner,
        now=lambda: NOW,
        progress=workshop.lines.append,
        wishes=TrainingWishes(**wishes),  # type: ignore[arg-type]
    )


def test_the_wishes_of_one_training_go_into_its_version(workshop: Workshop, tmp_path: Path) -> None:
    config = notes(workshop, tmp_path)
    wishes = {"eras": EraChoice("0003", "0011", 4), "targets": ("target_ender_20",), "seed": 7, "memory_gb": 1.0}
    trained = train(workshop, config, **wishes)
    assert (trained.eras, trained.target) == (("0003", "0011"), "target_ender_20")
    assert trained.parameters == {"random_state": 7}
    told = workshop.runner.log_of(config).read_text()
    features = ["feature_0", "feature_1", "feature_2", "feature_3"]
    assert f"ROWS 120 target_ender_20 {features} 7 {int(1e9 / 2**20) * 2**20}" in told
    with pytest.raises(PluginError, match=r'feature_set "tiny" is not in features.json'):
        train(workshop, config, feature_set="tiny")


def test_one_era_is_enough(workshop: Workshop) -> None:
    trained = train(workshop, xgboost(), eras=EraChoice("0005", "0005"))
    assert trained.eras == ("0005", "0005")
    assert any("40 rows of 1 era (0005)" in line for line in workshop.lines)


def test_a_seed_is_for_plugins_that_take_one(workshop: Workshop) -> None:
    with pytest.raises(PluginError, match=r"models.feature_mean has no fit"):
        train(workshop, ModelConfig("rpica", "models.feature_mean"), seed=1)
    with pytest.raises(PluginError, match=r"--seed is for plugins with a parameter random_state or seed"):
        train(workshop, _without_seed(workshop), seed=1)


def _without_seed(workshop: Workshop) -> ModelConfig:
    place = workshop.datasets._folder.parent / "plain.py"
    place.write_text(
        "from numebot.plugin import Model\n\n\nclass Plain(Model):\n    def fit(self, data):\n        pass\n\n"
        "    def predict(self, live):\n        return live.iloc[:, 0]\n"
    )
    return ModelConfig("rpica", "plain.py")


def test_memory_that_is_too_small_is_told_with_what_it_would_need(workshop: Workshop, tmp_path: Path) -> None:
    config = notes(workshop, tmp_path, takes="frame")
    with pytest.raises(PluginError, match=r"takes a frame: 800 rows .* need about 0\.2 GB .* 0\.1 GB are allowed"):
        train(workshop, config, memory_gb=0.1)
    with pytest.raises(PluginError, match=r"xgboost_matrix: 800 rows .* need about 1\.0 GB"):
        train(workshop, xgboost(), memory_gb=0.3)
    assert workshop.artifacts.versions("rpica") == []


def test_a_worse_version_is_kept_but_not_played_unless_its_owner_wants_it(workshop: Workshop, tmp_path: Path) -> None:
    good = train(workshop, notes(workshop, tmp_path))
    bad = notes(workshop, tmp_path, quality=-1.0)
    kept = train(workshop, bad)
    assert kept.version != good.version
    assert workshop.artifacts.marked("rpica") == good.version
    assert workshop.lines[-1].startswith(f"kept as version {kept.version}, NOT current: corr -0.")
    assert workshop.lines[-1].endswith(f"numebot models rollback rpica --to {kept.version}")
    forced = train(workshop, bad, promotes=True)
    assert workshop.artifacts.marked("rpica") == forced.version
    assert workshop.artifacts.mark("rpica", good.version).version == good.version
    assert workshop.artifacts.marked("rpica") == good.version
    with pytest.raises(PluginError, match=r"rpica has no version '1999'\. There: "):
        workshop.artifacts.mark("rpica", "1999")


def test_what_an_older_numebot_left_unmarked_stays_current(workshop: Workshop, tmp_path: Path) -> None:
    good = train(workshop, notes(workshop, tmp_path))
    (good.folder.parent / "current").unlink()
    train(workshop, notes(workshop, tmp_path, quality=-1.0))
    assert workshop.artifacts.marked("rpica") == good.version


def test_newest_eras_without_targets_are_named(server: FakeDataSource, workshop: Workshop) -> None:
    rows = made_up_rows(eras(1, 20), seed=10)
    rows["target"] = rows["target"].where(rows["era"] < "0019")
    server.files["v5.3/train.parquet"] = parquet_bytes(rows)
    assert train(workshop, xgboost()).eras == ("0001", "0018")
    assert "2 of the eras have no target yet and are left out: 0019 to 0020" in workshop.lines


def test_rows_on_the_disk_are_gone_after_a_training_also_one_that_failed(workshop: Workshop, tmp_path: Path) -> None:
    seen: list[Path] = []
    with workshop.runner.staging() as place:
        folder = place.parent
    with pytest.raises(PluginError, match="not today"):
        train(workshop, notes(workshop, tmp_path, more="raise ValueError('not today')"))
    seen += folder.glob("*")
    assert seen == []
    assert workshop.artifacts.versions("rpica") == []
