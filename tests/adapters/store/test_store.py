from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import alembic.autogenerate
import alembic.migration
import alembic.script
import pytest
import sqlalchemy as sa
from alembic.config import Config

from numebot.adapters.store import Store
from numebot.adapters.store.engine import open_engine, transaction
from numebot.adapters.store.schema import MIGRATIONS
from numebot.adapters.store.tables import HEAD, metadata
from numebot.core.errors import ConfigError, LocalTrouble
from numebot.core.types import DataFile, Event, ModelConfig, Round, State, Submission

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
Sql = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "numebot.db"


@pytest.fixture
def sqlite_store(path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{path}", busy_timeout_s=0.1)
    yield store
    store.close()


def event(message: str = "x") -> Event:
    return Event(NOW, "state", message, 8, 1404, "rpica", {"state": "predicted"})


def test_a_round_is_updated_when_its_deadline_slides(store: Store) -> None:
    first = Round(8, 1404, NOW, NOW + timedelta(hours=1))
    store.remember_round(first, now=NOW)
    late = replace(first, deadline=NOW + timedelta(hours=2))
    store.remember_round(late, now=NOW)
    store.remember_round(Round(8, 1403, NOW, NOW), now=NOW)
    assert store.newest_round(8) == late
    assert store.newest_round(11) is None


def test_begin_returns_the_row_that_stands_already(store: Store) -> None:
    row = store.begin_submission(Submission(8, 1404, "rpica", model_id="id-1"), now=NOW)
    store.change(row, replace(row, state=State.PREDICTED, step=State.PREDICTED), event())
    again = store.begin_submission(Submission(8, 1404, "rpica", model_id="id-1"), now=NOW)
    assert again.state is State.PREDICTED
    assert again.updated_at == NOW


def test_a_row_changes_only_from_the_state_that_was_read(store: Store) -> None:
    row = store.begin_submission(Submission(8, 1404, "rpica"), now=NOW)
    store.change(row, replace(row, state=State.PREDICTED, step=State.PREDICTED), event("won"))
    with pytest.raises(LocalTrouble, match="another numebot changed this row"):
        store.change(row, replace(row, state=State.FAILED), event("lost"))
    assert [e.message for e in store.events(round_number=1404, model="rpica")] == ["won"]
    assert store.submissions(8, 1404)[0].state is State.PREDICTED


def test_rounds_without_an_ending_are_found(store: Store) -> None:
    for number, state in ((1401, State.CONFIRMED), (1402, State.UPLOADED), (1403, State.FAILED), (1404, State.PENDING)):
        store.begin_submission(Submission(8, number, "rpica", state=state), now=NOW)
    assert [row.round_number for row in store.unfinished(8)] == [1402, 1403, 1404]
    assert store.unfinished(11) == []


def test_a_database_belongs_to_one_server(store: Store) -> None:
    store.claim_for("api-tournament.numer.ai")
    store.claim_for("api-tournament.numer.ai")
    store.require_server("api-tournament.numer.ai")
    with pytest.raises(ConfigError, match=r"holds the results of api-tournament\.numer\.ai.*data folder of its own"):
        store.claim_for("127.0.0.1")


def test_files_and_models_are_kept_once(store: Store, sql: Sql) -> None:
    file = DataFile("v5.3/live.parquet", Path("/x/live.parquet"), "a" * 64, 3_296_841_026, 1404)
    store.remember_file(file, now=NOW)
    store.remember_file(replace(file, sha256="b" * 64), now=NOW)
    store.remember_models([ModelConfig("rpica", "models.x")], {"rpica": "id-1"}, now=NOW)
    store.remember_models([ModelConfig("rpica", "models.y", enabled=False)], {}, now=NOW)
    assert sql("SELECT sha256, size_bytes FROM data_files") == [("b" * 64, 3_296_841_026)]
    assert sql("SELECT code, enabled, model_id FROM models") == [("models.y", 0, "id-1")]


def test_a_naive_time_is_refused(store: Store) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(sa.exc.StatementError, match="naive time"):
        store.remember_round(Round(8, 1404, naive, naive), now=NOW)


def test_the_database_file_is_private(sqlite_store: Store, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_locked_database_is_told_in_words_and_loses_nothing(sqlite_store: Store, path: Path) -> None:
    row = sqlite_store.begin_submission(Submission(8, 1404, "rpica"), now=NOW)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LocalTrouble, match=r"numebot\.db: another process holds the database .*Nothing was lost"):
        sqlite_store.change(row, replace(row, state=State.PREDICTED), event())
    assert sqlite_store.submission(8, 1404, "rpica") == row  # readers are not locked out
    holder.execute("ROLLBACK")
    holder.close()
    assert sqlite_store.change(row, replace(row, state=State.PREDICTED), event()).state is State.PREDICTED


def test_opening_a_database_that_is_locked_from_the_start_says_so(path: Path) -> None:
    Store(f"sqlite:///{path}").close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LocalTrouble, match="another process holds the database"):
        Store(f"sqlite:///{path}", busy_timeout_s=0.1)
    holder.close()


def test_a_file_that_is_no_database_is_told_in_words(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, just text that is long enough to be looked at" * 20)
    with pytest.raises(LocalTrouble, match="damaged or not a database"):
        Store(f"sqlite:///{path}")


def test_a_database_of_a_newer_numebot_is_refused(open_store: Callable[..., Store], sql: Sql) -> None:
    open_store()
    sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"newer numebot \(schema 9999"):
        open_store()


def test_an_address_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"store\.url"):
        Store("not an address")


def test_a_failing_statement_leaves_nothing_of_its_transaction(url: str, open_store: Callable[..., Store]) -> None:
    open_store()
    engine = open_engine(url)
    statements = ("CREATE TABLE one (a INTEGER)", "INSERT INTO one VALUES (1)", "CREATE TABLE one (a INTEGER)")
    wanted = (LocalTrouble, sa.exc.ProgrammingError)
    with pytest.raises(wanted, match="already exists"), transaction(engine) as connection:
        list(map(connection.exec_driver_sql, statements))
    with transaction(engine, reads=True) as connection:
        assert not sa.inspect(connection).has_table("one")
    engine.dispose()


def test_migrations_lead_to_the_tables_in_the_code(url: str, open_store: Callable[..., Store]) -> None:
    open_store()
    engine = open_engine(url)
    with transaction(engine, reads=True) as connection:
        context = alembic.migration.MigrationContext.configure(connection)
        assert alembic.autogenerate.compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert alembic.script.ScriptDirectory.from_config(config).get_current_head() == HEAD
    engine.dispose()


def test_sqlite_runs_with_the_safe_pragmas(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/x.db", busy_timeout_s=10)
    with transaction(engine) as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    engine.dispose()


def test_notes_keep_the_newest_value_and_forget_what_they_cannot_read(store: Store, sql: Sql) -> None:
    assert store.noted("daemon") is None
    store.note("daemon", {"pid": 1})
    store.note("daemon", {"pid": 2, "reason": None})
    assert store.noted("daemon") == {"pid": 2, "reason": None}
    sql("UPDATE meta SET value = '[1]' WHERE key = 'daemon'")
    assert store.noted("daemon") is None
    store.claim_for("numer.ai")
    assert store.noted("server") is None, "that one is no note"


def predicted(store: Store, round_number: int, took_s: object, **other: object) -> None:
    details = {"state": "predicted", "took_s": took_s, **other}
    store.record(Event(NOW, "state", "predicted", 8, round_number, "rpica", details))


def test_run_times_are_those_of_a_models_own_runs_of_late(store: Store) -> None:
    assert store.run_times(8) == {}
    predicted(store, 1404, 3.5)
    predicted(store, 1345, 2, rung=None)
    predicted(store, 1344, 100)
    predicted(store, 1404, 50, rung="example")
    predicted(store, 1404, None)
    store.record(Event(NOW, "state", "predicted", 8, 1404, "other", {"took_s": 1}))
    store.record(Event(NOW, "state", "predicted", 11, 1500, "rpica", {"took_s": 9}))
    store.record(Event(NOW, "alarm", "no details"))
    assert {model: sorted(times) for model, times in store.run_times(8).items()} == {"rpica": [2, 3.5], "other": [1]}


def test_events_are_found_by_kind_oldest_first(store: Store) -> None:
    for number, kind in enumerate(("alarm", "state", "alarm", "pass-killed")):
        store.record(Event(NOW, kind, str(number)))
    assert [event.message for event in store.events(kinds=("alarm", "pass-killed"))] == ["0", "2", "3"]
    assert [event.message for event in store.events(kinds=("alarm",), limit=1)] == ["2"]
    assert len(store.events()) == 4


def test_an_event_is_recorded_once_per_kind_words_and_tournament(store: Store) -> None:
    events = [
        Event(NOW, "alarm", "x", 8),
        Event(NOW, "alarm", "x", 11),
        Event(NOW, "alarm", "x"),
        Event(NOW, "data-version", "x", 8),
        Event(NOW, "alarm", "y", 8),
    ]
    assert [store.record_once(one) for one in events] == [True] * 5
    assert [store.record_once(one) for one in events] == [False] * 5
    assert len(store.events()) == 5


def test_rows_of_the_net_and_of_the_round_do_not_touch_each_other(store: Store) -> None:
    main = store.begin_submission(Submission(8, 1404, "rpica"), now=NOW)
    net = store.nets.begin(Submission(8, 1404, "rpica", model_id="id-1"), now=NOW)
    store.nets.change(net, replace(net, state=State.QUEUED, rung="example", begun_at=NOW, plugin_failures=2), event())
    assert store.submission(8, 1404, "rpica") == main
    (found,) = store.nets.of_round(8, 1404)
    assert (found.state, found.rung, found.begun_at, found.plugin_failures) == (State.QUEUED, "example", NOW, 2)
    assert store.nets.unfinished(8) == []
    assert [row.model for row in store.unfinished(8)] == ["rpica"]


def test_a_change_without_an_event_keeps_the_timeline_and_its_own_time(store: Store) -> None:
    row = store.begin_submission(Submission(8, 1404, "rpica"), now=NOW)
    later = NOW + timedelta(minutes=1)
    changed = store.change(row, replace(row, error="late", updated_at=later), None)
    assert store.submission(8, 1404, "rpica") == changed == replace(row, error="late", updated_at=later)
    assert store.events() == []
