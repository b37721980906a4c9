"""The API key: which place wins, what is refused, and that it never shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from numebot.adapters.settings import ApiKey, load_api_key, missing_key_message
from numebot.core.errors import ConfigError

PUBLIC, SECRET = "PUBLICCANARY", "SECRETCANARY"


def write(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def pair(public: str = PUBLIC, secret: str = SECRET, prefix: str = "") -> str:
    return f"{prefix}PUBLIC_ID={public}\n{prefix}SECRET_KEY={secret}\n"


def environment(public: str = PUBLIC, secret: str = SECRET) -> dict[str, str]:
    return {"NUMERAI_PUBLIC_ID": public, "NUMERAI_SECRET_KEY": secret}


def problems(home: Path, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_api_key(home, environ or {})
    assert PUBLIC not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value.problems


def test_without_a_key_anywhere_there_is_none_and_a_message_says_what_to_do(tmp_path: Path) -> None:
    write(tmp_path / ".env", "NUMERAI_DATA_FOLDER=data\nPUBLIC_ID=\nSECRET_KEY=\n", 0o644)
    loaded = load_api_key(tmp_path, {"NUMERAI_PUBLIC_ID": ""})
    assert (loaded.key, loaded.warnings) == (None, ())
    message = missing_key_message(tmp_path)
    for needed in (".secret", "PUBLIC_ID", "chmod 600", "upload_submission", "read_submission_info", "read_user_info"):
        assert needed in message


@pytest.mark.parametrize("prefix", ["", "NUMERAI_"])
@pytest.mark.parametrize("name", [".secret", ".env"])
def test_both_spellings_are_read_from_both_files(tmp_path: Path, name: str, prefix: str) -> None:
    write(tmp_path / name, pair(prefix=prefix))
    assert load_api_key(tmp_path, {}).key == ApiKey(PUBLIC, SECRET, name)


@pytest.mark.parametrize(
    "text",
    [
        f"PUBLIC_ID='{PUBLIC}'\nSECRET_KEY=\"{SECRET}\"\n",
        f"\ufeffexport PUBLIC_ID = {PUBLIC}  # mine\r\n\r\nSECRET_KEY={SECRET}\r\n",
    ],
)
def test_quotes_comments_and_windows_line_ends_are_fine(tmp_path: Path, text: str) -> None:
    write(tmp_path / ".secret", text)
    assert load_api_key(tmp_path, {}).key == ApiKey(PUBLIC, SECRET, ".secret")


def test_a_dollar_sign_in_a_secret_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / ".secret", pair(secret="a${HOME}b"))
    key = load_api_key(tmp_path, {"HOME": "/root"}).key
    assert key is not None
    assert key.secret_key == "a${HOME}b"


def test_the_places_are_tried_from_the_environment_down(tmp_path: Path) -> None:
    def source() -> str | None:
        key = load_api_key(tmp_path, environ).key
        return None if key is None else key.source

    credentials = tmp_path / "credentials"
    credentials.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    assert source() is None
    write(tmp_path / ".env", pair())
    assert source() == ".env"
    write(tmp_path / ".secret", pair())
    assert source() == ".secret"
    write(credentials / "numerai_public_id", f"{PUBLIC}\n", 0o400)
    write(credentials / "numerai_secret_key", f"{SECRET}\n", 0o400)
    assert source() == "systemd credentials"
    environ |= environment()
    assert source() == "environment"


def test_systemd_may_hand_over_the_secret_file_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "secret", pair(), 0o444)
    loaded = load_api_key(tmp_path / "home", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert loaded.key == ApiKey(PUBLIC, SECRET, "systemd credentials")
    assert loaded.warnings == ()


def test_short_names_in_the_environment_belong_to_other_programs(tmp_path: Path) -> None:
    assert load_api_key(tmp_path, {"PUBLIC_ID": PUBLIC, "SECRET_KEY": SECRET}).key is None


def test_another_key_in_a_lower_place_is_said(tmp_path: Path) -> None:
    write(tmp_path / ".secret", pair(secret="another"))
    write(tmp_path / ".env", pair())
    loaded = load_api_key(tmp_path, environment())
    assert loaded.warnings == (".secret holds another API key, which is not used: environment goes before it.",)


@pytest.mark.parametrize("value", ["", "  "])
@pytest.mark.parametrize("missing", ["PUBLIC_ID", "SECRET_KEY"])
def test_half_a_pair_in_a_file_is_an_error_that_names_the_other_half(tmp_path: Path, missing: str, value: str) -> None:
    present = "SECRET_KEY" if missing == "PUBLIC_ID" else "PUBLIC_ID"
    write(tmp_path / ".secret", f"\n{present}={SECRET}\n{missing}={value}\n")
    (problem,) = problems(tmp_path)
    assert problem.startswith(f".secret line 2, {present}: is only half of the key: {missing} is missing")


def test_half_a_pair_is_never_completed_from_another_place(tmp_path: Path) -> None:
    write(tmp_path / ".secret", pair())
    (problem,) = problems(tmp_path, {"NUMERAI_PUBLIC_ID": PUBLIC})
    assert problem.startswith("environment, NUMERAI_PUBLIC_ID: is only half of the key: NUMERAI_SECRET_KEY is missing")
    write(tmp_path / ".secret", f"SECRET_KEY={SECRET}")
    write(tmp_path / ".env", f"PUBLIC_ID={PUBLIC}")
    assert [problem.split(" ")[0] for problem in problems(tmp_path)] == [".secret", ".env"]


def test_half_a_pair_in_the_systemd_credentials_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "numerai_public_id", PUBLIC)
    (problem,) = problems(tmp_path / "home", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert problem.startswith("systemd credentials, numerai_public_id: is only half of the key: NUMERAI_SECRET_KEY")


@pytest.mark.parametrize("second", ["NUMERAI_SECRET_KEY", "SECRET_KEY"])
def test_two_lines_that_disagree_are_an_error_and_two_that_agree_are_not(tmp_path: Path, second: str) -> None:
    write(tmp_path / ".secret", pair() + f"{second}=other\n")
    (problem,) = problems(tmp_path)
    assert problem == f".secret line 2, SECRET_KEY: differs from .secret line 3, {second}. Keep one of the two."
    write(tmp_path / ".secret", pair() + f"{second}={SECRET}\n")
    assert load_api_key(tmp_path, {}).key == ApiKey(PUBLIC, SECRET, ".secret")


@pytest.mark.parametrize("secret", [f"{SECRET} {SECRET}", f'"{SECRET}\\n{SECRET}"', f"{SECRET}é", f"“{SECRET}”"])
def test_characters_that_no_key_has_are_refused(tmp_path: Path, secret: str) -> None:
    write(tmp_path / ".secret", pair(secret=secret))
    (problem,) = problems(tmp_path)
    assert problem.startswith(".secret line 2, SECRET_KEY: holds a space or a character that no key has")


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (f'PUBLIC_ID={PUBLIC}\nSECRET_KEY="{SECRET}\n', ".secret line 2: is not of the form NAME=value"),
        (f"PUBLIC_ID={PUBLIC}\nSECRET_KEY={SECRET}\xe9".encode("latin-1"), ".secret line 2: is not UTF-8"),
        (f"PUBLIC_ID={PUBLIC}\nSECRET_KEY={SECRET}\0\n", ".secret line 2: holds a NUL byte"),
        (pair().encode("utf-16"), ".secret line 1: is not UTF-8"),
        (b"#" * 2_000_000, ".secret: is larger than"),
    ],
)
def test_a_broken_file_is_said_with_its_line_and_without_its_content(
    tmp_path: Path, content: str | bytes, where: str
) -> None:
    write(tmp_path / ".secret", content)
    (problem,) = problems(tmp_path)
    assert problem.startswith(where)


def test_a_folder_and_a_pipe_are_refused_without_hanging(tmp_path: Path) -> None:
    (tmp_path / ".secret").mkdir()
    assert problems(tmp_path)[0].startswith(".secret: is a folder")
    (tmp_path / ".secret").rmdir()
    os.mkfifo(tmp_path / ".secret")
    assert problems(tmp_path)[0].startswith(".secret: is not a regular file")


def test_an_unreadable_file_that_is_not_needed_is_only_a_warning(tmp_path: Path) -> None:
    (tmp_path / ".secret").mkdir()
    loaded = load_api_key(tmp_path, environment())
    assert loaded.key == ApiKey(PUBLIC, SECRET, "environment")
    (warning,) = loaded.warnings
    assert warning.startswith(".secret: is a folder")
    assert "not needed" in warning


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644, 0o666])
@pytest.mark.parametrize("name", [".secret", ".env"])
def test_a_key_that_others_can_read_is_a_warning_with_the_command_to_type(
    tmp_path: Path, name: str, mode: int
) -> None:
    home = tmp_path / "my home"
    home.mkdir()
    write(home / name, pair(), mode)
    (warning,) = load_api_key(home, {}).warnings
    assert f"Type: chmod 600 '{home}/{name}'" in warning
    assert f"{mode:04o}" in warning


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_that_only_its_owner_can_read_is_fine(tmp_path: Path, mode: int) -> None:
    write(tmp_path / ".secret", pair(), mode)
    assert load_api_key(tmp_path, {}).warnings == ()


def test_a_link_is_judged_by_the_file_behind_it(tmp_path: Path) -> None:
    target = write(tmp_path / "vault", pair())
    (tmp_path / ".secret").symlink_to(target)
    assert load_api_key(tmp_path, {}).warnings == ()
    target.chmod(0o644)
    (warning,) = load_api_key(tmp_path, {}).warnings
    assert f"chmod 600 {target}" in warning
    assert "link" in warning


def test_a_folder_in_which_everybody_can_replace_the_file_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path / ".secret", pair())
    tmp_path.chmod(0o777)
    (warning,) = load_api_key(tmp_path, {}).warnings
    assert f"chmod o-w {tmp_path}" in warning
    tmp_path.chmod(0o1777)
    assert load_api_key(tmp_path, {}).warnings == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away: run the tests as root for this one")
def test_a_file_of_another_user_is_a_warning(tmp_path: Path) -> None:
    os.chown(write(tmp_path / ".secret", pair()), 12345, 12345)
    (warning,) = load_api_key(tmp_path, {}).warnings
    assert "uid 12345" in warning


def test_the_key_never_shows_itself(tmp_path: Path) -> None:
    write(tmp_path / ".secret", pair(), 0o644)
    loaded = load_api_key(tmp_path, {})
    shown = f"{loaded} {loaded!r} {loaded.key} {loaded.key!r}"
    assert "********" in shown
    assert PUBLIC not in shown
    assert SECRET not in shown
