from __future__ import annotations

from pathlib import Path

import pytest

from numebot.adapters.registry import add_rows, read_registry
from numebot.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
ROW = {"numerai_name": "new", "model_code": "models.feature_mean", "parameters": '{"feature_set": "all"}'}


def added(path: Path, *rows: dict[str, str]) -> str:
    add_rows(path, rows or [ROW], home=ROOT)
    return path.read_text(encoding="utf-8")


def test_a_row_goes_to_the_end_and_missing_columns_to_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "model_configs.csv"
    before = '# mine\nnumerai_name,model_code\nold,models.feature_mean,\n# ours\n"older",models.feature_mean'
    path.write_text(before)
    first = before.replace("model_code\n", "model_code,parameters\n")
    assert added(path) == first + '\nnew,models.feature_mean,"{""feature_set"": ""all""}"\n'
    registry = read_registry(path, home=ROOT)
    assert [(model.name, model.problem) for model in registry.models] == [("old", None), ("older", None), ("new", None)]


def test_a_file_that_is_not_there_is_made_and_line_ends_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "model_configs.csv"
    assert added(path).startswith("numerai_name,model_code,parameters\nnew,")
    path.write_bytes(b"\xef\xbb\xbfnumerai_name,model_code\r\nold,\r\n")
    added(path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfnumerai_name,model_code,parameters\r\nold,\r\nnew,")
    assert path.read_bytes().endswith(b"\r\n")


@pytest.mark.parametrize(
    ("content", "row", "words"),
    [
        (b"numerai_name\nnew\n", ROW, '"new" stands there already'),
        (b"numerai_name\n", ROW | {"model_code": "models.nothing"}, "does not exist"),
        (b"numerai_name\n", ROW | {"numerai_name": "../up"}, "is not the name of a model"),
    ],
)
def test_what_cannot_be_added_changes_nothing(tmp_path: Path, content: bytes, row: dict[str, str], words: str) -> None:
    path = tmp_path / "model_configs.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        added(path, row)
    assert path.read_bytes() == content


def test_several_rows_come_in_their_order_and_an_old_encoding_stays(tmp_path: Path) -> None:
    path = tmp_path / "model_configs.csv"
    path.write_bytes(b"numerai_name,description\nold,\xe4")
    add_rows(path, [ROW, ROW | {"numerai_name": "newer", "parameters": "", "description": "two\nlines"}], home=ROOT)
    first, old, new, newer = path.read_bytes().split(b"\n", 3)
    assert first == b"numerai_name,description,model_code,parameters"
    assert old == b"old,\xe4"
    assert new.startswith(b"new,,models.feature_mean,")
    assert newer == b'newer,"two\nlines",models.feature_mean,\n'
