"""The tests of the store run on both databases: SQLite, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from numebot.adapters.store import Store
from numebot.adapters.store.engine import open_engine, transaction


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that is not there yet, or is empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'numebot.db'}"
    new_database: Callable[[], str] = request.getfixturevalue("new_database")
    return new_database()


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[..., Store]]:
    """Open the same database again and again; all are closed at the end."""
    opened: list[Store] = []

    def make(**options: float) -> Store:
        opened.append(Store(url, **{"busy_timeout_s": 0.1, **options}))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    return open_store()


@pytest.fixture
def sql(url: str) -> Callable[..., list[tuple[object, ...]]]:
    """Do one statement in the database, past the store; the store must have been opened before."""

    def do(statement: str, **values: object) -> list[tuple[object, ...]]:
        engine = open_engine(url)
        try:
            with transaction(engine) as connection:
                result = connection.execute(sa.text(statement), values)
                return [tuple(row) for row in result] if result.returns_rows else []
        finally:
            engine.dispose()

    return do
