"""A user's own parquet files as the practice tournament's data."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from numebot.core.errors import ConfigError
from numebot.practice.market.folder import FolderMarket
from numebot.practice.scores.players import Players
from numebot.practice.scores.scorer import Scorer

REAL = Path(os.environ.get("NUMEBOT_SHARED_DATA", Path(__file__).parents[3] / "../shared/data"))
REAL_ERA = REAL / "classic-v5-era0575-small"
ROUND = 1404


def _frame(era: str, count: int, *, start: int = 0, features: int = 6) -> pd.DataFrame:
    random = np.random.default_rng(start + 1)
    ids = [f"n{number:015x}" for number in range(start, start + count)]
    frame = pd.DataFrame(random.integers(0, 5, size=(count, features), dtype=np.int8), index=pd.Index(ids, name="id"))
    frame.columns = [f"feature_made_up_{number}" for number in range(features)]
    frame.insert(0, "data_type", "validation")
    frame.insert(0, "era", era)
    frame["target"] = np.float32(0.5)
    return frame


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def _market(source: Path) -> FolderMarket:
    return FolderMarket(source.parent / "shelf", source, seed=1)


@pytest.mark.skipif(not REAL_ERA.is_dir(), reason=f"set NUMEBOT_SHARED_DATA to a folder that holds {REAL_ERA.name}/")
def test_the_real_era_is_served_as_live_data_with_its_own_ids(tmp_path: Path) -> None:
    market = FolderMarket(tmp_path, REAL_ERA)
    real = pd.read_parquet(REAL_ERA / "validation_era0575_small_int8.parquet")
    live = pd.read_parquet(market.dataset_path("v5.3/live.parquet", ROUND))
    assert len(live) == 5592
    assert live.index.equals(real.index)
    assert list(live.columns) == list(real.columns)
    assert set(live["data_type"]) == {"live"}
    pd.testing.assert_frame_equal(live.drop(columns=["era", "data_type"]), real.drop(columns=["era", "data_type"]))
    sets = json.loads(market.dataset_path("v5.3/features.json", ROUND).read_text())["feature_sets"]
    assert sets["small"] == sets["all"] == list(real.columns[2:])
    assert market.ids(8, ROUND).equals(real.index)
    predictions = live.filter(like="feature_").mean(axis=1)
    scores = Scorer(market, Players(1)).scores(8, ROUND, predictions, days=63)
    assert all(score.value is not None for score in scores if score.day == 63)


def test_what_is_there_is_served_as_it_is_and_what_is_missing_is_not_offered(source: Path) -> None:
    _frame("0001", 30).to_parquet(source / "train.parquet")
    _frame("X", 20, start=500).to_parquet(source / "live.parquet")
    (source / "features.json").write_text(json.dumps({"feature_sets": {"own": ["feature_made_up_1"]}, "targets": []}))
    market = _market(source)
    own = [name for name in market.dataset_names() if name.startswith("v5.3/")]
    assert own == ["v5.3/features.json", "v5.3/train.parquet", "v5.3/live.parquet"]
    assert market.dataset_path("v5.3/train.parquet", ROUND) == source / "train.parquet"
    assert json.loads(market.dataset_path("v5.3/features.json", 1).read_text())["feature_sets"]["own"]
    assert list(market.ids(8, ROUND)) == list(_frame("X", 20, start=500).index)
    with pytest.raises(KeyError, match="meta_model"):
        market.dataset_path("v5.3/meta_model.parquet", ROUND)


def test_the_newest_era_of_validation_plays_the_live_data_with_empty_targets(source: Path) -> None:
    eras = [_frame("0998", 30), _frame("1000", 40, start=100), _frame("0999", 30, start=200)]
    pq.write_table(pa.Table.from_pandas(pd.concat(eras)), source / "validation.parquet", row_group_size=25)
    market = _market(source)
    live = pd.read_parquet(market.dataset_path("v5.3/live.parquet", ROUND))
    assert list(live.index) == list(eras[1].index)
    assert set(live["era"]) == {"X"}
    assert live["target"].isna().all()
    outcome = market.outcome(8, ROUND)
    assert outcome.ids.equals(live.index)
    assert set(np.unique(outcome.targets)) == {0, 0.25, 0.5, 0.75, 1}


def test_a_folder_named_after_a_version_is_that_version(tmp_path: Path) -> None:
    folder = tmp_path / "v5.2"
    folder.mkdir()
    _frame("X", 20).to_parquet(folder / "live.parquet")
    assert "v5.2/live.parquet" in FolderMarket(tmp_path / "shelf", folder).dataset_names()


def test_a_changed_file_is_served_anew(source: Path) -> None:
    _frame("0001", 30).to_parquet(source / "some.parquet")
    assert len(_market(source).ids(8, ROUND)) == 30
    _frame("0002", 50, start=900).to_parquet(source / "some.parquet")
    assert len(_market(source).ids(8, ROUND)) == 50


def test_missing_feature_values_do_not_spoil_the_outcome(source: Path) -> None:
    frame = _frame("X", 100).astype({"feature_made_up_1": np.float32})
    frame.loc[frame.index[:30], "feature_made_up_1"] = np.nan
    frame.to_parquet(source / "live.parquet")
    outcome = _market(source).outcome(8, ROUND)
    assert np.isfinite(outcome.known).all()
    assert np.isfinite(outcome.neutralizers).all()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: no such folder"):
        FolderMarket(tmp_path, tmp_path / "nowhere")


def test_an_empty_folder_says_what_is_needed(source: Path) -> None:
    with pytest.raises(ConfigError, match=r"mine: no parquet file in it.*live\.parquet"):
        _market(source)


def test_all_broken_files_are_reported_at_once(source: Path) -> None:
    (source / "train.parquet").write_bytes(b"<html>503</html>" * 10)
    _frame("0001", 5).reset_index(drop=True).to_parquet(source / "validation.parquet")
    _frame("X", 5).to_parquet(source / "live.parquet")
    (source / "features.json").write_text("{")
    with pytest.raises(ConfigError) as caught:
        _market(source)
    found = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "train.parquet: not readable as parquet" in found
    assert "validation.parquet: no index or column named id" in found
    assert "features.json: not readable as JSON" in found


def test_a_file_cut_off_in_the_middle_is_refused(source: Path) -> None:
    _frame("X", 500).to_parquet(source / "live.parquet")
    content = (source / "live.parquet").read_bytes()
    (source / "live.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(ConfigError, match=r"live\.parquet: not readable"):
        _market(source)


def test_a_file_damaged_inside_is_refused(source: Path) -> None:
    _frame("0001", 500).to_parquet(source / "some.parquet", compression="zstd")
    content = bytearray((source / "some.parquet").read_bytes())
    content[4 : len(content) // 3] = bytes(len(content) // 3 - 4)
    (source / "some.parquet").write_bytes(content)
    with pytest.raises(ConfigError, match=r"some\.parquet: damaged"):
        _market(source)


def test_several_files_of_unknown_names_are_a_question(source: Path) -> None:
    _frame("0001", 5).to_parquet(source / "one.parquet")
    _frame("0001", 5).to_parquet(source / "other.parquet")
    with pytest.raises(ConfigError, match=r"one\.parquet, other\.parquet"):
        _market(source)


def test_rows_without_eras_and_ids_that_stand_twice_are_refused(source: Path) -> None:
    _frame("0001", 5).drop(columns="era").to_parquet(source / "some.parquet")
    with pytest.raises(ConfigError, match="no column named era"):
        _market(source)
    pd.concat([_frame("0001", 5), _frame("0001", 5)]).to_parquet(source / "some.parquet")
    with pytest.raises(ConfigError, match="5 of 10 ids stand more than once"):
        _market(source)
    _frame("0001", 5).iloc[:0].to_parquet(source / "some.parquet")
    with pytest.raises(ConfigError, match="no row with an era"):
        _market(source)
