"""What is wrong with settings is said at once, with place, value, what is allowed, and never with a secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from numebot.adapters.settings import load_settings
from numebot.core.errors import ConfigError


def problems(home: Path, environ: Mapping[str, str] | None = None, **overrides: object) -> tuple[str, ...]:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    with pytest.raises(ConfigError) as caught:
        load_settings(home, environ or {}, dotted)
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    return caught.value.problems


def toml_problems(home: Path, text: str | bytes) -> tuple[str, ...]:
    (home / "config").mkdir(exist_ok=True)
    (home / "config/numebot.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    return problems(home)


def dotenv_problems(home: Path, text: str | bytes) -> tuple[str, ...]:
    (home / ".env").write_bytes(text.encode() if isinstance(text, str) else text)
    return problems(home)


def test_a_wrong_value_is_said_with_line_value_and_what_is_allowed(tmp_path: Path) -> None:
    assert toml_problems(tmp_path, '[submission]\n\ndeadline_margin_s = "soon"\n') == (
        'config/numebot.toml line 3, [submission] deadline_margin_s: "soon" is not a number of seconds (0 to 3600).',
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("api.connect_timeout_s", "true"),
        ("api.connect_timeout_s", "nan"),
        ("api.connect_timeout_s", "inf"),
        ("api.connect_timeout_s", "-1"),
        ("api.connect_timeout_s", "[]"),
        ("api.connect_timeout_s", "1979-05-27"),
        ("submission.attempts", "1.5"),
        ("submission.attempts", "0"),
        ("submission.attempts", "99999999999999999999999999"),
        ("data.version", '"5.3"'),
        ("data.version", "5.3"),
        ("data.version", '"../v5"'),
        ("models.max_memory_fraction", "80"),
        ("practice.scale", '"huge"'),
        ("practice.seed", "-1"),
        ("log.level", '"LOUD"'),
        ("log.level", "true"),
        ("tournament.play", "[]"),
        ("tournament.play", '["clasic"]'),
        ("tournament.play", "[9]"),
        ("tournament.play", "true"),
        ("api.allowed_hosts", '["https://numer.ai/x"]'),
        ("api.allowed_hosts", "[1]"),
        ("api.allowed_hosts", '["-bad"]'),
        ("api.url", '"api.numer.ai"'),
        ("api.url", '"ftp://numer.ai"'),
        ("api.url", '"https://"'),
        ("api.url", '"https://numer.ai:99999"'),
        ("api.url", '"https://[::1"'),
        ("api.url", '"https://numer.ai/?key=1"'),
        ("api.url", '"https://numer.ai/a b"'),
        ("api.proxy", '"socks5://localhost:1"'),
        ("api.proxy", '"proxy.example:3128"'),
        ("paths.data_folder", "5"),
        ("paths.data_folder", '"a\\u0000b"'),
        ("paths.data_folder", '"a\\nb"'),
        ("paths.model_configs", "false"),
        ("models.plugins_folder", '"no/such/folder"'),
        ("models.plugins_folder", "3"),
    ],
)
def test_each_illegal_value_is_refused(tmp_path: Path, key: str, value: str) -> None:
    section, name = key.split(".")
    (problem,) = toml_problems(tmp_path, f"[{section}]\n{name} = {value}\n")
    assert problem.startswith(f"config/numebot.toml line 2, [{section}] {name}: ")


def test_the_key_never_travels_unencrypted_to_another_machine(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"NUMEBOT_API_URL": "http://numer.ai"})
    assert "unencrypted" in problem
    for local in ("http://localhost:1", "http://127.0.0.7:1", "http://[::1]:1", "https://other.example"):
        assert load_settings(tmp_path, {"NUMEBOT_API_URL": local}).settings.api.url == local


def test_all_problems_of_all_places_are_said_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NUMEBOT_SUBMISSION__ATTEMPTS=many\nNUMEBOT_LOG__LEVL=INFO\n")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/numebot.toml").write_text('[api]\nurl = "x"\nread_timeout_s = 0\n[aip]\n')
    found = problems(tmp_path, {"NUMEBOT_PRACTICE__SEED": "x"}, log__level="QUIET")
    assert [problem.split(":")[0] for problem in found] == [
        "config/numebot.toml line 4",
        "config/numebot.toml line 2, [api] url",
        "config/numebot.toml line 3, [api] read_timeout_s",
        ".env line 2, NUMEBOT_LOG__LEVL",
        ".env line 1, NUMEBOT_SUBMISSION__ATTEMPTS",
        "environment, NUMEBOT_PRACTICE__SEED",
        "command line, log.level",
    ]


def test_a_wrong_value_is_said_also_when_a_better_place_replaces_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NUMEBOT_LOG__LEVEL=LOUD\n")
    assert problems(tmp_path, {"NUMEBOT_LOG__LEVEL": "INFO"})[0].startswith(".env line 1")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[submision]\nretry_s = 1\n", "line 1: there is no section [submision]. Did you mean [submission]?"),
        ("[submission]\nretry = 1\n", "line 2, [submission] retry: there is no such setting. Did you mean retry_s?"),
        ("[api]\nretry_s = 1\n", "line 2, [api] retry_s: there is no such setting. It belongs below [submission]."),
        ("[log]\nzzz = 1\n", "line 2, [log] zzz: there is no such setting. [log] has level."),
        ("retry_s = 1\n", "line 1, retry_s: a setting must stand below its section: [submission]."),
        ("api = 1\n", "line 1, api: this is a section; write [api] in a line of its own, and its keys below."),
        ("[[api]]\n", "api: this is a section; write [api] in a line of its own, and its keys below."),
        ("[api.deep]\nurl = 1\n", "[api] deep: there is no such setting."),
        ('[secrets]\nkey = "abcdef"\n', "there is no section [secrets]."),
    ],
)
def test_an_unknown_key_of_the_file_is_an_error_with_a_hint(tmp_path: Path, text: str, hint: str) -> None:
    (problem,) = toml_problems(tmp_path, text)
    assert hint in problem
    assert "abcdef" not in problem


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("NUMEBOT_SUBMISSION__RETRY", "Did you mean NUMEBOT_SUBMISSION__RETRY_S?"),
        ("NUMEBOT_SUBMISSION_RETRY_S", "Did you mean NUMEBOT_SUBMISSION__RETRY_S?"),
        ("NUMEBOT_API__URL", "This setting is called NUMEBOT_API_URL."),
        ("NUMEBOT_PATHS__DATA_FOLDER", "This setting is called NUMERAI_DATA_FOLDER."),
        ("NUMEBOT_SECRET_KEY", "Did you mean NUMERAI_SECRET_KEY?"),
        ("NUMEBOT_ZZZ", "config/numebot.toml lists every setting."),
    ],
)
def test_an_unknown_variable_is_an_error_with_a_hint(tmp_path: Path, name: str, hint: str) -> None:
    assert problems(tmp_path, {name: "hunter2"}) == (f"environment, {name}: there is no such setting. {hint}",)
    assert dotenv_problems(tmp_path, f"{name}=hunter2") == (f".env line 1, {name}: there is no such setting. {hint}",)


def test_an_unknown_option_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, log__levle="INFO")
    assert problem == "command line, log.levle: there is no such setting. Did you mean log.level?"


def test_a_name_in_env_that_is_nearly_ours_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\nNUMERAI_DATA_FOLDR=/data\nNUMEBOT_HOME=/x\n")
    near, reserved = load_settings(tmp_path, {}).warnings
    assert near == (
        ".env line 2, NUMERAI_DATA_FOLDR: is not a name of numebot and is ignored. Did you mean NUMERAI_DATA_FOLDER?"
    )
    assert reserved == ".env line 3, NUMEBOT_HOME: has no effect in a file; set it in the environment."


def test_a_name_that_stands_twice_in_env_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NUMERAI_DATA_FOLDER=a\nNUMERAI_DATA_FOLDER=b\n")
    loaded = load_settings(tmp_path, {})
    assert loaded.settings.paths.data_folder.name == "b"
    (warning,) = loaded.warnings
    assert warning == ".env line 2, NUMERAI_DATA_FOLDER: stands already in .env line 1; the later line counts."


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[api]\nurl = \n", "config/numebot.toml line 2, column 7: this is not TOML"),
        ("[log]\nlevel = INFO\n", "config/numebot.toml line 2, column 9: this is not TOML"),
        ('[log]\nlevel = "INFO"\nlevel = "INFO"\n', "config/numebot.toml line 3"),
        ("[log]\n[log]\n", "config/numebot.toml line 2"),
        ('[log]\nlevel = "INFO', "config/numebot.toml"),
    ],
)
def test_a_syntax_error_of_the_file_is_said_with_its_line(tmp_path: Path, text: str, where: str) -> None:
    (problem,) = toml_problems(tmp_path, text)
    assert problem.startswith(where)


def test_a_broken_file_does_not_hide_the_problems_of_the_others(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NUMEBOT_LOG__LEVEL=LOUD\n")
    assert len(toml_problems(tmp_path, "[log\n")) == 2


@pytest.mark.parametrize("content", [b"[log]\n# caf\xe9\n", b"[log]\n\x00\n", "[log]\n".encode("utf-16")])
def test_a_settings_file_must_be_utf_8(tmp_path: Path, content: bytes) -> None:
    (problem,) = toml_problems(tmp_path, content)
    assert "UTF-8" in problem
    assert problem.startswith("config/numebot.toml line ")


def test_the_line_of_a_wrong_byte_is_said(tmp_path: Path) -> None:
    assert dotenv_problems(tmp_path, b"A=1\nB=caf\xe9\n")[0].startswith(".env line 2: is not UTF-8")


@pytest.mark.parametrize("line", ['SECRET_KEY="hunter2', "'hunter2", "=hunter2 x"])
def test_a_syntax_error_in_env_is_said_with_its_line_and_without_its_content(tmp_path: Path, line: str) -> None:
    (problem,) = dotenv_problems(tmp_path, f"\n\nA=1\n\n{line}\n")
    assert problem.startswith(".env line 5: is not of the form NAME=value")
    assert "hunter2" not in problem


def test_a_setting_without_an_equals_sign_is_refused(tmp_path: Path) -> None:
    assert "has no value" in dotenv_problems(tmp_path, "NUMERAI_DATA_FOLDER\n")[0]


def test_a_reference_to_a_variable_that_is_not_set_is_refused(tmp_path: Path) -> None:
    assert dotenv_problems(tmp_path, "NUMERAI_DATA_FOLDER=${DISKK}/numerai\n") == (
        ".env line 1, NUMERAI_DATA_FOLDER: ${DISKK} is not set, here or in the environment.",
    )


def test_a_folder_a_pipe_and_a_huge_file_are_refused_without_hanging(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert "is a folder" in problems(tmp_path)[0]
    (tmp_path / ".env").rmdir()
    os.mkfifo(tmp_path / ".env")
    assert "not a regular file" in problems(tmp_path)[0]
    (tmp_path / ".env").unlink()
    assert "larger than" in dotenv_problems(tmp_path, b"#" * 1_000_001)[0]


def test_a_link_that_ends_nowhere_counts_as_no_file_and_a_circle_as_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "nothing")
    assert load_settings(tmp_path, {}).warnings == ()
    (tmp_path / "nothing").symlink_to(tmp_path / ".env")
    assert ".env: cannot be opened" in problems(tmp_path)[0]


def test_a_named_settings_file_must_exist(tmp_path: Path) -> None:
    assert "does not exist" in problems(tmp_path, {"NUMEBOT_CONFIG": "gone.toml"})[0]


def test_a_file_in_the_place_of_a_folder_is_refused_and_the_reverse(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (folder,) = problems(tmp_path, {"NUMERAI_DATA_FOLDER": "file"})
    assert folder == 'environment, NUMERAI_DATA_FOLDER: "file" is a file; it must be a folder, existing or new.'
    assert "is a folder; it must be a CSV file" in problems(tmp_path, {"MODEL_CONFIGS_PATH": "."})[0]
    assert "cannot be used" in problems(tmp_path, {"NUMERAI_DATA_FOLDER": "~no_such_user_here/x"})[0]


def test_values_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"NUMEBOT_API__TOTAL_TIMEOUT_S": "10"})
    assert problem.startswith("environment, NUMEBOT_API__TOTAL_TIMEOUT_S: 10 is less than api.read_timeout_s (20)")


def test_a_wrong_proxy_is_refused_without_its_password(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"NUMEBOT_API__PROXY": "ftp://me:hunter2@proxy.example"})
    assert "hunter2" not in problem
    assert "ftp://********@proxy.example" in problem


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"NUMEBOT_LOG__LEVEL": "x" * 100_000})
    assert len(problem) < 300


@pytest.mark.parametrize("text", ["Sat", "Samstag 18:00", "Sat 25:00", ""])
def test_an_opening_that_is_none_is_said_with_its_line_and_an_example(tmp_path: Path, text: str) -> None:
    found = toml_problems(tmp_path, f'[schedule]\nplay = "all"\nopenings = ["Tue-Sat 13:00", "{text}"]\n')
    assert found == (
        f'config/numebot.toml line 3, [schedule] openings: ["Tue-Sat 13:00", "{text}"] cannot be used: "{text}" is not '
        'a day and a time in UTC such as "Sat 18:00" or "Tue-Sat 12:00".',
    )


def test_a_day_that_is_none_is_said_with_the_days_there_are(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, {"NUMEBOT_SCHEDULE__OPENINGS": "Tue-Sat 13:00, Sam 18:00"})
    assert "NUMEBOT_SCHEDULE__OPENINGS" in found
    assert '"Sam" is not one of Mon, Tue, Wed, Thu, Fri, Sat, Sun' in found


def test_which_rounds_to_play_is_one_of_two_words(tmp_path: Path) -> None:
    assert toml_problems(tmp_path, '[schedule]\nplay = "sundays"\n') == (
        'config/numebot.toml line 2, [schedule] play: "sundays" is not all or weekend.',
    )
