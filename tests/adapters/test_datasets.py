from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from numebot.adapters.datasets import Datasets, LiveData, Selection, read_columns
from numebot.core.errors import AccessDenied, ConfigError, LocalTrouble, PluginError, Rejected, Unavailable
from numebot.core.features import parse_feature_sets, resolve_features, versions_on_offer
from numebot.core.types import Round, Tournament, TrainedVersion
from tests.fakes import FakeDataSource, made_up_rows, parquet_bytes

REAL = Path(os.environ.get("NUMEBOT_SHARED_DATA", Path(__file__).parents[2] / "../shared/data"))
needs_real_data = pytest.mark.skipif(
    not REAL.is_dir(), reason="real Numerai files: set NUMEBOT_SHARED_DATA to a folder that holds them"
)

OPENED = datetime(2026, 11, 24, 12, tzinfo=UTC)
SETS = {"small": [f"feature_{number}" for number in range(4)], "all": [f"feature_{number}" for number in range(6)]}
FEATURES_JSON = json.dumps({"feature_sets": SETS, "targets": ["target_ender_20", "target_ender_60"]}).encode()


def round_of(number: int = 1405, tournament: int = Tournament.CLASSIC) -> Round:
    return Round(tournament, number, OPENED, OPENED)


def live_rows(seed: int = 1) -> pd.DataFrame:
    return made_up_rows(["X"], seed=seed, targets=False)


@pytest.fixture
def server() -> FakeDataSource:
    return FakeDataSource(
        {
            "v5.3/features.json": FEATURES_JSON,
            "v5.3/train.parquet": parquet_bytes(made_up_rows([f"{era:04d}" for era in range(1, 21)], seed=10)),
            "v5.3/validation.parquet": parquet_bytes(made_up_rows([f"{era:04d}" for era in range(21, 51)], seed=20)),
            "v5.3/live.parquet": parquet_bytes(live_rows()),
        }
    )


@pytest.fixture
def datasets(server: FakeDataSource, tmp_path: Path) -> Datasets:
    return Datasets(server, tmp_path)


def version_of_training(features: tuple[str, ...]) -> TrainedVersion:
    return TrainedVersion(
        "rpica", "20261101T000000Z", Path(), "v5.2", features, "target_ender_20", {}, {}, None, {}, "", OPENED
    )


def test_the_newest_version_is_found_by_number_not_by_letter(server: FakeDataSource, datasets: Datasets) -> None:
    for version in ("v5.9", "v5.10", "v4.3"):
        server.files[f"{version}/live.parquet"] = b""
    server.files["v6.0/train.parquet"] = b"no live data yet"
    server.files["signals/v9.0/live.parquet"] = b"another tournament"
    assert datasets.newest_version() == "v5.10"
    assert datasets.newest_version(Tournament.SIGNALS) == "signals/v9.0"


def test_the_server_is_asked_for_its_list_once(server: FakeDataSource, datasets: Datasets) -> None:
    for _ in range(5):
        datasets.version()
    assert server.requests == ["list"]


def test_a_pinned_version_wins_and_the_newer_one_is_announced(server: FakeDataSource, tmp_path: Path) -> None:
    server.files["v5.10/live.parquet"] = b""
    pinned = Datasets(server, tmp_path, pinned_version="v5.3")
    assert pinned.version() == "v5.3"
    assert pinned.newer_version() == "v5.10"
    assert Datasets(server, tmp_path).newer_version() is None
    server.files["signals/v2.1/live.parquet"] = b""
    assert pinned.version(Tournament.SIGNALS) == "signals/v2.1"


def test_a_pinned_version_that_has_ended_is_said_with_what_is_on_offer(server: FakeDataSource, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'"v4.1" is pinned .* no longer offers it. On offer: v5.3'):
        Datasets(server, tmp_path, pinned_version="v4.1").version()


def test_a_list_without_live_data_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"none of the 1 datasets on offer is a live.parquet"):
        Datasets(FakeDataSource({"v5.3/train.parquet": b""}), tmp_path).version()


def test_names_that_only_look_like_versions_are_not_taken() -> None:
    names = ["v5.3/live.parquet", "../v9/live.parquet", "v6/x/live.parquet", "v7.0/live.parquet.bak", "v5/live.parquet"]
    assert versions_on_offer(names, "") == ["v5", "v5.3"]


def test_a_static_file_is_fetched_again_only_when_the_server_has_another(
    server: FakeDataSource, datasets: Datasets, tmp_path: Path
) -> None:
    assert datasets.feature_sets("v5.3").sets["small"] == tuple(SETS["small"])
    datasets.feature_sets("v5.3")
    assert server.requests == ["v5.3/features.json"]
    Datasets(server, tmp_path).feature_sets("v5.3")
    assert server.requests[1:] == ["v5.3/features.json (304)"]
    server.files["v5.3/features.json"] = json.dumps({"feature_sets": {"tiny": ["feature_0"]}}).encode()
    assert set(Datasets(server, tmp_path).feature_sets("v5.3").sets) == {"tiny"}


def test_a_file_of_unknown_origin_is_never_reused(server: FakeDataSource, datasets: Datasets, tmp_path: Path) -> None:
    path = tmp_path / "data/v5.3/features.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}" + b" " * (len(FEATURES_JSON) - 2))
    assert set(datasets.feature_sets("v5.3").sets) == {"small", "all"}


def test_the_copy_on_this_machine_serves_when_the_server_cannot_be_asked(
    server: FakeDataSource, datasets: Datasets, tmp_path: Path
) -> None:
    datasets.feature_sets("v5.3")
    server.failures.append(Unavailable("maintenance"))
    assert set(Datasets(server, tmp_path).feature_sets("v5.3").sets) == {"small", "all"}


@pytest.mark.parametrize("content", [b"<html>maintenance</html>", b"[]", b"{}", b'{"feature_sets": {"small": []}}'])
def test_a_features_file_that_is_none_is_fetched_afresh(
    server: FakeDataSource, datasets: Datasets, content: bytes
) -> None:
    server.files["v5.3/features.json"] = content
    with pytest.raises(Unavailable, match=r"v5.3/features.json"):
        datasets.feature_sets("v5.3")
    server.files["v5.3/features.json"] = FEATURES_JSON
    assert set(datasets.feature_sets("v5.3").sets) == {"small", "all"}


@pytest.mark.parametrize("version", ["../../etc", "/etc", "v5.3/..", "", ".hidden", "v5.3\\x"])
def test_no_name_leads_out_of_the_data_folder(datasets: Datasets, version: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be the name of a data file"):
        datasets.feature_sets(version)


def test_features_are_a_set_or_a_list() -> None:
    known = parse_feature_sets(FEATURES_JSON.decode(), "v5.3")
    assert resolve_features("small", known) == tuple(SETS["small"])
    assert resolve_features(["feature_5", "feature_1"], known) == ("feature_5", "feature_1")
    with pytest.raises(PluginError, match=r'"smal" is not in features.json of v5.3. Did you mean "small"\? Allowed:'):
        resolve_features("smal", known)
    with pytest.raises(PluginError, match=r"1 of 2 features do not exist in v5.3: feature_x"):
        resolve_features(["feature_1", "feature_x"], known)
    with pytest.raises(PluginError, match=r"feature_1 more than once"):
        resolve_features(["feature_1", "feature_1"], known)
    with pytest.raises(PluginError, match=r"empty list"):
        resolve_features([], known)


def test_live_data_lies_under_its_round_and_is_read_by_column(datasets: Datasets, tmp_path: Path) -> None:
    live = datasets.live(round_of())
    assert live.path == tmp_path / "data/rounds/1405/live.parquet"
    assert (live.version, live.round_number, live.era) == ("v5.3", 1405, "X")
    assert live.ids.tolist() == live_rows().index.tolist()
    frame = live.frame("small")
    assert list(frame.columns) == SETS["small"]
    assert frame.index.name == "id"
    assert set(frame.dtypes) == {np.dtype(np.int8)}
    assert live.frame(["feature_5", "feature_0"]).equals(live_rows()[["feature_5", "feature_0"]])


def test_the_same_round_is_downloaded_once_and_the_next_one_afresh(
    server: FakeDataSource, datasets: Datasets, tmp_path: Path
) -> None:
    first = datasets.live(round_of())
    assert Datasets(server, tmp_path).live(round_of()).sha256 == first.sha256
    assert server.requests.count("v5.3/live.parquet") == 1
    server.files["v5.3/live.parquet"] = parquet_bytes(live_rows(seed=2))
    assert datasets.live(round_of(1406)).ids[0] != first.ids[0]
    assert server.requests.count("v5.3/live.parquet") == 2


def test_a_live_file_whose_bytes_changed_on_disk_is_fetched_again(server: FakeDataSource, datasets: Datasets) -> None:
    live = datasets.live(round_of())
    content = bytearray(live.path.read_bytes())
    content[len(content) // 2] ^= 1
    live.path.write_bytes(content)
    assert datasets.live(round_of()).sha256 == live.sha256
    assert live.path.read_bytes() == server.files["v5.3/live.parquet"]


def test_a_live_file_of_another_version_is_not_this_ones(server: FakeDataSource, tmp_path: Path) -> None:
    Datasets(server, tmp_path).live(round_of())
    server.files["v5.4/live.parquet"] = parquet_bytes(live_rows(seed=3))
    live = Datasets(server, tmp_path).live(round_of())
    assert (live.version, live.ids[0]) == ("v5.4", live_rows(seed=3).index[0])


@pytest.fixture
def two_versions(server: FakeDataSource) -> FakeDataSource:
    """A server whose new version came beside v5.3, with other features."""
    new = live_rows().rename(columns={"feature_1": "feature_new"})
    server.files["v5.4/live.parquet"] = parquet_bytes(new)
    server.files["v5.4/features.json"] = json.dumps({"feature_sets": {"small": ["feature_new"]}}).encode()
    return server


def test_a_model_of_an_older_version_gets_that_versions_live_data(two_versions: FakeDataSource, tmp_path: Path) -> None:
    datasets = Datasets(two_versions, tmp_path)
    new, old = datasets.live(round_of()), datasets.live(round_of(), "v5.3")
    assert (new.version, new.path) == ("v5.4", tmp_path / "data/rounds/1405/live.parquet")
    assert (old.version, old.path) == ("v5.3", tmp_path / "data/rounds/1405/v5.3/live.parquet")
    trained = version_of_training(("feature_1",))
    with pytest.raises(PluginError):
        new.frame("small", trained)
    assert old.frame("small", trained).equals(live_rows()[["feature_1"]])
    assert (old.features("small"), new.features("small")) == (tuple(SETS["small"]), ("feature_new",))


def test_each_version_of_a_round_is_downloaded_once(two_versions: FakeDataSource, tmp_path: Path) -> None:
    for _ in range(2):
        for version in (None, "v5.4", "v5.3"):
            Datasets(two_versions, tmp_path).live(round_of(), version)
    asked = [name for name in two_versions.requests if name.endswith("live.parquet")]
    assert asked == ["v5.4/live.parquet", "v5.3/live.parquet"]


def test_naming_the_version_in_use_is_the_same_as_naming_none(server: FakeDataSource, tmp_path: Path) -> None:
    for pinned in ("", "v5.3"):
        live = Datasets(server, tmp_path, pinned_version=pinned).live(round_of(), "v5.3")
        assert live.path == tmp_path / "data/rounds/1405/live.parquet"
    assert server.requests.count("v5.3/live.parquet") == 1


def test_a_version_that_becomes_an_older_one_is_never_read_from_the_new_ones_file(
    server: FakeDataSource, tmp_path: Path
) -> None:
    Datasets(server, tmp_path).live(round_of())
    server.files["v5.4/live.parquet"] = parquet_bytes(live_rows(seed=3))
    datasets = Datasets(server, tmp_path)
    old, new = datasets.live(round_of(), "v5.3"), datasets.live(round_of())
    assert read_columns(old.path, []).index.tolist() == live_rows().index.tolist()
    assert read_columns(new.path, []).index.tolist() == live_rows(seed=3).index.tolist()


def test_the_previous_rounds_ids_are_stale_in_every_version(two_versions: FakeDataSource, tmp_path: Path) -> None:
    datasets = Datasets(two_versions, tmp_path)
    datasets.live(round_of(1404))
    with pytest.raises(Unavailable, match=r"round 1405, v5.3/live.parquet: still the data of round 1404"):
        datasets.live(round_of(1405), "v5.3")
    two_versions.files["v5.3/live.parquet"] = parquet_bytes(live_rows(seed=2))
    assert datasets.live(round_of(1405), "v5.3").ids[0] == live_rows(seed=2).index[0]
    two_versions.files["v5.4/live.parquet"] = parquet_bytes(live_rows(seed=2))
    with pytest.raises(Unavailable, match=r"round 1406, v5.4/live.parquet: still the data of round 1405"):
        datasets.live(round_of(1406))


@pytest.mark.parametrize("version", ["../../v5.3", "/v5.3", "v5.3/..", "signals/v2.1", "latest", "v5.3\n", "v5.٣"])
def test_what_is_no_version_of_the_tournament_is_never_a_folder(
    server: FakeDataSource, datasets: Datasets, version: str
) -> None:
    server.files[f"{version}/live.parquet"] = server.files["v5.3/live.parquet"]
    with pytest.raises(PluginError, match=r"is no data version of tournament 8"):
        datasets.live(round_of(), version)
    assert [name for name in server.requests if name != "list"] == []


def test_an_older_version_of_signals_has_a_place_of_its_own(server: FakeDataSource, tmp_path: Path) -> None:
    server.files["signals/v2.0/live.parquet"] = signals_live("2026-11-23")
    server.files["signals/v2.1/live.parquet"] = signals_live("2026-11-24")
    datasets = Datasets(server, tmp_path)
    round_ = round_of(tournament=Tournament.SIGNALS)
    assert datasets.live(round_).path == tmp_path / "data/rounds/1405/signals/live.parquet"
    old = datasets.live(round_, "signals/v2.0")
    assert (old.path, old.era) == (tmp_path / "data/rounds/1405/signals/v2.0/live.parquet", "2026-11-23")
    with pytest.raises(Unavailable, match=r"still the data of round 1405"):
        datasets.live(round_of(1406, Tournament.SIGNALS), "signals/v2.0")


def test_a_version_is_on_offer_while_its_live_data_is(two_versions: FakeDataSource, tmp_path: Path) -> None:
    two_versions.files["v5.1/train.parquet"] = b""
    datasets = Datasets(two_versions, tmp_path)
    assert [datasets.is_on_offer(version) for version in ("v5.4", "v5.3", "v5.1", "v4.3", "")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert datasets.is_on_offer("signals/v2.1", Tournament.SIGNALS)  # none is listed: nothing is known of Signals
    assert two_versions.requests == ["list", "list"]


class SilentAboutOffers(FakeDataSource):
    """Serves files but fails to list them, as often as it is told to."""

    def __init__(self, files: dict[str, bytes], error: Exception, times: int) -> None:
        super().__init__(files)
        self.error = error
        self.times = times

    def list_datasets(self, tournament: int, round_number: int | None = None) -> list[str]:
        names = super().list_datasets(tournament, round_number)
        self.times -= 1
        if self.times >= 0:
            raise self.error
        return names


@pytest.mark.parametrize("error", [Unavailable("maintenance"), Rejected("no", ["no"]), AccessDenied("not authorized")])
def test_without_the_list_every_version_counts_as_on_offer_and_the_list_is_not_asked_for_again(
    server: FakeDataSource, tmp_path: Path, error: Exception
) -> None:
    silent = SilentAboutOffers(server.files, error, times=9)
    datasets = Datasets(silent, tmp_path)
    assert datasets.is_on_offer("v5.3")
    assert datasets.is_on_offer("v1.0")
    assert datasets.live(round_of(), "v5.3").version == "v5.3"
    assert silent.requests == ["list", "v5.3/live.parquet"]


def test_a_list_that_comes_later_is_believed(server: FakeDataSource, tmp_path: Path) -> None:
    datasets = Datasets(SilentAboutOffers(server.files, Unavailable("maintenance"), times=1), tmp_path)
    assert datasets.is_on_offer("v1.0")
    assert datasets.newest_version() == "v5.3"
    assert not datasets.is_on_offer("v1.0")


def test_the_previous_rounds_ids_are_stale(server: FakeDataSource, datasets: Datasets, tmp_path: Path) -> None:
    datasets.live(round_of(1404))
    server.files["v5.3/live.parquet"] = parquet_bytes(live_rows().sample(frac=1, random_state=1))
    with pytest.raises(Unavailable, match=r"round 1405, v5.3/live.parquet: still the data of round 1404"):
        datasets.live(round_of())
    assert not (tmp_path / "data/rounds/1405/live.parquet").exists()
    server.files["v5.3/live.parquet"] = parquet_bytes(live_rows(seed=2))
    assert len(datasets.live(round_of()).ids) == 40


def test_a_server_may_be_known_to_repeat_its_rows(server: FakeDataSource, tmp_path: Path) -> None:
    datasets = Datasets(server, tmp_path, expect_new_ids=False)
    assert datasets.live(round_of(1404)).sha256 == datasets.live(round_of(1405)).sha256


def without_ids() -> bytes:
    return parquet_bytes(live_rows().reset_index(drop=True))


def changed(**columns: object) -> bytes:
    return parquet_bytes(live_rows().assign(**columns))


def with_ids(ids: list[object]) -> bytes:
    return parquet_bytes(live_rows().set_index(pd.Index(ids, name="id", dtype=object)))


IDS = live_rows().index.tolist()
BROKEN = {
    "empty": (b"", "an empty file"),
    "HTML": (b"<html><body>We will be back soon</body></html>", "a web page or an error message"),
    "truncated": (parquet_bytes(live_rows())[:-20], "a truncated file, not a whole parquet file"),
    "footer of garbage": (b"PAR1" + b"\x07" * 500 + b"PAR1", "not a readable parquet file"),
    "broken page": (
        parquet_bytes(live_rows(), compression="zstd").replace(b"\x28\xb5\x2f\xfd", b"\x00\x00\x00\x00"),
        "not a readable parquet file",
    ),
    "CSV": (live_rows().to_csv().encode(), "something else, not a whole parquet file"),
    "no ids": (without_ids(), "no column or index id; found era, data_type, feature_0 and"),
    "no rows": (parquet_bytes(live_rows().iloc[:0]), "0 rows; a live file has 1 to"),
    "repeated ids": (with_ids([*IDS[:-1], IDS[0]]), f"1 ids stand more than once: {IDS[0]}"),
    "empty id": (with_ids(["", *IDS[1:]]), "1 of 40 values of id are empty or not text"),
    "missing id": (with_ids([None, *IDS[1:]]), "1 of 40 values of id are empty or not text"),
    "numbers as ids": (with_ids(list(range(40))), "40 of 40 values of id are empty or not text"),
    "text as feature": (changed(feature_2="high"), "1 of 6 features are not numbers: feature_2"),
    "truth as feature": (changed(feature_2=True), "1 of 6 features are not numbers: feature_2 (bool)"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_live_file_is_refused_named_and_downloaded_again(
    server: FakeDataSource, datasets: Datasets, name: str
) -> None:
    server.files["v5.3/live.parquet"], words = BROKEN[name]
    with pytest.raises(Unavailable) as refusal:
        datasets.live(round_of())
    assert words in str(refusal.value)
    assert str(refusal.value).startswith("round 1405, v5.3/live.parquet: live.parquet: ")
    assert str(refusal.value).endswith("It is downloaded again at the next attempt.")
    server.files["v5.3/live.parquet"] = parquet_bytes(live_rows())
    assert len(datasets.live(round_of()).ids) == 40


def test_bins_out_of_range_are_told_once_and_refuse_nothing(
    server: FakeDataSource, datasets: Datasets, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.files["v5.3/live.parquet"] = changed(feature_1=5, feature_3=-1)
    frame = datasets.live(round_of()).frame("small")
    Datasets(server, tmp_path).live(round_of())
    assert (frame["feature_1"].unique().tolist(), frame["feature_3"].unique().tolist()) == ([5], [-1])
    words = (
        "round 1405, v5.3/live.parquet: 2 of 6 features leave the range 0 to 4: feature_1 (5 to 5), feature_3 (-1 to -1"
    )
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert warnings[0].startswith(words)


def test_gaps_are_allowed_in_features(server: FakeDataSource, datasets: Datasets) -> None:
    rows = live_rows().assign(feature_1=np.nan)
    rows["feature_2"] = rows["feature_2"].astype("Int8").mask(rows["feature_2"] > 2)
    server.files["v5.3/live.parquet"] = parquet_bytes(rows)
    frame = datasets.live(round_of()).frame("small")
    assert frame["feature_1"].isna().all()
    assert frame["feature_2"].isna().any()


def test_a_live_file_may_carry_its_ids_as_a_plain_column(server: FakeDataSource, datasets: Datasets) -> None:
    server.files["v5.3/live.parquet"] = parquet_bytes(live_rows().reset_index(), index=False)
    assert datasets.live(round_of()).frame("small").index.tolist() == IDS


def bomb(rows: int) -> bytes:
    """Many equal rows take next to no room in a file."""
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int8)), pa.array(["n0"]))
    zeros = pa.array(np.zeros(rows, dtype=np.float64))
    table = pa.table({"id": column, "era": column, "feature_0": zeros, "feature_1": zeros})
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()


def test_a_bomb_is_refused_before_it_is_read(server: FakeDataSource, datasets: Datasets, tmp_path: Path) -> None:
    content = bomb(3_000_000)
    assert len(content) < 100_000
    server.files["v5.3/live.parquet"] = content
    with pytest.raises(Unavailable, match=r"3,000,000 rows; a live file has 1 to 200,000"):
        datasets.live(round_of())
    path = tmp_path / "bomb.parquet"
    path.write_bytes(content)
    before = pa.total_allocated_bytes()
    with pytest.raises(LocalTrouble, match=r"bomb.parquet: 3,000,000 rows × 3 columns need about 0.\d GB of memory"):
        read_columns(path, ["feature_0", "feature_1"], probe=lambda: 50_000_000)
    assert pa.total_allocated_bytes() - before < 10_000_000


def test_a_live_file_that_does_not_fit_is_not_read(server: FakeDataSource, tmp_path: Path) -> None:
    with pytest.raises(LocalTrouble, match=r"40 rows × 9 columns"):
        Datasets(server, tmp_path, memory_probe=lambda: 1000).live(round_of())


def test_a_feature_that_the_live_file_lacks_concerns_the_model_alone(datasets: Datasets) -> None:
    live = datasets.live(round_of())
    trained = version_of_training(("feature_0", "feature_a", "feature_b", "feature_c", "feature_d"))
    with pytest.raises(PluginError) as refusal:
        live.frame("small", trained)
    assert str(refusal.value) == (
        "4 of its 5 features are not in the live data of v5.3 (it was trained on v5.2): feature_a, feature_b, feature_c"
        " and 1 more. Train it again: numebot train rpica"
    )
    assert live.frame("small", version_of_training(("feature_3",))).columns.tolist() == ["feature_3"]


def test_a_set_with_features_that_the_live_file_lacks_is_named(server: FakeDataSource, datasets: Datasets) -> None:
    server.files["v5.3/live.parquet"] = parquet_bytes(live_rows().drop(columns=["feature_1", "feature_3"]))
    with pytest.raises(PluginError, match=r"2 of its 4 features are not in v5.3/live.parquet of round 1405: "):
        datasets.live(round_of()).frame("small")


def test_a_trained_model_predicts_without_features_json(server: FakeDataSource, datasets: Datasets) -> None:
    del server.files["v5.3/features.json"]
    live = datasets.live(round_of())
    assert len(live.frame("small", version_of_training(("feature_0",)))) == 40
    with pytest.raises(Unavailable):
        live.frame("small")


def signals_live(day: str) -> bytes:
    rows = live_rows().reset_index().rename(columns={"id": "numerai_ticker"}).drop(columns=["era", "data_type"])
    return parquet_bytes(rows.assign(date=day, feature_country="us"), index=False)


def test_signals_has_tickers_text_features_and_a_place_of_its_own(server: FakeDataSource, datasets: Datasets) -> None:
    server.files["signals/v2.1/live.parquet"] = signals_live("2026-11-23")
    live = datasets.live(round_of(tournament=Tournament.SIGNALS))
    assert (live.version, live.era, live.ids.name) == ("signals/v2.1", "2026-11-23", "numerai_ticker")
    assert live.frame("all").shape == (40, 7)
    assert datasets.live(round_of()).path != live.path
    with pytest.raises(Unavailable, match=r"still the data of round 1405"):
        datasets.live(round_of(1406, Tournament.SIGNALS))
    server.files["signals/v2.1/live.parquet"] = signals_live("2026-11-24")
    assert datasets.live(round_of(1406, Tournament.SIGNALS)).era == "2026-11-24"


SELECTION = Selection("v5.3", ("feature_0", "feature_3"), ("target",))


def test_training_reads_only_the_columns_asked_for(datasets: Datasets) -> None:
    data = datasets.training(SELECTION)
    assert data.X.columns.tolist() == data.features == ["feature_0", "feature_3"]
    assert set(data.X.dtypes) == {np.dtype(np.int8)}
    assert data.targets.columns.tolist() == ["target"]
    assert data.y.dtype == np.float32
    assert (data.eras.iloc[0], data.eras.iloc[-1], len(data.X)) == ("0001", "0020", 800)


def test_the_meaning_of_target_is_found_in_the_data(datasets: Datasets) -> None:
    assert datasets.training(SELECTION).target == "target_ender_60"
    both = Selection("v5.3", ("feature_0",), ("target_ender_20", "target"))
    assert datasets.training(both).target == "target_ender_20"


def test_rows_without_a_target_are_left_out(server: FakeDataSource, datasets: Datasets) -> None:
    rows = made_up_rows(["0001", "0002"])
    rows.iloc[:15, rows.columns.get_loc("target")] = np.nan
    server.files["v5.3/train.parquet"] = parquet_bytes(rows)
    data = datasets.training(SELECTION)
    assert len(data.X) == len(data.eras) == 65
    assert data.y.notna().all()
    assert data.X["feature_0"].dtype == np.int8


def test_targets_and_features_that_do_not_exist_are_named(datasets: Datasets) -> None:
    with pytest.raises(PluginError, match=r"1 of 1 targets are not in v5.3/train.parquet: target_ender_6. Did"):
        datasets.training(Selection("v5.3", ("feature_0",), ("target_ender_6",)))
    with pytest.raises(PluginError, match=r"1 of 1 features are not in v5.3/train.parquet: feature_9"):
        datasets.training(Selection("v5.3", ("feature_9",), ("target",)))


def test_a_broken_training_file_is_downloaded_again(server: FakeDataSource, datasets: Datasets) -> None:
    good = server.files["v5.3/train.parquet"]
    server.files["v5.3/train.parquet"] = good[:-30]
    with pytest.raises(Unavailable, match=r"v5.3/train.parquet: train.parquet: a truncated file"):
        datasets.training(SELECTION)
    server.files["v5.3/train.parquet"] = good
    assert len(datasets.training(SELECTION).X) == 800


def test_training_rows_that_would_not_fit_are_not_read(server: FakeDataSource, tmp_path: Path) -> None:
    with pytest.raises(LocalTrouble, match=r"train.parquet: 800 rows × 5 columns .* smaller feature_set"):
        Datasets(server, tmp_path, memory_probe=lambda: 20_000).training(SELECTION)


def test_validation_comes_in_whole_eras_after_the_embargo(datasets: Datasets) -> None:
    groups = list(datasets.validation(SELECTION, last_training_era="0020", embargo=16))
    eras = pd.concat([group.eras for group in groups])
    assert sorted(eras.unique()) == [f"{era:04d}" for era in range(37, 51)]
    assert (eras.value_counts() == 40).all()
    assert list(datasets.validation(SELECTION, last_training_era="0020", embargo=30)) == []


def test_eras_without_a_known_target_are_no_validation(server: FakeDataSource, datasets: Datasets) -> None:
    rows = made_up_rows(["0999", "1000", "1001"])
    rows.loc[rows["era"] == "1001", "target"] = np.nan
    server.files["v5.3/validation.parquet"] = parquet_bytes(rows)
    (group,) = datasets.validation(SELECTION, last_training_era="0998", embargo=1)
    assert group.eras.unique().tolist() == ["1000"]


@needs_real_data
def test_real_feature_sets_of_two_versions_differ_where_they_should() -> None:
    new, old = (
        parse_feature_sets((REAL / f"features-{version}/features.json").read_text(), version)
        for version in ("v5.3", "v5.2")
    )
    assert (len(new.sets["small"]), len(new.sets["all"]), len(new.targets)) == (42, 3555, 41)
    assert {name for name in new.sets if new.sets[name] != old.sets.get(name)} == {"all", "quantum"}
    with pytest.raises(PluginError, match=r"807 of 807 features do not exist in v5.2"):
        resolve_features(new.sets["quantum"], old)


@needs_real_data
@pytest.mark.parametrize("name", ["features", "v3_features", "v4_features"])
def test_real_feature_lists_of_older_versions_are_read(name: str) -> None:
    known = parse_feature_sets((REAL / f"numerblox-mini/{name}.json").read_text(), "old")
    assert len(known.sets["medium"]) > 100


@needs_real_data
def test_a_real_era_is_read_as_live_data(server: FakeDataSource, tmp_path: Path) -> None:
    server.files["v5.3/live.parquet"] = (
        REAL / "classic-v5-era0575-small/validation_era0575_small_int8.parquet"
    ).read_bytes()
    server.files["v5.3/features.json"] = (REAL / "features-v5.3/features.json").read_bytes()
    live: LiveData = Datasets(server, tmp_path).live(round_of())
    assert (len(live.ids), live.era) == (5592, "0575")
    frame = live.frame("small")
    assert frame.shape == (5592, 42)
    assert set(frame.dtypes) == {np.dtype(np.int8)}
    with pytest.raises(PluginError, match=r"features are not in v5.3/live.parquet of round 1405"):
        live.frame("medium")


def test_the_files_that_were_used_are_told_with_their_sha256(server: FakeDataSource, datasets: Datasets) -> None:
    assert datasets.static_files() == ()
    datasets.training(SELECTION)
    _, file = sorted(datasets.static_files(), key=lambda file: file.name)
    assert (file.name, file.round_number) == ("v5.3/train.parquet", None)
    assert file.sha256 == hashlib.sha256(server.files["v5.3/train.parquet"]).hexdigest()
    assert file.path.read_bytes() == server.files["v5.3/train.parquet"]


def test_whole_files_of_the_version_come_from_the_round_that_they_belong_to(
    server: FakeDataSource, datasets: Datasets
) -> None:
    live = datasets.live(round_of())
    server.round_files["v5.3/live_benchmark_models.parquet", 1405] = parquet_bytes(live_rows()[["era"]])
    assert live.file("live.parquet") == live.path
    path = live.file("live_benchmark_models.parquet")
    assert (path.parent, list(pd.read_parquet(path).index)) == (live.path.parent, list(live.ids))
    assert live.file("features.json").read_bytes() == FEATURES_JSON
    server.round_files["v5.3/live_benchmark_models.parquet", 1405] = parquet_bytes(live_rows(seed=9)[["era"]])
    with pytest.raises(Unavailable, match="live ids are absent: not this round's"):
        live.file("live_benchmark_models.parquet")
