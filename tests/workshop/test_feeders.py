from __future__ import annotations

import json
import mmap
import os
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost

from numebot.adapters.runner.rows_file import mapped_rows
from numebot.core.errors import PluginError
from numebot.core.staging import StagedRows
from numebot.plugin import TrainingData
from numebot.workshop.feeders import lightgbm as lightgbm_feeder
from numebot.workshop.feeders.rows import Rows
from tests.fakes import made_up_rows

TREES = 20
LIGHTGBM = {"objective": "regression", "num_leaves": 7, "verbosity": -1, "deterministic": True, "force_col_wise": True}
XGBOOST = {"max_depth": 3, "tree_method": "hist", "seed": 0}


def training_data(**changes: object) -> TrainingData:
    rows = made_up_rows([f"{era:04d}" for era in range(8)], 100, seed=1)
    given = {"X": rows.filter(like="feature"), "targets": rows[["target"]], "eras": rows["era"], "target": "target"}
    return TrainingData(**{**given, **changes})  # type: ignore[arg-type]


def in_pieces(frame: pd.DataFrame) -> pd.DataFrame:
    """The same values, one block of memory per column, as a parquet file gives them."""
    return pd.DataFrame({name: frame[name].to_numpy().copy() for name in frame}, index=frame.index)


def in_a_file(data: TrainingData, place: Path, **how: object) -> TrainingData:
    place.write_bytes(np.ascontiguousarray(data.X.to_numpy()).tobytes())
    staged = StagedRows(place, str(data.X.dtypes.iloc[0]), tuple(data.features), data.targets, data.eras, data.target)
    return mapped_rows(staged, **{"is_read_only": True, "memory_bytes": None, **how})  # type: ignore[arg-type]


def test_rows_of_a_mapped_file_are_views_of_it_and_of_any_frame_the_same(tmp_path: Path) -> None:
    data = training_data()
    mapped = in_a_file(data, tmp_path / "rows")
    pd.testing.assert_frame_equal(mapped.X, data.X)
    for frame in (mapped.X, data.X, in_pieces(data.X)):
        rows = Rows(frame)
        assert rows.dtype == np.int8
        np.testing.assert_array_equal(rows.batch(7, 19), data.X.to_numpy()[7:19])
        np.testing.assert_array_equal(rows.picked(np.array([5, 2])), data.X.to_numpy()[[5, 2]])
    assert np.shares_memory(Rows(mapped.X).batch(0, 9), Rows(mapped.X).batch(0, 9))


def test_what_a_plugin_writes_into_its_frame_stays_its_own(tmp_path: Path) -> None:
    data = training_data()
    frame = in_a_file(data, tmp_path / "rows", is_read_only=False).X
    before = (tmp_path / "rows").read_bytes()
    matrix = np.frombuffer(memoryview(mapping_below(frame)), np.int8)
    assert matrix.flags.writeable
    matrix[0] = 99
    assert frame.iloc[0, 0] == 99
    assert (tmp_path / "rows").read_bytes() == before


def mapping_below(frame: pd.DataFrame) -> mmap.mmap:
    thing: object = frame.to_numpy()
    while not isinstance(thing, mmap.mmap):
        thing = thing.obj if isinstance(thing, memoryview) else thing.base  # type: ignore[attr-defined]
    return thing


def test_pages_that_were_read_are_given_back_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = training_data()
    rows = Rows(in_a_file(data, tmp_path / "rows").X)
    monkeypatch.setattr("numebot.workshop.feeders.rows.RELEASE_BYTES", 100)
    for start, stop in rows.batches(50):
        np.testing.assert_array_equal(rows.batch(start, stop), data.X.to_numpy()[start:stop])


def test_numpy_batches_hold_every_row_once_in_order() -> None:
    data = training_data()
    batches = list(data.numpy_batches(rows=150))
    assert [len(batch.X) for batch in batches] == [150] * 5 + [50]
    np.testing.assert_array_equal(np.concatenate([batch.X for batch in batches]), data.X.to_numpy())
    np.testing.assert_array_equal(np.concatenate([batch.targets for batch in batches]), data.targets.to_numpy())
    assert list(np.concatenate([batch.eras for batch in batches])) == list(data.eras)
    assert batches[0].X.dtype == np.int8


def test_lightgbm_learns_the_same_from_batches_as_from_the_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lightgbm_feeder, "BATCH_BYTES", 2000)
    data = training_data()
    plain = lightgbm.train(LIGHTGBM, lightgbm.Dataset(data.X, label=data.y), TREES)
    for given in (data, training_data(X=in_pieces(data.X)), in_a_file(data, tmp_path / "rows")):
        fed = lightgbm.train(LIGHTGBM, given.lightgbm_dataset(LIGHTGBM), TREES)
        assert fed.feature_name() == data.features
        np.testing.assert_allclose(fed.predict(data.X), plain.predict(data.X), rtol=1e-6)


@pytest.mark.parametrize("is_external", [False, True])
def test_xgboost_learns_the_same_from_batches_as_from_the_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_external: bool
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("numebot.workshop.feeders.xgboost.BATCH_BYTES", 2000)
    monkeypatch.setattr("numebot.workshop.feeders.xgboost.PAGE_BYTES", 2000)
    data = training_data()
    plain = xgboost.train(XGBOOST, xgboost.DMatrix(data.X, label=data.y), TREES)
    matrix = in_a_file(data, tmp_path / "rows").xgboost_matrix(is_external=is_external)
    fed = xgboost.train({**XGBOOST, "max_bin": data.xgboost_bins}, matrix, TREES)
    unseen = xgboost.DMatrix(data.X)
    np.testing.assert_allclose(fed.predict(unseen), plain.predict(unseen), rtol=1e-5)


def test_gaps_stay_gaps() -> None:
    data = training_data()
    holes = data.X.astype(np.float32)
    holes.iloc[::3, 0] = np.nan
    given = training_data(X=holes)
    assert given.xgboost_bins == 256
    plain = lightgbm.train(LIGHTGBM, lightgbm.Dataset(holes, label=data.y), TREES)
    fed = lightgbm.train(LIGHTGBM, given.lightgbm_dataset(LIGHTGBM), TREES)
    np.testing.assert_allclose(fed.predict(holes), plain.predict(holes), rtol=1e-6)
    trees = xgboost.train({**XGBOOST, "max_bin": 256}, given.xgboost_matrix(), 3)
    assert np.isfinite(trees.predict(xgboost.DMatrix(holes))).all()


def test_too_little_memory_is_said_before_it_is_used() -> None:
    given = training_data(memory_bytes=200 * 10**6)
    words = r"lightgbm_dataset: 800 rows of 0\.00 GB need about 0\.4 GB of memory, and 0\.2 GB are allowed \(--memory\)"
    with pytest.raises(PluginError, match=words):
        given.lightgbm_dataset()
    with pytest.raises(PluginError, match=r"xgboost_matrix: .* need about 1\.0 GB"):
        given.xgboost_matrix()


def test_how_far_a_fit_is_goes_into_its_working_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = training_data()
    data.report(1, 20)  # nobody looks
    monkeypatch.setenv("NUMEBOT_PROGRESS", str(tmp_path))
    data.report(3, 20)
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]
    assert json.loads((tmp_path / "progress.json").read_text()) == {"done": 3, "of": 20}


def test_torch_gets_floats() -> None:
    torch = pytest.importorskip("torch", reason="torch is no part of numebot: pip install torch to run this")
    data = training_data()
    loader = torch.utils.data.DataLoader(data.torch_dataset(), batch_size=64)
    features, targets = next(iter(loader))
    assert (features.shape, targets.shape, features.dtype) == ((64, 6), (64, 1), torch.float32)
    assert os.environ.get("NUMEBOT_PROGRESS") is None
