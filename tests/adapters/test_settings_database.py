"""The address of a database: what is taken, and that its password is shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from numebot.adapters.settings import load_settings, passwords_in, shown_settings
from numebot.core.errors import ConfigError

VARIABLE = "NUMEBOT_STORE__URL"
URL = "postgresql://owner:hidden-word@db.example:5433/numebot"


def shown(home: Path, environ: dict[str, str]) -> str:
    loaded = load_settings(home, environ)
    (found,) = (str(one.value) for one in shown_settings(loaded) if (one.section, one.key) == ("store", "url"))
    assert "hidden" not in repr(loaded.settings)
    assert "hidden" not in repr(loaded.warnings)
    return found


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("", ""),
        (URL, "postgresql://********@db.example:5433/numebot"),
        (URL.replace("postgresql:", "postgresql+psycopg:"), "postgresql+psycopg://********@db.example:5433/numebot"),
        (URL.replace("postgresql:", "postgres:"), "postgresql://********@db.example:5433/numebot"),
        ("postgresql:///numebot?host=/run/postgresql&password=hidden", "postgresql:///numebot?********"),
        ("postgresql://[::1]/numebot", "postgresql://[::1]/numebot"),
    ],
)
def test_an_address_is_taken_and_shown_without_its_password(tmp_path: Path, url: str, wanted: str) -> None:
    assert shown(tmp_path, {VARIABLE: url}) == wanted


@pytest.mark.parametrize(
    "url",
    [
        "hidden",
        "mysql://owner:hidden@host/numebot",
        "sqlite:////tmp/hidden.db",
        "postgresql://owner:hidden@host",
        "postgresql://owner:hidden@host/",
        "postgresql://owner:hid/den@host/numebot",
        "postgresql://owner:12/hidden@host/numebot",
        "postgresql://owner:hid#den@host/numebot",
        "postgresql://owner:hidden@host:99999/numebot",
        "postgresql://owner:hid den@host/numebot",
        "postgresql+psycopg2://owner:hidden@host/numebot",
    ],
)
def test_another_address_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=f'{VARIABLE}: .* is not empty or an address such as "postgresql://') as found:
        load_settings(tmp_path, {VARIABLE: url})
    assert url not in str(found.value)
    assert "hid" not in str(found.value)


def test_passwords_are_known_as_they_are_and_as_they_are_written() -> None:
    assert passwords_in("postgresql://owner:a%2Fb%40c@host/x") == ("a%2Fb%40c", "a/b@c")
    assert passwords_in("postgresql://host/x?password=p%20q&sslpassword=s") == ("p%20q", "s", "p q")
    assert passwords_in("postgresql://owner@host/x") == ()
    assert passwords_in("") == ()


def test_a_password_in_a_file_that_others_read_is_told(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {VARIABLE: URL}).warnings == ()
    (tmp_path / ".env").write_text(f"{VARIABLE}={URL}\n")
    (tmp_path / ".env").chmod(0o600)
    assert load_settings(tmp_path, {}).warnings == ()
    (tmp_path / ".env").chmod(0o644)
    (warning,) = load_settings(tmp_path, {}).warnings
    assert warning == (
        ".env line 1 holds the password of your database, and other users of this machine can read it. "
        f"Type: chmod 600 {tmp_path / '.env'}"
    )
    (tmp_path / ".env").write_text(f"{VARIABLE}=postgresql://owner@host/numebot\n")
    assert load_settings(tmp_path, {}).warnings == (), "there is no password in it"
    (tmp_path / ".env").unlink()
    (tmp_path / "config").mkdir()
    (tmp_path / "config/numebot.toml").write_text(f'[store]\nurl = "{URL}"\n')
    (warning,) = load_settings(tmp_path, {}).warnings
    assert warning == (
        "config/numebot.toml line 2 holds the password of your database. Move the line to .env, "
        "which no repository keeps."
    )
