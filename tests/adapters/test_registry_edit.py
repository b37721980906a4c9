from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.adapters.registry import read_registry
from numebot.adapters.registry.edit import add_row, set_enabled
from numebot.adapters.registry.spans import spanned_records
from numebot.adapters.registry.table import read_table
from numebot.core.errors import ConfigError

ROOT = Path(__file__).parents[2]


def table(folder: Path, content: bytes | str) -> Path:
    path = folder / "model_configs.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def enabled(path: Path) -> dict[str, bool]:
    return {model.name: model.enabled for model in read_registry(path, home=ROOT).models}


ODD = (
    b'\xef\xbb\xbf# my models, \xc3\xa4lteste zuerst\r\n'
    b'numerai_name , "model_code",note,Enabled,parameters\r\n'
    b'\r\n'
    b'alpha, models.feature_mean ,"two\r\nlines, and a ""quote""", TRUE ,"{\'a\': 1}"\r\n'
    b'# beta rests\r\n'
    b'beta,models.feature_mean,,"no",\r\n'
    b'gamma,models.feature_mean,x\r\n'
)  # fmt: skip


def test_one_cell_changes_and_every_other_byte_stays(tmp_path: Path) -> None:
    path = table(tmp_path, ODD)
    set_enabled(path, {4: "alpha"}, wish=False)
    assert path.read_bytes() == ODD.replace(b" TRUE ", b" FALSE ")
    set_enabled(path, {4: "alpha", 7: "beta"}, wish=True)
    assert path.read_bytes() == ODD.replace(b'"no"', b'"yes"')


def test_a_row_that_is_too_short_gets_its_cell(tmp_path: Path) -> None:
    path = table(tmp_path, ODD)
    set_enabled(path, {8: "gamma"}, wish=False)
    assert path.read_bytes() == ODD.replace(b"feature_mean,x\r\n", b"feature_mean,x,False\r\n")


def test_the_column_is_added_when_it_is_missing(tmp_path: Path) -> None:
    path = table(tmp_path, "numerai_name,model_code,description\na,models.feature_mean,one\nb,models.feature_mean\n")
    set_enabled(path, {3: "b"}, wish=False)
    assert path.read_text() == (
        "numerai_name,model_code,description,enabled\na,models.feature_mean,one\nb,models.feature_mean,,False\n"
    )
    assert enabled(path) == {"a": True, "b": False}


@pytest.mark.parametrize(
    ("before", "wish", "after"),
    [
        ("True", False, "False"), ("true", False, "false"), ("FALSE", True, "TRUE"), ("yes", False, "no"),
        ("N", True, "Y"), ("1", False, "0"), ("0.0", True, "1.0"), ("", False, "False"), ("x", False, "False"),
        ("perhaps", True, "True"), ("On", True, "On"),
    ],
)  # fmt: skip
def test_the_word_is_written_in_the_manner_of_the_file(tmp_path: Path, before: str, wish: bool, after: str) -> None:
    path = table(tmp_path, f"numerai_name,model_code,enabled,note\na,models.feature_mean,{before},n\n")
    set_enabled(path, {2: "a"}, wish=wish)
    assert path.read_text() == f"numerai_name,model_code,enabled,note\na,models.feature_mean,{after},n\n"
    assert enabled(path) == {"a": wish}


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_other_encodings_stay_what_they_are(tmp_path: Path, encoding: str) -> None:
    text = "numerai_name,model_code,enabled,note\r\na,models.feature_mean,True,schön €\r\n"
    path = table(tmp_path, text.encode(encoding))
    set_enabled(path, {2: "a"}, wish=False)
    assert path.read_bytes() == text.replace("True", "False").encode(encoding)


def test_mode_and_link_stay(tmp_path: Path) -> None:
    real = table(tmp_path, "numerai_name,model_code,enabled\na,models.feature_mean,True\n")
    real.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(real)
    set_enabled(link, {2: "a"}, wish=False)
    assert link.is_symlink()
    assert enabled(real) == {"a": False}
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.csv", "model_configs.csv"]


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ('numerai_name,model_code,enabled\na,models.feature_mean,True\nb,"models.feature_mean,True\n', 3, "b"),
        ("numerai_name,model_code\na,models.feature_mean,b,c\n", 2, "a"),
    ],
)
def test_what_is_not_well_formed_is_left_alone(tmp_path: Path, text: str, line: int, name: str) -> None:
    path = table(tmp_path, text)
    with pytest.raises(ConfigError, match="Nothing was changed"):
        set_enabled(path, {line: name}, wish=False)
    with pytest.raises(ConfigError, match="Nothing was changed"):
        add_row(path, {"numerai_name": "c", "model_code": "models.feature_mean", "enabled": "False"})
    assert path.read_text() == text
    assert os.listdir(tmp_path) == ["model_configs.csv"]


def test_one_broken_row_does_not_keep_another_from_being_changed(tmp_path: Path) -> None:
    path = table(tmp_path, 'numerai_name,model_code,enabled\na,models.feature_mean,True\nb,"models.feature_mean\n')
    set_enabled(path, {2: "a"}, wish=False)
    assert path.read_text().splitlines()[1] == "a,models.feature_mean,False"


def test_a_row_is_added_with_the_columns_and_line_ends_of_the_file(tmp_path: Path) -> None:
    path = table(tmp_path, "model_code,numerai_name,mine\r\nmodels.feature_mean,a,1")
    add_row(path, {"numerai_name": "b", "model_code": "models.b", "enabled": "False", "description": 'so, "so"'})
    assert path.read_bytes() == (
        b"model_code,numerai_name,mine,enabled\r\nmodels.feature_mean,a,1\r\nmodels.b,b,,False\r\n"
    )
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / "model_configs.csv"
    add_row(new, {"numerai_name": "b", "model_code": "models.feature_mean", "enabled": "0", "description": 'a, "b"'})
    (model,) = read_registry(new, home=ROOT).models
    assert (model.name, model.enabled, model.description, model.problem) == ("b", False, 'a, "b"', None)


def test_a_line_that_begins_no_row_is_an_error(tmp_path: Path) -> None:
    path = table(tmp_path, "numerai_name,model_code\na,models.feature_mean\n")
    with pytest.raises(ConfigError, match="line 9"):
        set_enabled(path, {9: "a"}, wish=False)


@given(st.text(alphabet='ab,"# \n\r\t1', max_size=60))
def test_places_agree_with_what_the_csv_module_reads(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = table(tmp_path_factory.mktemp("csv"), "x,y,z\n" + text)
    read = [(row.line, row.cells) for row in read_table(path, "t").rows if row.problem is None]
    whole = path.read_bytes().decode()
    places = {record.line: record for record in spanned_records(whole)}
    for line, cells in read:
        raw = [whole[cell.start : cell.end] for cell in places[line].cells]
        assert len(raw) >= len(cells)
        for value, piece in zip(cells.values(), raw, strict=False):
            lines = io.StringIO(piece, newline="")
            assert value == next(csv.reader(lines, skipinitialspace=True), [""])[0].strip()
