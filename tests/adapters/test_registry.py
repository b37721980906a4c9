"""model_configs.csv: old and new files, and rows that are wrong without stopping the others."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from numebot.adapters.registry import Registry, read_registry
from numebot.core.errors import ConfigError
from numebot.core.types import ModelConfig, Tournament

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("xgb_baseline", "lgbm_deep", "wisdom"):
        place = tmp_path / "models" / f"{name}.py"
        place.parent.mkdir(exist_ok=True)
        place.write_text("raise SystemExit('plugins must not be imported by the registry')\n")
    return tmp_path


def read(home: Path, content: str | bytes, plugins_folder: Path | None = None) -> Registry:
    path = home / "model_configs.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_registry(path, home=home, plugins_folder=plugins_folder)


def only(registry: Registry) -> ModelConfig:
    (model,) = registry.models
    return model


def problem_of(home: Path, content: str | bytes) -> str:
    problem = only(read(home, content)).problem
    assert problem is not None
    return problem


def test_the_shipped_table_is_complete_and_plays_nothing_until_its_owner_says_so() -> None:
    registry = read_registry(ROOT / "model_configs.csv", home=ROOT)
    assert [model.code for model in registry.models] == [
        "models.example_xgboost",
        "models.example_lightgbm",
        "models.feature_mean",
    ]
    assert registry.runnable() == ()
    assert registry.notices == registry.problems == ()
    assert all(model.problem is None and model.description for model in registry.models)


def test_the_three_columns_of_the_original_example_are_read_unchanged(home: Path) -> None:
    registry = read(
        home,
        "numerai_name,model_code,description\n"
        'rpica,models.xgb_baseline,"The example,\nin two lines."\n'
        "rpica_2,,\n"
        "rpica_3,models.wisdom,third\n",
    )
    assert registry.models == (
        ModelConfig("rpica", "models.xgb_baseline", "The example,\nin two lines.", line=2),
        ModelConfig("rpica_2", "", enabled=False, line=4),
        ModelConfig("rpica_3", "models.wisdom", "third", line=5),
    )
    assert registry.notices == ("model_configs.csv line 4: rpica_2 has no model_code and is skipped.",)


def test_the_seven_columns_of_private_files_are_read_unchanged(home: Path) -> None:
    registry = read(
        home,
        b"\xef\xbb\xbfnumerai_name,model_code,parameters,description,enabled,is_ensemble,stake\r\n"
        + 'one,models.xgb_baseline,"{‘time’: 13*3600, ´depth´: 5}",first,TRUE,False,1.5\r\n'.encode()
        + b'two,models.wisdom,,"line\r\nbreak",1,yes,\r\n'
        + b"three,models.lgbm_deep,,,0.0,,\r\n",
    )
    assert registry.models == (
        ModelConfig("one", "models.xgb_baseline", "first", parameters={"time": 46800, "depth": 5}, line=2),
        ModelConfig("two", "models.wisdom", "line\r\nbreak", is_ensemble=True, line=3),
        ModelConfig("three", "models.lgbm_deep", enabled=False, line=5),
    )
    assert registry.notices == ()
    assert [model.name for model in registry.runnable()] == ["one", "two"]


def test_all_columns_of_today_are_read(home: Path) -> None:
    model = only(
        read(
            home,
            "numerai_name,model_code,enabled,parameters,tournament,fallback,time_limit_minutes,memory_limit_mb,network\n"
            'm,models.wisdom,on,"{""depth"": 5}",Signals,previous > example,7.5,4096,yes\n',
        )
    )
    assert model.parameters == {"depth": 5}
    assert (model.tournament, model.fallback) == (Tournament.SIGNALS, "previous > example")
    assert (model.time_limit_minutes, model.memory_limit_mb, model.network) == (7.5, 4096, True)


def test_a_ladder_that_leads_nowhere_is_a_remark_and_the_model_runs_with_the_rest_of_it(home: Path) -> None:
    registry = read(
        home,
        "numerai_name,model_code,enabled,tournament,fallback\n"
        "a,models.wisdom,True,8,b > Previous > off_one > other_world > example\n"
        "b,models.wisdom,True,8,b\n"
        "off_one,models.wisdom,False,8,nobody\n"
        "other_world,models.wisdom,True,11,\n",
    )
    assert [model.fallback for model in registry.models] == ["b > previous > example", "", "", ""]
    assert [model.problem for model in registry.models] == [None] * 4
    assert registry.notices == (
        'model_configs.csv line 2, fallback: "off_one", "other_world" are none of previous, example and the enabled '
        "models of this table. The ladder goes on without it.",
        "model_configs.csv line 3, fallback: a model cannot stand in for itself. The ladder goes on without it.",
    )


@pytest.mark.parametrize(
    ("text", "tournament"),
    [("", 8), ("8", 8), ("8.0", 8), ("classic", 8), ("Numerai", 8), ("11", 11), ("12", 12), ("CRYPTO", 12)],
)
def test_a_tournament_is_a_number_or_a_name(home: Path, text: str, tournament: int) -> None:
    assert only(read(home, f"numerai_name,model_code,tournament\nm,models.wisdom,{text}\n")).tournament == tournament


def test_comments_and_blank_lines_keep_the_line_numbers_right(home: Path) -> None:
    registry = read(
        home,
        "# my models\n\nnumerai_name,model_code,description\n  # off: x,y,z\n,,\n"
        'a,models.wisdom,"text\n# not a comment\n"\n\nb,models.gone,\n',
    )
    first, second = registry.models
    assert (first.line, first.description) == (6, "text\n# not a comment")
    assert second.problem is not None
    assert second.problem.startswith("model_configs.csv line 10, model_code: ")


def test_rows_may_end_early_and_names_may_have_blanks_around(home: Path) -> None:
    assert only(read(home, 'Numerai_Name , model_code,enabled\n m , "models.wisdom"\n')) == ModelConfig(
        "m", "models.wisdom", line=2
    )


def test_unknown_columns_are_ignored_with_a_notice(home: Path) -> None:
    registry = read(home, "numerai_name,model_code,enable,colour,stake\nm,models.wisdom,False,red,1\n")
    assert only(registry).enabled
    assert registry.notices == (
        'model_configs.csv: the column "enable" is not known and is ignored. Did you mean enabled?',
        'model_configs.csv: the column "colour" is not known and is ignored.',
    )


def test_ensembles_come_after_the_others(home: Path) -> None:
    registry = read(home, "numerai_name,model_code,is_ensemble\ne,models.wisdom,yes\nm,models.wisdom,no\n")
    assert [model.name for model in registry.runnable()] == ["m", "e"]


# The code of a model is looked for without running it.


@pytest.mark.parametrize(
    "code",
    [
        "models.wisdom",
        "models.wisdom:Wisdom",
        "models/wisdom.py",
        "./models/wisdom.py:Wisdom",
        "json.decoder",  # an installed package
        "json",
    ],
)
def test_code_that_exists_is_accepted_without_importing_it(home: Path, code: str) -> None:
    model = only(read(home, f"numerai_name,model_code\nm,{code}\n"))
    assert (model.code, model.problem) == (code, None)
    assert "models.wisdom" not in sys.modules


def test_code_is_found_in_the_private_folder_and_by_full_path(home: Path) -> None:
    private = home / "private plugins"
    (private / "deep").mkdir(parents=True)
    (private / "secret_sauce.py").touch()
    (private / "deep/__init__.py").touch()
    text = f"numerai_name,model_code\na,secret_sauce\nb,secret_sauce.py\nc,deep\nd,{private}/secret_sauce.py:Sauce\n"
    assert [model.problem for model in read(home, text, private).models] == [None] * 4
    (problem,) = [model.problem for model in read(home, "numerai_name,model_code\na,secret_souce\n", private).models]
    assert problem is not None
    assert 'Did you mean "secret_sauce"?' in problem


def test_a_misspelt_code_is_said_with_a_suggestion_and_the_others_run(home: Path) -> None:
    registry = read(
        home,
        "numerai_name,model_code\na,models.wisdom\nb,models.lgbm_deep\nc,models.xgb_basline\nd,\n",
    )
    assert registry.models[2].problem == (
        'model_configs.csv line 4, model_code: "models.xgb_basline" does not exist. '
        'Did you mean "models.xgb_baseline"? The other 2 models run.'
    )
    assert [model.name for model in registry.runnable()] == ["a", "b"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("model.wisdom", 'Did you mean "models.wisdom"?'),
        ("models/wisdm.py", 'Did you mean "models/wisdom.py"?'),
        ("zzz.qqq", "It was looked for in "),
        ("models/wisdom", "is not the path of a .py file"),
        ("models.wisdom:", "is not the name of a class"),
        ("models.wisdom:Wis dom", "is not the name of a class"),
        ("models.wisdom()", "is not a name; allowed are"),
        ("../models.wisdom", "is not the path of a .py file"),
        ("os.system('true')", "is not a name"),
        ("models." + "x" * 5000, "does not exist"),
    ],
)
def test_code_that_cannot_be_loaded_is_a_problem_of_its_row(home: Path, code: str, words: str) -> None:
    assert words in problem_of(home, f'numerai_name,model_code\nm,"{code}"\n')


@pytest.mark.parametrize("code", ["models/odd.py", "models.odd", "models/odd.py:Odd"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("folder", "is a folder ("),
        ("loop", "is a link that leads to nothing, or back to itself ("),
        ("dangling", "is a link that leads to nothing, or back to itself ("),
        ("pipe", "is neither a file nor a folder ("),
    ],
)
def test_what_is_no_file_is_called_what_it_is(home: Path, code: str, kind: str, words: str) -> None:
    place = home / "models/odd.py"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(place if kind == "loop" else home / "nowhere.py")
    problem = problem_of(home, f"numerai_name,model_code\nm,{code}\n")
    assert f'model_code: "{code}" {words}{place}); allowed are package.module' in problem
    assert "Did you mean" not in problem
    assert '"models/odd.py"?' not in problem_of(home, "numerai_name,model_code\nm,models/odd2.py\n")


# Wrong rows.


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("enabled", "maybe", 'enabled: "maybe" is neither True nor False.'),
        ("is_ensemble", "2", 'is_ensemble: "2" is neither True nor False.'),
        ("tournament", "9", 'tournament: "9" is none of 8 (classic), 11 (signals), 12 (crypto).'),
        ("time_limit_minutes", "soon", 'time_limit_minutes: "soon" is not a number above 0'),
        ("time_limit_minutes", "0", "is not a number above 0"),
        ("time_limit_minutes", "-5", "is not a number above 0"),
        ("time_limit_minutes", "nan", "is not a number above 0"),
        ("time_limit_minutes", "1e99", "is not a number above 0"),
        ("memory_limit_mb", "1.5", 'memory_limit_mb: "1.5" is not a whole number.'),
        ("memory_limit_mb", "inf", "is not a number above 0"),
        ("parameters", "{'a': 1", "parameters: \"{'a': 1\" is neither JSON nor a Python dict"),
        ("parameters", "__import__('os').system('true')", "nothing is run"),
    ],
)
def test_a_wrong_cell_is_a_problem_of_its_row(home: Path, column: str, text: str, words: str) -> None:
    problem = problem_of(home, f'numerai_name,model_code,{column}\nm,models.wisdom,"{text}"\n')
    assert problem.startswith("model_configs.csv line 2, ")
    assert words in problem


def test_all_problems_of_a_row_are_said_at_once(home: Path) -> None:
    problem = problem_of(home, "numerai_name,model_code,enabled,parameters\nm,models.wisdm,maybe,[1]\n")
    assert [problem.find(column) >= 0 for column in ("model_code:", "enabled:", "parameters:")] == [True] * 3
    assert problem.endswith("No other model is left to run.")


def test_a_wrong_row_that_is_not_enabled_troubles_nobody(home: Path) -> None:
    problem = problem_of(home, "numerai_name,model_code,enabled\nm,models.gone,False\n")
    assert problem.endswith("The row is not enabled, so nothing else changes.")


@pytest.mark.parametrize("name", ["my model", "../../etc", ".hidden", "a/b", "naïve", "x" * 65, "a\tb", "="])
def test_a_name_that_no_model_can_have_is_a_problem(home: Path, name: str) -> None:
    assert "is not the name of a model" in problem_of(home, f'numerai_name,model_code\n"{name}",models.wisdom\n')


def test_a_row_without_a_name_is_kept_apart(home: Path) -> None:
    registry = read(home, "numerai_name,model_code\n,models.wisdom\nm,models.wisdom\n")
    assert only(registry).name == "m"
    assert registry.problems == (
        "model_configs.csv line 2, numerai_name: is blank. It must be the name of a model of your account. "
        "The other model runs.",
    )


def test_a_model_that_stands_twice_is_a_problem_of_the_later_row(home: Path) -> None:
    registry = read(
        home,
        "numerai_name,model_code,tournament\nm,models.wisdom,8\nm,models.wisdom,11\nm,models.lgbm_deep,classic\n",
    )
    first, other_tournament, doubled = registry.models
    assert (first.problem, other_tournament.problem) == (None, None)
    assert doubled.problem == (
        'model_configs.csv line 4, numerai_name: "m" stands already in line 2. The other 2 models run.'
    )


def test_a_row_with_an_unquoted_comma_is_a_problem(home: Path) -> None:
    problem = problem_of(home, "numerai_name,model_code,enabled\nm,models.wisdom,True,and more\n")
    assert "the row has 4 values where the first line names 3 columns" in problem


def test_a_quote_that_is_never_closed_is_a_problem_with_its_line(home: Path) -> None:
    registry = read(
        home, 'numerai_name,model_code,description\na,models.wisdom,x\nb,models.wisdom,"lost\nc,models.wisdom,x\n'
    )
    first, second = registry.models
    assert first.problem is None
    assert second.problem is not None
    assert second.problem.startswith("model_configs.csv line 3, the row opens a quote")


def test_a_field_of_ten_megabytes_is_a_problem_of_its_row(home: Path) -> None:
    registry = read(
        home,
        "numerai_name,model_code,description\na,models.wisdom," + "x" * 10_000_000 + "\nb,models.wisdom,\n",
    )
    assert only(registry) == ModelConfig("b", "models.wisdom", line=3)
    (problem,) = registry.problems
    assert problem.startswith("model_configs.csv line 2, the row cannot be read as CSV")
    assert len(problem) < 200


def test_a_huge_quoted_text_over_many_lines_does_not_become_a_thousand_problems(home: Path) -> None:
    registry = read(home, 'numerai_name,model_code,description\na,models.wisdom,"' + "x,y\n" * 100_000 + '"\n')
    assert registry.models == ()
    assert len(registry.problems) == 1


def test_a_nul_byte_is_a_problem_of_its_row(home: Path) -> None:
    registry = read(home, b"numerai_name,model_code,description\na,models.wisdom,x\0y\nb,models.wisdom,\n")
    first, second = registry.models
    assert "holds a NUL byte" in str(first.problem)
    assert second.problem is None


# The file as a whole.


def test_a_file_in_another_encoding_is_read_with_a_notice(home: Path) -> None:
    text = "numerai_name,model_code,description,parameters\na,models.wisdom,café,\"{‘depth’: 5}\"\n"
    for encoding, words in (("cp1252", "line 2: is not UTF-8; the file was read as Windows"), ("utf-16", "is UTF-16")):
        registry = read(home, text.encode(encoding))
        assert only(registry) == ModelConfig("a", "models.wisdom", "café", parameters={"depth": 5}, line=2)
        assert words in registry.notices[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"# only a comment\n\n", "is empty"),
        (b"name,model_code\nm,models.wisdom\n", "has no column numerai_name (found: name, model_code)"),
        (b"numerai_name;model_code\nm;models.wisdom\n", "Separate the columns by commas"),
        (b"numerai_name\tmodel_code\n", "Separate the columns by commas"),
        (b"numerai_name,model_code,model_code\n", "the column model_code stands there twice"),
        (b'"numerai_name,model_code\nm,models.wisdom\n', "never closed"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "has no column numerai_name"),
        (b"x" * 20_000_001, "is larger than"),
    ],
)
def test_a_file_that_is_no_table_of_models_stops_with_the_reason(home: Path, content: bytes, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(home, content)
    assert words in str(caught.value)
    assert str(caught.value).startswith("model_configs.csv")


def test_a_missing_file_says_how_to_make_one(home: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist") as caught:
        read_registry(home / "model_configs.csv", home=home)
    assert "numerai_name,model_code,description\n" in str(caught.value)
    assert "MODEL_CONFIGS_PATH" in str(caught.value)


def test_a_folder_in_its_place_is_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match="is not a file"):
        read_registry(home / "models", home=home)


def test_a_header_alone_is_a_table_without_models(home: Path) -> None:
    assert read(home, "numerai_name,model_code\n") == Registry(())


def test_what_a_plugin_may_read_stands_in_its_row(home: Path) -> None:
    table = "numerai_name,model_code,readable\nrpica,models.wisdom,{}\n"
    allowed = only(read(home, table.format(os.pathsep.join(["/opt/julia", " /srv/r model "]))))
    assert (allowed.readable, allowed.problem) == ((Path("/opt/julia"), Path("/srv/r model")), None)
    assert '"tools" is not a whole path' in problem_of(home, table.format("tools"))
    for folder in (home, home.parent, Path("/")):
        assert "holds numebot's own settings" in problem_of(home, table.format(folder))
