from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from numebot.adapters.store import Store
from numebot.adapters.store.reading.tables import BATCH
from numebot.core.errors import ConfigError
from numebot.core.exporting import ColumnKind
from numebot.core.results import Leaderboard, LeaderboardRow, Score
from numebot.core.types import AccountModel

NOW = datetime(2026, 11, 24, 16, 0, 30, tzinfo=UTC)
SCORE = Score(8, 1400, "m1", "corr60", 3, 0.0125, 0.75, "v1", NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/numebot.db")
    store.results.remember_listed(8, [AccountModel("m1", "alpha", 8)], now=NOW)
    store.results.remember_scores([SCORE])
    yield store
    store.close()


def test_scores_stand_there_with_the_names_of_models_and_metrics(store: Store) -> None:
    with store.whole_tables.rows("scores") as found:
        ((row,),) = list(found.batches)
    assert dict(zip([name for name, _ in found.columns], row, strict=True)) == {
        "tournament": 8,
        "model_id": "m1",
        "model": "alpha",
        "round_number": 1400,
        "day": 3,
        "metric": "corr60",
        "version": "v1",
        "value": 0.0125,
        "percentile": 0.75,
        "scored_at": NOW,
    }
    assert dict(found.columns)["scored_at"] is ColumnKind.TIME


def test_every_table_can_be_read_and_no_column_comes_twice(store: Store) -> None:
    store.results.remember_leaderboard(Leaderboard(8, NOW, 1, (LeaderboardRow(1, "alpha", "m1", is_own=True),)))
    for name in store.whole_tables.names():
        with store.whole_tables.rows(name) as found:
            rows = [row for batch in found.batches for row in batch]
        names = [column for column, _ in found.columns]
        assert len(names) == len(set(names)), name
        assert all(len(row) == len(names) for row in rows), name


def test_a_table_comes_in_batches(store: Store) -> None:
    count = 2 * BATCH + 1
    scores = [Score(8, number // 50, "m1", "corr60", number % 50, 0.5) for number in range(count)]
    store.results.remember_scores(scores)
    with store.whole_tables.rows("scores") as found:
        assert [len(batch) for batch in found.batches] == [BATCH, BATCH, 2]


def test_an_unknown_table_is_told_with_those_that_there_are(store: Store) -> None:
    with (
        pytest.raises(ConfigError, match=r'"score": there is none\. There are: .*scores, slots'),
        store.whole_tables.rows("score"),
    ):
        pass
