from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from numebot.adapters.artifacts import Artifacts, TrainingRecord, read_manifest
from numebot.core.errors import ConfigError, LocalTrouble, PluginError
from numebot.core.types import Tournament

NOW = datetime(2026, 11, 22, 2, 13, tzinfo=UTC)
RECORD = TrainingRecord(
    data_version="v5.3",
    features=("feature_0", "feature_1"),
    target="target_ender_60",
    parameters={"n_estimators": 20},
    libraries={"numpy": "2.4.6"},
    eras=("0001", "0574"),
    metrics={"corr_mean": 0.021, "corr_sharpe": math.nan},
    code="models.example_xgboost",
    code_sha256="ab" * 32,
)


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path)


def save(text: str = "trees"):
    def write(folder: Path) -> None:
        (folder / "model.ubj").write_text(text)
        (folder / "more").mkdir()
        (folder / "more/notes.txt").write_text("of the plugin")

    return write


def test_a_kept_version_is_current_and_comes_back_as_it_was(artifacts: Artifacts, tmp_path: Path) -> None:
    kept = artifacts.keep("rpica", RECORD, save=save(), now=NOW)
    assert kept.version == "20261122T021300Z"
    assert kept.folder == tmp_path / "models/rpica/20261122T021300Z"
    found = artifacts.current("rpica")
    assert found is not None
    assert math.isnan(found.metrics["corr_sharpe"])
    assert replace(found, metrics={}) == replace(kept, metrics={})
    assert (found.folder / "more/notes.txt").read_text() == "of the plugin"
    manifest = json.loads((kept.folder / "manifest.json").read_text())
    assert manifest["code_sha256"] == RECORD.code_sha256
    assert manifest["features"] == ["feature_0", "feature_1"]


def test_the_newest_version_is_current_and_older_ones_stay(artifacts: Artifacts) -> None:
    for minutes in (0, 5):
        artifacts.keep("rpica", RECORD, save=save(str(minutes)), now=NOW + timedelta(minutes=minutes))
    current = artifacts.current("rpica")
    assert current is not None
    assert current.version == "20261122T021800Z"
    assert artifacts.versions("rpica") == ["20261122T021300Z", "20261122T021800Z"]
    assert (artifacts.load("rpica", "20261122T021300Z").folder / "model.ubj").read_text() == "0"


def test_two_versions_of_one_second_keep_their_order(artifacts: Artifacts) -> None:
    names = [artifacts.keep("rpica", RECORD, save=save(), now=NOW).version for _ in range(3)]
    assert names == sorted(set(names))
    assert artifacts.current("rpica").version == names[-1]  # type: ignore[union-attr] # just kept


def test_an_older_version_can_be_marked_current_by_hand(artifacts: Artifacts, tmp_path: Path) -> None:
    first = artifacts.keep("rpica", RECORD, save=save(), now=NOW)
    artifacts.keep("rpica", RECORD, save=save(), now=NOW + timedelta(days=1))
    (tmp_path / "models/rpica/current").write_text(first.version)
    assert artifacts.current("rpica").version == first.version  # type: ignore[union-attr] # just kept


def test_a_version_whose_mark_was_never_written_counts(artifacts: Artifacts, tmp_path: Path) -> None:
    kept = artifacts.keep("rpica", RECORD, save=save(), now=NOW)
    (tmp_path / "models/rpica/current").unlink()
    found = artifacts.current("rpica")
    assert found is not None
    assert (found.version, found.sha256) == (kept.version, kept.sha256)


def test_a_model_without_versions_has_none(artifacts: Artifacts) -> None:
    assert artifacts.current("rpica") is None
    assert artifacts.versions("rpica") == []


def test_a_mark_that_points_nowhere_says_what_is_there(artifacts: Artifacts, tmp_path: Path) -> None:
    artifacts.keep("rpica", RECORD, save=save(), now=NOW)
    (tmp_path / "models/rpica/current").write_text("20250101T000000Z")
    with pytest.raises(PluginError, match=r"names the version '20250101T000000Z', .* There: 20261122T021300Z"):
        artifacts.current("rpica")


@pytest.mark.parametrize("damage", ["changed", "added", "removed", "renamed"])
def test_files_that_are_not_those_that_were_trained_are_not_loaded(artifacts: Artifacts, damage: str) -> None:
    folder = artifacts.keep("rpica", RECORD, save=save(), now=NOW).folder
    if damage == "changed":
        (folder / "model.ubj").write_text("other")
    elif damage == "added":
        (folder / "model.pickle").write_bytes(b"surprise")
    elif damage == "removed":
        (folder / "more/notes.txt").unlink()
    else:
        (folder / "model.ubj").rename(folder / "model2.ubj")
    with pytest.raises(PluginError, match=r"the files are not those that were trained .* numebot train rpica"):
        artifacts.current("rpica")


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"model": "rpica"}', "\udcff"])
def test_a_broken_manifest_is_refused_by_name(artifacts: Artifacts, content: str | None) -> None:
    kept = artifacts.keep("rpica", RECORD, save=save(), now=NOW)
    path = kept.folder / "manifest.json"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(PluginError, match=r"manifest.json: the manifest is missing or broken"):
        artifacts.current("rpica")
    with pytest.raises(PluginError, match="train the model again"):
        read_manifest(kept.folder)


def test_a_failing_save_leaves_the_old_version_current_and_no_rest(artifacts: Artifacts, tmp_path: Path) -> None:
    kept = artifacts.keep("rpica", RECORD, save=save(), now=NOW)

    def fail(folder: Path) -> None:
        (folder / "half").write_text("…")
        raise PluginError("save of models.x failed")

    with pytest.raises(PluginError, match="save of"):
        artifacts.keep("rpica", RECORD, save=fail, now=NOW + timedelta(days=1))
    assert artifacts.current("rpica").version == kept.version  # type: ignore[union-attr] # kept above
    assert sorted(path.name for path in (tmp_path / "models/rpica").iterdir()) == [kept.version, "current"]


def test_what_a_killed_training_left_is_no_version(artifacts: Artifacts, tmp_path: Path) -> None:
    (tmp_path / "models/rpica/.abc.part").mkdir(parents=True)
    assert artifacts.versions("rpica") == []
    assert artifacts.current("rpica") is None


def test_a_plugin_that_saves_nothing_or_the_manifest_is_refused(artifacts: Artifacts) -> None:
    with pytest.raises(PluginError, match="save wrote no file"):
        artifacts.keep("rpica", RECORD, save=lambda folder: None, now=NOW)

    def greedy(folder: Path) -> None:
        (folder / "manifest.json").write_text("{}")
        (folder / "model").write_text("x")

    with pytest.raises(PluginError, match=r"save wrote a file called manifest.json"):
        artifacts.keep("rpica", RECORD, save=greedy, now=NOW)


@pytest.mark.parametrize("name", ["..", "a/b", ".hidden", "", "x" * 65, "a b"])
def test_no_model_name_leads_out_of_the_folder(artifacts: Artifacts, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a folder"):
        artifacts.keep(name, RECORD, save=save(), now=NOW)


def test_one_name_in_two_tournaments_is_two_models(artifacts: Artifacts) -> None:
    artifacts.keep("rpica", RECORD, save=save(), now=NOW, tournament=Tournament.SIGNALS)
    assert artifacts.current("rpica") is None
    assert artifacts.current("rpica", Tournament.SIGNALS) is not None


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(LocalTrouble, match="models/rpica"):
        Artifacts(tmp_path).keep("rpica", RECORD, save=save(), now=NOW)
