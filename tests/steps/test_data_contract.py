from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from numebot.adapters.artifacts import Artifacts, TrainingRecord
from numebot.adapters.datasets import Datasets
from numebot.adapters.store import Store
from numebot.core.contract import KIND
from numebot.core.errors import Unavailable
from numebot.core.types import Round, Tournament, TrainedVersion
from numebot.steps.live_files import LiveFiles
from tests.fakes import FakeClock, FakeDataSource, made_up_rows, parquet_bytes

OPENED = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROUND = Round(Tournament.CLASSIC, 1405, OPENED, OPENED)
LIVE = parquet_bytes(made_up_rows(["X"], targets=False))


def features_json(*names: str) -> bytes:
    return json.dumps({"feature_sets": {"all": list(names)}, "targets": []}).encode()


@pytest.fixture
def server() -> FakeDataSource:
    return FakeDataSource(
        {
            "v5.2/live.parquet": LIVE,
            "v5.3/live.parquet": b"not asked for",
            "v5.3/features.json": features_json("feature_0", "feature_1", "feature_9"),
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "numerai_data").mkdir()
    store = Store(f"sqlite:///{tmp_path / 'numerai_data' / 'numebot.db'}")
    yield store
    store.close()


def trained(folder: Path, *features: str, model: str = "alpha", data_version: str = "v5.2") -> TrainedVersion:
    record = TrainingRecord(data_version, features, "target_ender_20", {}, {}, None, {}, "models.feature_mean", "")
    return Artifacts(folder / "numerai_data").keep(
        model, record, save=lambda place: (place / "x").touch(), now=OPENED
    )


def live_files(server: FakeDataSource, store: Store, folder: Path) -> LiveFiles:
    return LiveFiles(Datasets(server, folder / "numerai_data"), store, FakeClock(), ROUND)


def told(store: Store) -> list[str]:
    return [event.message for event in store.events(kinds=(KIND,))]


def test_who_breaks_with_a_version_is_told_once_when_it_is_announced(
    server: FakeDataSource, store: Store, tmp_path: Path
) -> None:
    broken = trained(tmp_path, "feature_0", "feature_1", "feature_2", "feature_3")
    whole = trained(tmp_path, "feature_0", "feature_1", model="beta")
    for _ in range(2):  # two passes
        files = live_files(server, store, tmp_path)
        for version in (broken, whole, broken, None):
            if version is not None:
                assert files.for_model(version).version == "v5.2"
    assert told(store) == [
        "alpha: 2 of its 4 features are not in data version v5.3: feature_2, feature_3. It plays on while Numerai "
        "offers v5.2; before that ends: numebot train alpha"
    ]
    assert server.requests.count("v5.3/features.json") == 1


def test_features_that_cannot_be_had_now_stop_nothing_and_are_asked_for_again(
    server: FakeDataSource, store: Store, tmp_path: Path
) -> None:
    broken = trained(tmp_path, "feature_2")
    server.failures = [Unavailable("not now")]
    files = live_files(server, store, tmp_path)
    assert files.for_model(broken).version == "v5.2"
    assert files.for_model(broken).version == "v5.2"
    assert told(store) == []
    assert server.requests.count("v5.3/features.json") == 1
    live_files(server, store, tmp_path).for_model(broken)
    assert len(told(store)) == 1


def test_an_older_version_breaks_nobody(server: FakeDataSource, store: Store, tmp_path: Path) -> None:
    server.files["v5.3/live.parquet"] = LIVE
    files = live_files(server, store, tmp_path)
    files.for_model(trained(tmp_path, "feature_2", data_version="v5.3"))
    assert told(store) == []
    assert "v5.3/features.json" not in server.requests


def test_the_list_of_models_says_who_breaks(server: FakeDataSource, store: Store, tmp_path: Path) -> None:
    (tmp_path / "models_of_mine").mkdir()
    (tmp_path / "model_configs.csv").write_text(
        "numerai_name,model_code\nalpha,models.feature_mean\nbeta,models.feature_mean\n"
    )
    files = live_files(server, store, tmp_path)
    files.for_model(trained(tmp_path, "feature_2"))
    files.for_model(trained(tmp_path, "feature_0", model="beta"))

    def listed() -> dict[str, object]:
        own = {"NUMEBOT_HOME": str(tmp_path), "NUMERAI_DATA_FOLDER": str(tmp_path / "numerai_data")}
        answer = subprocess.run(
            [sys.executable, "-m", "numebot", "models", "--json"],
            capture_output=True, text=True, check=True, cwd=tmp_path, env={**os.environ, **own},
        )  # fmt: skip
        return {row["name"]: row["breaks_with"] for row in json.loads(answer.stdout)}

    assert listed() == {"alpha": "v5.3", "beta": None}
    trained(tmp_path, "feature_9", data_version="v5.3")  # trained anew
    assert listed() == {"alpha": None, "beta": None}
