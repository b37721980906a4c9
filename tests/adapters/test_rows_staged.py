from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import numebot.adapters.datasets.staging as staging
from numebot.adapters.datasets import Datasets, Selection
from numebot.adapters.runner.rows_file import mapped_rows
from numebot.core.errors import LocalTrouble, PluginError
from numebot.core.staging import EraChoice, StagedRows
from tests.fakes import FakeDataSource, made_up_rows, parquet_bytes

FEATURES = tuple(f"feature_{number}" for number in range(6))
SELECTION = Selection("v5.3", FEATURES, ("target",))
Change = Callable[[pd.DataFrame], pd.DataFrame]


def eras(first: int, last: int) -> list[str]:
    return [f"{era:04d}" for era in range(first, last + 1)]


def datasets(folder: Path, change: Change = lambda rows: rows, **options: object) -> tuple[Datasets, pd.DataFrame]:
    train = change(made_up_rows(eras(1, 20), seed=10))
    files = {
        "v5.3/features.json": json.dumps({"feature_sets": {"small": list(FEATURES)}}).encode(),
        "v5.3/train.parquet": parquet_bytes(train, **options),
        "v5.3/validation.parquet": parquet_bytes(made_up_rows(eras(21, 30), seed=20), row_group_size=70),
        "v5.3/live.parquet": parquet_bytes(made_up_rows(["X"], seed=30, targets=False)),
    }
    return Datasets(FakeDataSource(files), folder), train


def read(rows: StagedRows) -> pd.DataFrame:
    return mapped_rows(rows, is_read_only=True, memory_bytes=None).X


@pytest.mark.parametrize("group", [33, 1000])
def test_staged_rows_are_those_of_the_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: int) -> None:
    monkeypatch.setattr(staging, "BATCH_BYTES", 1)
    source, _ = datasets(tmp_path, row_group_size=group)
    steps: list[tuple[str, int, int | None]] = []
    staged = source.stage_training(SELECTION, tmp_path / "rows", progress=lambda *step: steps.append(step))
    plain = source.training(SELECTION)
    pd.testing.assert_frame_equal(read(staged), plain.X, check_index_type=False)
    pd.testing.assert_frame_equal(staged.targets, plain.targets)
    pd.testing.assert_series_equal(staged.eras, plain.eras)
    assert (staged.target, staged.dtype, staged.size_bytes) == (plain.target, "int8", 800 * 6)
    assert steps[-1] == ("rows", 800, 800)


def test_chosen_eras_come_from_validation_too_where_they_reach_so_far(tmp_path: Path) -> None:
    source, _ = datasets(tmp_path)
    staged = source.stage_training(SELECTION, tmp_path / "rows", choice=EraChoice("0015", "0025", 5))
    assert list(staged.eras.unique()) == ["0015", "0020", "0025"]
    assert len(read(staged)) == 120
    assert read(staged).loc[staged.eras == "0025"].index[0].startswith("n00014")


def float_features(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype(dict.fromkeys(FEATURES, np.float32))


def with_gaps(rows: pd.DataFrame) -> pd.DataFrame:
    rows = float_features(rows)
    rows.loc[rows.index[700:], "feature_3"] = np.nan
    return rows


def nullable(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.astype(dict.fromkeys(FEATURES, "Int8"))
    rows.loc[rows.index[5], "feature_0"] = pd.NA
    return rows


def halves(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].astype(np.float64) / 3 for name in FEATURES})


@pytest.mark.parametrize(
    ("change", "dtype"),
    [(float_features, "int8"), (with_gaps, "float32"), (nullable, "float32"), (halves, "float64")],
)
def test_features_are_as_small_as_their_values_allow(tmp_path: Path, change: Change, dtype: str) -> None:
    source, train = datasets(tmp_path, change)
    staged = source.stage_training(SELECTION, tmp_path / "rows")
    assert staged.dtype == dtype
    wanted = train[list(FEATURES)].astype("float64").to_numpy()
    np.testing.assert_array_equal(read(staged).to_numpy().astype(float), wanted.astype(dtype).astype(float))


def test_eras_without_a_target_are_left_out_and_named(tmp_path: Path) -> None:
    def newest_unknown(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(target=rows["target"].where(rows["era"] < "0018"))

    source, _ = datasets(tmp_path, newest_unknown)
    staged = source.stage_training(SELECTION, tmp_path / "rows")
    assert staged.untold == ("0018", "0019", "0020")
    assert len(staged) == len(read(staged)) == 17 * 40
    with pytest.raises(PluginError, match="no row of the eras 0019 to 0020 has the target target"):
        source.stage_training(SELECTION, tmp_path / "more", choice=EraChoice("0019"))


def test_the_rows_of_a_round_are_not_learned_from(tmp_path: Path) -> None:
    source, _ = datasets(tmp_path, lambda rows: rows.assign(era=rows["era"].where(rows["era"] > "0001", "X")))
    staged = source.stage_training(SELECTION, tmp_path / "rows")
    assert "X" not in set(staged.eras)
    assert len(staged) == 19 * 40


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection("v5.3", (*FEATURES, "feature_x"), ("target",)), "1 of 7 features are not in v5.3/train.parquet"),
        (Selection("v5.3", FEATURES, ("target_x",)), "1 of 1 targets are not in v5.3/train.parquet"),
        (Selection("v5.3", ("data_type",), ("target",)), "1 of the features are not numbers: data_type"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, selection: Selection, words: str) -> None:
    source, _ = datasets(tmp_path)
    with pytest.raises(PluginError, match=words):
        source.stage_training(selection, tmp_path / "rows")
    assert not (tmp_path / "rows").exists()


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = datasets(tmp_path)
    monkeypatch.setattr(staging, "SPARE_DISK_BYTES", 10**18)
    with pytest.raises(LocalTrouble, match=r"800 rows × 6 features need 0\.0 GB on the disk .* Nothing was trained"):
        source.stage_training(SELECTION, tmp_path / "rows")
    assert not (tmp_path / "rows").exists()


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    source, _ = datasets(tmp_path)
    monkeypatch.setattr(staging, "_fill", full)
    with pytest.raises(LocalTrouble, match=r"No space left|disk is full"):
        source.stage_training(SELECTION, tmp_path / "rows")
    assert not (tmp_path / "rows").exists()
