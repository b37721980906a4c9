"""The synthetic market's files: on offer, readable, consistent with each other, the same for the same seed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from numebot.core.metrics import era_corr
from numebot.practice.market.era_rows import EraGenerator, data_schema, data_table
from numebot.practice.market.feature_sets import TARGETS, feature_layout
from numebot.practice.market.scale import Scale
from numebot.practice.market.shelf import Shelf, batches, one_ahead, write_groups
from numebot.practice.market.synthetic import SyntheticMarket

ROUND = 1404


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> SyntheticMarket:
    """A market that the tests of this file fill and read; what is made for one test is there for the next."""
    return SyntheticMarket(tmp_path_factory.mktemp("market"), seed=1, scale=Scale.tiny())


def test_every_file_on_offer_can_be_read(market: SyntheticMarket) -> None:
    assert {"v5.3/features.json", "v5.3/live.parquet", "signals/v1.0/live.parquet", "crypto/v2.0/live.parquet"} < set(
        market.dataset_names()
    )
    for name in market.dataset_names():
        path = market.dataset_path(name, ROUND)
        if name.endswith(".parquet"):
            assert len(pd.read_parquet(path)) > 0, name
        elif name.endswith(".csv"):
            assert len(pd.read_csv(path).columns) == 2, name


@pytest.mark.parametrize(
    "name", ["v5.3/nothing.parquet", "train.parquet", "v5.3/../secret", "v5.3/train.hidden.parquet"]
)
def test_unknown_names_are_refused_with_what_is_on_offer(market: SyntheticMarket, name: str) -> None:
    with pytest.raises(KeyError, match=r"not on offer.*v5\.3/live\.parquet"):
        market.dataset_path(name, ROUND)


def test_live_rows_have_numerais_columns_new_ids_and_no_targets(market: SyntheticMarket) -> None:
    live = pd.read_parquet(market.dataset_path("v5.3/live.parquet", ROUND))
    sets = json.loads(market.dataset_path("v5.3/features.json", ROUND).read_text())["feature_sets"]
    assert list(live.columns) == ["era", "data_type", *sets["all"], *TARGETS]
    assert live.index.name == "id"
    assert live.index.equals(market.ids(8, ROUND))
    assert set(live["era"]) == {"X"}
    assert set(live["data_type"]) == {"live"}
    assert (live[sets["all"]].dtypes == np.int8).all()
    assert live[list(TARGETS)].isna().all(axis=None)
    assert not set(market.ids(8, ROUND)) & set(market.ids(8, ROUND + 1))


def test_live_files_differ_per_round_and_static_ones_do_not(market: SyntheticMarket) -> None:
    assert market.dataset_path("v5.3/live.parquet", ROUND) != market.dataset_path("v5.3/live.parquet", ROUND + 1)
    assert market.dataset_path("v5.3/train.parquet", ROUND) == market.dataset_path("v5.3/train.parquet", ROUND + 1)


def test_targets_of_the_newest_eras_are_not_known_yet(market: SyntheticMarket) -> None:
    validation = pd.read_parquet(market.dataset_path("v5.3/validation.parquet", ROUND), columns=["era", *TARGETS])
    known = validation.drop(columns="era").notna().groupby(validation["era"]).mean()
    assert known.index[-1] == "1231"
    assert (known.iloc[-1] == 0).all()
    assert known.iloc[-2]["target"] == 0
    assert known.iloc[-2]["target_ender_20"] == 1
    assert (known.iloc[:-2].drop(columns=["target_jeremy_20", "target_jeremy_60"]) == 1).all(axis=None)


def test_train_and_validation_follow_each_other_without_common_ids(market: SyntheticMarket) -> None:
    columns = ["era", "data_type", "target"]
    train = pd.read_parquet(market.dataset_path("v5.3/train.parquet", ROUND), columns=columns)
    validation = pd.read_parquet(market.dataset_path("v5.3/validation.parquet", ROUND), columns=columns)
    assert (train["era"].min(), train["era"].max()) == ("0001", "0574")
    assert validation["era"].min() == "0575"
    assert set(train["data_type"]) == {"train"}
    assert set(validation["data_type"]) == {"validation"}
    ids = [*train.index, *validation.index, *market.ids(8, ROUND)]
    assert len(set(ids)) == len(ids)
    assert train["target"].dtype == np.float32
    assert set(train["target"].unique()) == {0, 0.25, 0.5, 0.75, 1}


def test_models_of_others_stand_at_the_ids_of_their_data(market: SyntheticMarket) -> None:
    eras = pd.read_parquet(market.dataset_path("v5.3/validation.parquet", ROUND), columns=["era"])["era"]
    benchmarks = pd.read_parquet(market.dataset_path("v5.3/validation_benchmark_models.parquet", ROUND))
    meta = pd.read_parquet(market.dataset_path("v5.3/meta_model.parquet", ROUND))
    example = pd.read_csv(market.dataset_path("v5.3/live_example_preds.csv", ROUND), index_col="id")
    assert list(benchmarks.columns) == ["era", "v53_lgbm_ender20", "v53_lgbm_ender60"]
    assert benchmarks["era"].equals(eras)
    assert meta.index.equals(eras.index[eras >= "1133"])
    assert list(example.index) == list(market.ids(8, ROUND))
    for predictions in (benchmarks["v53_lgbm_ender60"], meta["numerai_meta_model"], example["prediction"]):
        assert predictions.between(0, 1, inclusive="neither").all()


def test_equal_seeds_make_equal_data_and_others_do_not(market: SyntheticMarket, tmp_path: Path) -> None:
    again, other = (SyntheticMarket(tmp_path / str(seed), seed=seed, scale=Scale.tiny()) for seed in (1, 2))
    first, second, third = (
        pd.read_parquet(one.dataset_path("v5.3/live.parquet", ROUND)) for one in (market, again, other)
    )
    pd.testing.assert_frame_equal(first, second)
    assert not set(first.index) & set(third.index)
    assert not set(first.filter(like="feature_")) & set(third.filter(like="feature_"))
    mine, theirs = market.outcome(8, ROUND), again.outcome(8, ROUND)
    np.testing.assert_array_equal(mine.targets, theirs.targets)


def test_markets_of_several_seeds_and_scales_share_a_folder(tmp_path: Path) -> None:
    tiny = SyntheticMarket(tmp_path, seed=1, scale=Scale.tiny())
    larger = SyntheticMarket(tmp_path, seed=1, scale=replace(Scale.tiny(), name="larger", live_rows=(170, 180)))
    for market in (tiny, larger):
        live = pq.read_table(market.dataset_path("v5.3/live.parquet", ROUND), columns=["id"])
        assert live.num_rows == len(market.ids(8, ROUND))


def test_outcomes_stand_at_the_live_ids_and_know_the_signal(market: SyntheticMarket) -> None:
    outcome = market.outcome(8, ROUND)
    assert outcome.ids.equals(market.ids(8, ROUND))
    assert outcome.targets.shape == (60, len(outcome.ids))
    assert outcome.neutralizers.shape == (len(outcome.ids), 400)
    assert set(np.unique(outcome.targets)) == {0, 0.25, 0.5, 0.75, 1}


def test_threads_that_ask_together_get_one_making(tmp_path: Path) -> None:
    made: list[Path] = []
    started = threading.Barrier(4)
    shelf = Shelf(tmp_path)

    def make(path: Path) -> None:
        made.append(path)
        path.write_text("whole")

    def ask() -> None:
        started.wait()
        shelf.get(["file"], make)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [tmp_path / "file"]


def test_a_making_that_fails_leaves_nothing_and_is_repeated(tmp_path: Path) -> None:
    # The first eras are made and written before the impossible size of a later one is met.
    impossible = replace(Scale.tiny(), train_eras=6, eras_per_row_group=1, train_rows=(140, -500))
    with pytest.raises(ValueError, match="negative"):
        SyntheticMarket(tmp_path, seed=1, scale=impossible).dataset_path("v5.3/train.parquet", ROUND)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    path = SyntheticMarket(tmp_path, seed=1, scale=Scale.tiny()).dataset_path("v5.3/train.parquet", ROUND)
    assert pq.read_metadata(path).num_rows > 0


def test_files_are_written_era_by_era_so_that_memory_stays_flat(tmp_path: Path) -> None:
    layout = feature_layout(1)
    eras = EraGenerator(layout, seed=1, scale=Scale.tiny())
    schema = data_schema(layout.names)
    made: list[int] = []
    ahead: list[int] = []

    def rows() -> Iterator[pa.Table]:
        for era in range(1, 7):
            made.append(era)
            yield data_table(eras.past("train", era), schema, "train")

    def groups() -> Iterator[pa.Table]:
        for written, batch in enumerate(one_ahead(batches(rows(), 2)), start=1):
            ahead.append(len(made) - 2 * written)
            yield pa.concat_tables(batch)

    write_groups(tmp_path / "train.parquet", schema, groups())
    written = pq.ParquetFile(tmp_path / "train.parquet")
    assert max(ahead) <= 2, "one group is made while another is written"
    assert written.num_row_groups == 3
    first = written.read_row_group(0, columns=["era", layout.names[0]])
    assert set(first["era"].to_pylist()) == {"0001", "0002"}


def test_compact_files_hold_the_same_and_are_smaller(tmp_path: Path) -> None:
    layout = feature_layout(1)
    scale = replace(Scale.tiny(), train_rows=(3000, 3001))
    rows = EraGenerator(layout, seed=1, scale=scale).past("train", 300)
    schema = data_schema(layout.names[:200])
    few = replace(rows, features=rows.features[:200])
    for name, is_compact in (("plain", False), ("compact", True)):
        write_groups(tmp_path / name, schema, [data_table(few, schema, "train")], is_compact=is_compact)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "plain"), pd.read_parquet(tmp_path / "compact"))
    assert (tmp_path / "compact").stat().st_size < 0.8 * (tmp_path / "plain").stat().st_size


def test_the_full_market_has_the_real_sizes() -> None:
    scale = Scale.full()
    assert scale.train() == list(range(1, 575))
    assert scale.validation() == list(range(575, 1232))
    eras = EraGenerator(feature_layout(1), seed=1, scale=scale)
    assert all(6700 <= eras.live_count(number) <= 7130 for number in range(1400, 1450))


@pytest.mark.slow
def test_small_can_be_learned_and_chance_cannot() -> None:
    """Least squares on 42 features of 30,000 rows earns what a model should; random predictions earn nothing."""
    layout = feature_layout(1)
    eras = EraGenerator(layout, seed=1, scale=Scale.small())
    small = layout.positions("small")
    train = [eras.past("train", era) for era in range(1, 574, 48)]
    validation = [eras.past("validation", era) for era in range(580, 1218, 60)]
    known = np.concatenate([rows.features[small] for rows in train], axis=1).T.astype(float) - 2
    targets = np.concatenate([rows.targets["target"] for rows in train])
    weights = np.linalg.lstsq(known, targets - 0.5, rcond=None)[0]
    chance = np.random.default_rng(0)
    scores = [
        _score(rows.ids, rows.targets["target"], (rows.features[small].T - 2.0) @ weights) for rows in validation
    ]
    random_scores = [_score(rows.ids, rows.targets["target"], chance.random(len(rows.ids))) for rows in validation]
    best = [_score(rows.ids, rows.targets["target"], rows.signal.whole) for rows in validation]
    assert 0.01 < np.mean(scores) < 0.045
    assert abs(np.mean(random_scores)) < 0.015
    assert np.mean(scores) < np.mean(best) < 0.07


def _score(ids: list[str], targets: np.ndarray, predictions: np.ndarray) -> float:
    index = pd.Index(ids)
    eras = pd.Series("0001", index=index)
    return float(era_corr(pd.Series(predictions, index=index), pd.Series(targets, index=index), eras).iloc[0])


@pytest.mark.parametrize(
    ("tournament", "folder", "column"), [(11, "signals/v2.1", "numerai_ticker"), (12, "crypto/v2.0", "symbol")]
)
def test_universes_list_their_members_with_dates_and_features(
    market: SyntheticMarket, tournament: int, folder: str, column: str
) -> None:
    live = pd.read_parquet(market.dataset_path(f"{folder}/live.parquet", ROUND))
    assert list(live[column]) == list(market.ids(tournament, ROUND))
    assert live[column].is_unique
    assert set(live["date"]) == {"2026-11-20"}
    assert not live.isna().any(axis=None)
    next_ids = set(market.ids(tournament, ROUND + 1))
    assert 0.9 < len(next_ids & set(live[column])) / len(live) < 1
    train = pd.read_parquet(market.dataset_path(f"{folder}/train.parquet", ROUND))
    targets = [name for name in train if name.startswith("target")]
    assert targets
    assert train["date"].nunique() > 1
    assert set(train[targets[0]].dropna().unique()) <= {0, 0.25, 0.5, 0.75, 1}


def test_signals_has_its_codes_and_the_old_path_the_same_tickers(market: SyntheticMarket) -> None:
    live = pd.read_parquet(market.dataset_path("signals/v2.1/live.parquet", ROUND))
    old = pd.read_parquet(market.dataset_path("signals/v1.0/live.parquet", ROUND))
    assert list(live.columns[:3]) == ["numerai_ticker", "composite_figi", "date"]
    assert live["feature_country"].str.fullmatch("[A-Z]{2}").all()
    assert live["composite_figi"].is_unique
    assert list(old["numerai_ticker"]) == list(live["numerai_ticker"])
