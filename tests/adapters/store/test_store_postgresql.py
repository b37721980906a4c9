"""What is different about a PostgreSQL: writers wait for each other, texts have limits there, and it has a password."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from numebot.adapters.store import Store
from numebot.adapters.store.engine import open_engine, transaction
from numebot.core.errors import ConfigError, LocalTrouble
from numebot.core.types import Event
from tests.postgresql import PASSWORD, Server

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    return new_database()


def test_texts_that_are_long_or_hold_zero_bytes_are_kept(store: Store) -> None:
    details = {"text\x00": "a\x00b", "not a number": float("nan"), "deep": [{"x": "\\u0000"}], "took_s": 2.5}
    store.record(Event(NOW, "kind" * 50, "a\x00b", 8, 1404, "model" * 50, details))
    (found,) = store.events()
    assert (found.kind, found.message, found.model) == ("kind" * 50, "ab", "model" * 50)
    assert found.details == {"text": "ab", "not a number": None, "deep": [{"x": "\\u0000"}], "took_s": 2.5}
    assert store.run_times(8) == {"model" * 50: [2.5]}


def test_a_writer_that_is_held_up_says_so_and_readers_are_not(store: Store, url: str) -> None:
    store.note("one", {"number": 1})
    engine = open_engine(url)
    with transaction(engine):
        assert store.noted("one") == {"number": 1}
        with pytest.raises(LocalTrouble, match=r"another process holds the database .*Nothing was lost"):
            store.note("one", {"number": 2})
    store.note("one", {"number": 3})
    assert store.noted("one") == {"number": 3}
    engine.dispose()


def test_a_connection_that_was_cut_is_made_anew(store: Store, postgresql: Server, url: str) -> None:
    store.note("one", {"number": 1})
    database = url.rpartition("/")[2]
    postgresql.do("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    assert store.noted("one") == {"number": 1}


def told(url: str, kind: type[Exception]) -> str:
    """Return all that an error of opening a database could bring into a log, its causes included."""
    with pytest.raises(kind) as found:
        Store(url, busy_timeout_s=0.1)
    return "".join(traceback.format_exception(found.value))


def test_the_password_is_in_no_error(postgresql: Server, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = quote(PASSWORD, safe="")
    texts = [
        told(url.replace(secret, secret + "wrong"), ConfigError),
        told(url.rpartition("/")[0] + "/no_such_database", ConfigError),
        told(url.replace(f":{postgresql.port}/", ":1/"), LocalTrouble),
        told(url.replace(f":{postgresql.port}/", ":port/"), ConfigError),
        told(url.replace("postgresql:", "mysql:"), ConfigError),
        told(f"{url}?no_such_option={secret}", ConfigError),
    ]
    assert "password authentication failed" in texts[0]
    assert "no_such_database" in texts[1]
    assert "postgresql://127.0.0.1:1/" in texts[2]
    for text in (*texts, caplog.text):
        assert PASSWORD not in text
        assert secret not in text


def test_the_place_is_told_without_user_and_password(store: Store, postgresql: Server) -> None:
    assert store.place.startswith(f"postgresql://127.0.0.1:{postgresql.port}/numebot_")


def test_without_the_library_it_is_said_what_to_type(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setitem(__import__("sys").modules, "numebot.adapters.store.postgres", None)
    with pytest.raises(ConfigError, match=r"pip install 'psycopg\[binary\]'"):
        Store(url)
