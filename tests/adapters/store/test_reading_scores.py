from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

import numebot.adapters.store.result_tables as tables
from numebot.adapters.store import Store
from numebot.adapters.store.engine import open_engine, transaction
from numebot.adapters.store.schema import MIGRATIONS
from numebot.core.known_models import KnownModel
from numebot.core.results import Score
from numebot.core.scorecards import MetricName, ModelScores, NewestScore
from numebot.core.types import AccountModel

NOW = datetime(2026, 11, 24, 16, 0, 30, tzinfo=UTC)
SCORE = Score(8, 1400, "m1", "corr60", 3, 0.0125, 0.75, "v1", NOW, False, "sub-1")
CORR = MetricName("corr60", "v1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/numebot.db")
    yield store
    store.close()


def listed(store: Store, names: dict[str, str], tournament: int = 8, *, days: int = 0) -> None:
    slots = [AccountModel(id, name, tournament) for id, name in names.items()]
    store.results.remember_listed(tournament, slots, now=NOW + timedelta(days=days))


def newest(store: Store, **wishes: object) -> ModelScores:
    (card,) = store.scores.newest(8, model_ids=["m1"], **wishes)
    return card


def value(store: Store) -> NewestScore:
    return newest(store).rounds[0].scores[CORR]


def test_the_newest_day_counts_whatever_came_last(store: Store) -> None:
    store.results.remember_scores([SCORE, replace(SCORE, day=2, value=0.5)])
    store.results.remember_scores([replace(SCORE, day=1, value=0.6)])
    assert value(store) == NewestScore(3, 0.0125, 0.75)
    store.results.remember_scores([replace(SCORE, day=4, value=-0.25, percentile=None)])
    assert value(store) == NewestScore(4, -0.25, None)


def test_a_day_that_was_scored_anew_gets_its_new_value(store: Store) -> None:
    store.results.remember_scores([SCORE, replace(SCORE, day=2)])
    assert store.results.remember_scores([replace(SCORE, value=0.02), replace(SCORE, day=2, value=0.9)]) == 2
    assert value(store) == NewestScore(3, 0.02, 0.75)
    assert store.scores.daily(8, "m1", CORR, since_round=0) == {1400: [0.9, 0.02]}


def test_a_day_without_a_value_hides_none_that_has_one(store: Store) -> None:
    empty = replace(SCORE, value=None, percentile=None)
    store.results.remember_scores([replace(empty, day=1)])
    assert value(store) == NewestScore(1, None, None)
    store.results.remember_scores([replace(SCORE, day=2), empty])
    assert value(store) == NewestScore(2, 0.0125, 0.75)
    store.results.remember_scores([replace(empty, day=2)])
    assert value(store) == NewestScore(3, None, None), "the only value was taken back"


DAYS = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 4), st.sampled_from(["corr60", "mmc60"]), st.none() | st.sampled_from([0.1, -0.2, 0.3])
        ),
        min_size=1,
        max_size=4,
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Iterator[int]]]:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('shared')}/numebot.db")
    yield store, itertools.count(1)
    store.close()


@settings(max_examples=60, deadline=None)
@given(syncs=DAYS)
def test_the_newest_scores_follow_from_the_daily_ones(
    shared: tuple[Store, Iterator[int]], syncs: list[list[tuple[int, str, float | None]]]
) -> None:
    store, numbers = shared
    fresh = replace(SCORE, round_number=next(numbers))
    for scores in syncs:
        store.results.remember_scores([replace(fresh, day=day, metric=name, value=one) for day, name, one in scores])
    expected: dict[str, tuple[bool, int, float | None]] = {}
    for score in store.answers.scores(8, round_number=fresh.round_number):
        weight = (score.value is not None, score.day, score.value)
        expected[score.metric] = max(expected.get(score.metric, weight), weight, key=lambda one: one[:2])
    cards = store.scores.newest(8, last=1_000_000)
    rounds = [one for card in cards for one in card.rounds if one.round_number == fresh.round_number]
    found = {name.name: (score.day, score.value) for one in rounds for name, score in one.scores.items()}
    assert found == {name: weight[1:] for name, weight in expected.items()}


def test_the_last_rounds_are_those_of_each_model(store: Store) -> None:
    listed(store, {"m1": "alpha", "m2": "beta"})
    old = [replace(SCORE, model_id="m2", round_number=number, is_resolved=True) for number in (1100, 1101, 1102)]
    store.results.remember_scores([SCORE, replace(SCORE, round_number=1401), *old])
    cards = store.scores.newest(8, last=2)
    assert [[one.round_number for one in card.rounds] for card in cards] == [[1400, 1401], [1101, 1102]]
    assert [len(card.resolved) for card in cards] == [0, 2]
    assert store.scores.newest(11) == []


def test_without_a_number_the_running_rounds_come_with_the_last_resolved_ones(store: Store) -> None:
    rounds = [replace(SCORE, round_number=number, is_resolved=number <= 1350) for number in range(1300, 1400)]
    store.results.remember_scores(rounds)
    card = newest(store)
    assert [len(card.running), len(card.resolved)] == [49, 20]
    assert card.rounds[0].round_number == 1331


def test_one_metric_is_asked_for_with_all_its_versions(store: Store) -> None:
    other, unknown = replace(SCORE, version="v2"), replace(SCORE, metric="never_heard_of")
    store.results.remember_scores([SCORE, other, unknown])
    assert set(newest(store, metric="corr60").rounds[0].scores) == {CORR, MetricName("corr60", "v2")}
    assert set(newest(store).rounds[0].scores) == {CORR, MetricName("corr60", "v2"), MetricName("never_heard_of", "v1")}
    assert newest(store, metric="nobody").rounds == []


def test_metrics_are_those_that_have_scores(store: Store) -> None:
    from numebot.core.results import PayoutSetting

    store.results.remember_settings([PayoutSetting(8, 1400, "promised", "v1")])
    store.results.remember_scores([SCORE, replace(SCORE, tournament=11, metric="alpha")])
    assert store.scores.metrics(8) == [CORR]


def test_renamed_and_deleted_models_keep_their_history(store: Store) -> None:
    listed(store, {"m1": "alpha", "m2": "beta"})
    store.results.remember_scores([SCORE])
    listed(store, {"m1": "gamma", "m2": "beta"}, days=1)
    listed(store, {"m1": "delta"}, days=2)
    assert store.scores.models(8) == [
        KnownModel(8, "m1", "delta", True, ("alpha", "gamma")),
        KnownModel(8, "m2", "beta", False),
    ]
    listed(store, {"m1": "alpha"}, days=3)
    assert store.scores.models(8)[0] == KnownModel(8, "m1", "alpha", True, ("gamma", "delta"))
    assert [one.round_number for one in newest(store).rounds] == [1400]


def test_a_name_that_was_a_guess_is_no_former_name(store: Store) -> None:
    store.results.remember_scores([SCORE])
    listed(store, {"m1": "alpha"})
    assert store.scores.models(8) == [KnownModel(8, "m1", "alpha")]


def test_a_migrated_database_has_its_newest_scores(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/numebot.db")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    rows = [
        (1, 1400, 1, 1, 0.1),
        (1, 1400, 2, 1, 0.2),
        (1, 1400, 3, 1, None),
        (1, 1400, 1, 2, None),
        (1, 1401, 1, 1, 0.4),
    ]
    with transaction(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.execute(
            sa.text("INSERT INTO slots (id, tournament, model_id, name, is_listed) VALUES (1, 8, 'm1', 'a', 1)")
        )
        for number, name in enumerate(("corr60", "mmc60"), 1):
            connection.execute(tables.metrics.insert().values(id=number, tournament=8, name=name, version="v1"))
        for number in (1400, 1401):
            connection.execute(tables.scored_rounds.insert().values(slot=1, round_number=number, is_resolved=False))
        for slot, number, day, metric, one in rows:
            row = {"slot": slot, "round_number": number, "day": day, "metric": metric, "value": one, "scored_at": NOW}
            connection.execute(tables.scores.insert().values(row))
    engine.dispose()
    store = Store(f"sqlite:///{tmp_path}/numebot.db")
    first, second = newest(store).rounds
    assert first.scores == {CORR: NewestScore(2, 0.2, None), MetricName("mmc60", "v1"): NewestScore(1, None, None)}
    assert second.scores == {CORR: NewestScore(1, 0.4, None)}
    store.close()
