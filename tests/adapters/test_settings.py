"""Where settings come from, which place wins, and that the file documents the code."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from numebot.adapters.settings import LoadedSettings, find_home, load_settings, shown_settings
from numebot.adapters.settings.names import KEYS, SECTIONS, VARIABLES
from numebot.core.errors import ConfigError
from numebot.core.types import Tournament

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "config/numebot.toml"


def write(home: Path, *, toml: str = "", dotenv: str = "") -> None:
    (home / "config").mkdir(exist_ok=True)
    (home / "config/numebot.toml").write_text(toml, encoding="utf-8")
    (home / ".env").write_text(dotenv, encoding="utf-8")


def test_without_any_file_every_setting_has_its_default(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path, {})
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.settings.api.url == "https://api-tournament.numer.ai"
    assert loaded.settings.tournament.play == (Tournament.CLASSIC,)
    assert loaded.settings.paths.model_configs == tmp_path / "model_configs.csv"
    assert loaded.settings.paths.data_folder.parts[-2:] == ("numebot", "numerai_data")
    assert loaded.warnings == ()


def test_each_place_goes_before_the_one_below_it(tmp_path: Path) -> None:
    def retry() -> tuple[float, str]:
        loaded = load_settings(tmp_path, environ, overrides)
        return loaded.settings.submission.retry_s, loaded.origins["submission.retry_s"]

    environ: dict[str, str] = {}
    overrides: dict[str, object] = {"submission.retry_s": None}
    write(tmp_path, toml="# numebot\n\n[submission]\nretry_s = 1\n")
    assert retry() == (1, "config/numebot.toml line 4")
    (tmp_path / ".env").write_text("\n\n# a comment\n\nNUMEBOT_SUBMISSION__RETRY_S=2\n")
    assert retry() == (2, ".env line 5")
    environ["NUMEBOT_SUBMISSION__RETRY_S"] = "3"
    assert retry() == (3, "environment NUMEBOT_SUBMISSION__RETRY_S")
    overrides["submission.retry_s"] = 4
    assert retry() == (4, "command line")


def test_the_names_of_the_original_numebot_are_read_from_its_env_file(tmp_path: Path) -> None:
    write(tmp_path, dotenv="NUMERAI_DATA_FOLDER='old data'\nexport MODEL_CONFIGS_PATH=\"/srv/models.csv\"\n")
    loaded = load_settings(tmp_path, {})
    assert loaded.settings.paths.data_folder == tmp_path / "old data"
    assert loaded.settings.paths.model_configs == Path("/srv/models.csv")
    assert loaded.origins["paths.model_configs"] == ".env line 2"


def test_the_address_of_the_server_has_a_short_name(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path, {"NUMEBOT_API_URL": "http://127.0.0.1:8123/"})
    assert loaded.settings.api.url == "http://127.0.0.1:8123"


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    write(tmp_path, dotenv="NUMERAI_DATA_FOLDER=\nNUMEBOT_SUBMISSION__ATTEMPTS=  # nothing\n")
    loaded = load_settings(tmp_path, {"NUMEBOT_API_URL": ""})
    assert set(loaded.origins.values()) == {"default"}


@pytest.mark.parametrize(
    "text", ["classic,signals", " classic , Signals ,", '["classic", "signals"]', "8, 11", "[8, 11]"]
)
def test_lists_can_be_written_as_text(tmp_path: Path, text: str) -> None:
    loaded = load_settings(tmp_path, {"NUMEBOT_TOURNAMENT__PLAY": text})
    assert loaded.settings.tournament.play == (Tournament.CLASSIC, Tournament.SIGNALS)


def test_env_values_may_refer_to_variables(tmp_path: Path) -> None:
    write(tmp_path, dotenv="DISK=/mnt/big\nNUMERAI_DATA_FOLDER=${DISK}/${USER_NAME:-me}/numerai\n")
    assert load_settings(tmp_path, {}).settings.paths.data_folder == Path("/mnt/big/me/numerai")


def test_a_tilde_means_the_users_home(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path, {"NUMERAI_DATA_FOLDER": "~/numerai"})
    assert loaded.settings.paths.data_folder == Path.home() / "numerai"


def test_a_settings_file_from_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/numebot.toml").write_bytes(b'\xef\xbb\xbf[log]\r\nlevel = "debug"\r\n')
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfNUMEBOT_SUBMISSION__ATTEMPTS=7\r\n")
    loaded = load_settings(tmp_path, {})
    assert (loaded.settings.log.level, loaded.settings.submission.attempts) == ("DEBUG", 7)
    assert loaded.origins["log.level"] == "config/numebot.toml line 2"


def test_toml_spelt_in_other_ways_keeps_its_line_numbers(tmp_path: Path) -> None:
    write(tmp_path, toml='log.level = "INFO"\n"api"."proxy" = ""\nsubmission = { attempts = 3 }\n')
    origins = load_settings(tmp_path, {}).origins
    found = [origins[key] for key in ("log.level", "api.proxy", "submission.attempts")]
    assert found == [f"config/numebot.toml line {line}" for line in (1, 2, 3)]


def test_another_settings_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[practice]\nseed = 5\n")
    loaded = load_settings(tmp_path, {"NUMEBOT_CONFIG": "other.toml"})
    assert (loaded.settings.practice.seed, loaded.origins["practice.seed"]) == (5, "other.toml line 2")


def test_reading_settings_changes_neither_environment_nor_disk(tmp_path: Path) -> None:
    write(tmp_path, dotenv="NUMERAI_DATA_FOLDER=data\nSECRET_KEY=x\nNUMEBOT_LOG__LEVEL=ERROR\n")
    before = dict(os.environ), sorted(tmp_path.rglob("*"))
    load_settings(tmp_path, {})
    assert (dict(os.environ), sorted(tmp_path.rglob("*"))) == before


def test_settings_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {}).settings
    with pytest.raises(ValidationError):
        settings.api.url = "https://example.org"


def test_variables_of_the_process_are_not_settings(tmp_path: Path) -> None:
    names = ("NUMEBOT_HOME", "NUMEBOT_CRASH_AT", "NUMEBOT_SHARED_DATA")
    assert set(load_settings(tmp_path, dict.fromkeys(names, "x")).origins.values()) == {"default"}


def test_the_password_of_a_proxy_is_not_shown(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path, {"NUMEBOT_API__PROXY": "http://me:hunter2@proxy.example:3128"})
    assert loaded.settings.api.proxy == "http://me:hunter2@proxy.example:3128"
    assert "http://********@proxy.example:3128" in [one.value for one in shown_settings(loaded)]
    assert "hunter2" not in f"{shown_settings(loaded)}{loaded}"


# The file and the code say the same.


@pytest.fixture
def shipped(tmp_path: Path) -> LoadedSettings:
    write(tmp_path, toml=SHIPPED.read_text(encoding="utf-8"))
    return load_settings(tmp_path, {})


def test_the_shipped_file_and_the_code_have_the_same_keys_in_the_same_order() -> None:
    content = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    assert {section: tuple(keys) for section, keys in content.items()} == dict(SECTIONS)


def test_the_shipped_values_are_the_defaults_of_the_code(shipped: LoadedSettings, tmp_path: Path) -> None:
    (tmp_path / "config/numebot.toml").unlink()
    assert shipped.settings == load_settings(tmp_path, {}).settings


def test_every_key_of_the_shipped_file_has_one_comment_above_it() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    for above, line in itertools.pairwise(lines):
        if re.match(r"\w+ = ", line):
            assert above.startswith("# "), line


def test_every_key_of_the_shipped_file_is_found_in_its_own_line(shipped: LoadedSettings) -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    for key, origin in shipped.origins.items():
        line = lines[int(origin.rpartition(" ")[2]) - 1]
        assert line.startswith(f"{key.partition('.')[2]} = "), (key, origin)


def test_every_setting_can_be_set_from_outside_under_exactly_one_name() -> None:
    assert sorted(VARIABLES.values()) == sorted(KEYS)
    text = SHIPPED.read_text(encoding="utf-8")
    special = [name for name in VARIABLES if not re.fullmatch(r"NUMEBOT_[A-Z]+__[A-Z0-9_]+", name)]
    assert all(f"Variable: {name}" in text for name in special)


def test_the_example_env_file_is_valid_when_its_lines_are_switched_on(tmp_path: Path) -> None:
    example = (ROOT / "config/.env.example").read_text(encoding="utf-8")
    write(tmp_path, dotenv=re.sub(r"(?m)^#(?=[A-Z_]+=)", "", example))
    loaded = load_settings(tmp_path, {})
    assert loaded.warnings == ()
    assert loaded.settings.log.level == "DEBUG"


# Home.


def test_home_is_what_the_environment_says(tmp_path: Path) -> None:
    assert find_home({"NUMEBOT_HOME": str(tmp_path)}, ROOT) == tmp_path


def test_home_is_the_current_folder_when_it_holds_the_settings(tmp_path: Path) -> None:
    write(tmp_path)
    assert find_home({}, tmp_path) == tmp_path


def test_home_is_else_the_checkout(tmp_path: Path) -> None:
    assert find_home({"NUMEBOT_HOME": ""}, tmp_path) == ROOT


def test_a_home_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'NUMEBOT_HOME: "nowhere" is not a folder'):
        find_home({"NUMEBOT_HOME": "nowhere"}, tmp_path)


def test_settings_and_registry_load_no_heavy_library() -> None:
    script = (
        "import sys, numebot.adapters.settings, numebot.adapters.registry\n"
        "heavy = {'pandas', 'numpy', 'scipy', 'sqlalchemy', 'requests', 'numerapi', 'click', 'rich', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "[]"
