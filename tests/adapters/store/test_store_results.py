from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from numebot.adapters.store import Store
from numebot.adapters.store.engine import make_private_file, open_engine, transaction
from numebot.adapters.store.schema import MIGRATIONS
from numebot.core.results import Leaderboard, LeaderboardRow, Payout, PayoutSetting, RoundFacts, Score, ScoreMark
from numebot.core.types import AccountModel, ListedSubmission, Round

NOW = datetime(2026, 11, 24, 16, 0, 30, tzinfo=UTC)
SCORE = Score(8, 1400, "m1", "corr60", 3, 0.0123456789012345, 0.75, "v1", NOW, False, "sub-1", NOW + timedelta(days=88))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "numebot.db"


def facts(number: int, **changes: object) -> RoundFacts:
    return replace(RoundFacts(Round(8, number, NOW, NOW + timedelta(hours=1))), **changes)


def test_scores_come_back_as_they_went_in(store: Store) -> None:
    unknown = replace(SCORE, metric="mmc60", value=None, percentile=None, scored_at=None)
    assert store.results.remember_scores([SCORE, unknown]) == 2
    assert sorted(store.answers.scores(8), key=lambda score: score.metric) == [SCORE, unknown]
    assert store.answers.scores(11) == []
    assert store.answers.scores(8, metric="mmc60", round_number=1400, since_round=1400) == [unknown]


def test_equal_scores_are_no_news_and_changed_ones_are(store: Store) -> None:
    results = store.results
    results.remember_scores([SCORE])
    assert results.remember_scores([SCORE]) == 0
    anew = replace(SCORE, value=-0.01)
    assert results.remember_scores([anew, anew]) == 1
    assert store.answers.scores(8) == [anew]
    assert results.remember_scores([]) == 0


def test_a_value_that_was_taken_back_is_null_again(store: Store) -> None:
    store.results.remember_scores([SCORE])
    store.results.remember_scores([replace(SCORE, value=None, submission_id=None, resolves_at=None)])
    (kept,) = store.answers.scores(8)
    assert kept == replace(SCORE, value=None)


def test_versions_of_a_metric_and_equal_names_of_two_tournaments_stay_apart(store: Store) -> None:
    other, foreign = replace(SCORE, version="v2"), replace(SCORE, tournament=12)
    store.results.remember_scores([SCORE, other, foreign])
    assert len(store.answers.scores(8)) == 2
    assert store.answers.scores(12) == [foreign]
    assert store.results.metric_names(12) == ["corr60"]


def test_a_round_that_resolves_makes_all_its_days_final(store: Store) -> None:
    store.results.remember_scores([SCORE])
    store.results.remember_scores([replace(SCORE, day=60, is_resolved=True)])
    assert all(score.is_resolved for score in store.answers.scores(8))


def test_the_newest_days_are_known_by_round_metric_and_version(store: Store) -> None:
    days = [replace(SCORE, day=day) for day in (1, 2, 7)]
    store.results.remember_scores([*days, replace(SCORE, round_number=1399, day=9)])
    assert store.results.newest_days(8, "m1", since_round=1400) == {(1400, "corr60", "v1"): 7}
    assert store.results.newest_days(8, "nobody", since_round=0) == {}


def test_a_slot_that_was_met_in_scores_gets_its_name_from_the_account(store: Store) -> None:
    store.results.remember_scores([SCORE])
    assert store.results.own_models(8) == []
    store.results.remember_listed(8, [AccountModel("m1", "alpha", 8)], now=NOW)
    assert store.answers.scores(8, model="alpha") == [SCORE]
    store.results.remember_payouts([Payout(8, 1400, "m1", "an old name", Decimal(1), False)])
    assert store.results.own_models(8) == [AccountModel("m1", "alpha", 8)]
    store.results.remember_listed(8, [], now=NOW)
    assert store.results.own_models(8) == []
    assert store.answers.scores(8, model="alpha") == [SCORE]


def test_two_models_may_swap_their_names(store: Store) -> None:
    store.results.remember_listed(8, [AccountModel("m1", "a", 8), AccountModel("m2", "b", 8)], now=NOW)
    store.results.remember_scores([SCORE])
    store.results.remember_listed(8, [AccountModel("m1", "b", 8), AccountModel("m2", "a", 8)], now=NOW)
    assert store.answers.scores(8, model="b") == [SCORE]
    assert store.answers.scores(8, model="a") == []


def test_of_two_lines_for_a_round_the_better_one_counts(store: Store) -> None:
    lines = (
        ListedSubmission(1405, "queued", "old", "old.csv", NOW),
        ListedSubmission(1405, "on-time", "new", "new.csv", NOW),
        ListedSubmission(1404, "none"),
        ListedSubmission(1404, "late", "old", "old.csv", NOW),
    )
    store.results.remember_listed(8, [AccountModel("m1", "alpha", 8, submissions=lines)], now=NOW)
    assert store.answers.listed_submissions(8, "alpha") == [lines[1], lines[3]]


def test_rounds_keep_what_is_no_longer_told_and_take_what_is_new(store: Store) -> None:
    known = facts(1400, scores_at=NOW, resolves_at=NOW, payout_factor="0.089")
    assert store.results.remember_rounds([known], now=NOW) == 1
    assert store.results.remember_rounds([facts(1400)], now=NOW + timedelta(hours=1)) == 0
    assert store.answers.round_facts(8) == [known]
    assert store.results.remember_rounds([replace(known, is_resolved=True)], now=NOW) == 1


def test_a_round_that_was_only_played_does_not_hide_the_older_ones(store: Store) -> None:
    store.remember_round(facts(1405).round, now=NOW)
    assert store.results.oldest_open_round(8) is None
    store.results.remember_rounds([facts(1399, is_resolved=True), facts(1400), facts(1401)], now=NOW)
    assert store.results.oldest_open_round(8) == 1400
    assert store.newest_round(8) == facts(1405).round


def test_payouts_keep_every_wei_and_never_become_pending_again(store: Store) -> None:
    amount = Decimal("0.123456789012345678")
    pending = Payout(8, 1400, "m1", "alpha", amount, False, Decimal("1.5"), "USD", date(2027, 2, 1))
    assert store.results.remember_payouts([pending]) == 1
    assert store.results.remember_payouts([replace(pending, value=Decimal("1.6"))]) == 0
    settled = replace(pending, amount=Decimal("-1E-18"), is_settled=True)
    assert store.results.remember_payouts([settled]) == 1
    assert store.results.remember_payouts([pending]) == 0
    assert store.answers.payouts(8) == [settled]


def test_payout_settings_are_updated_in_place(store: Store) -> None:
    setting = PayoutSetting(8, 1400, "corr60", "v1", True, 3.0, 0.5, 4.0, 1.0, 72000.0, 1.0, 60, NOW, NOW)
    store.results.remember_settings([setting])
    changed = replace(setting, multiplier=2.0, clip=None)
    assert store.results.remember_settings([changed]) == 1
    assert store.answers.payout_settings(8, 1400) == [changed]


def test_own_lines_of_a_snapshot_are_found_by_name_where_the_board_has_no_ids(store: Store) -> None:
    store.results.remember_listed(8, [AccountModel("m1", "alpha", 8)], now=NOW)
    other = LeaderboardRow(1, "other", "x", Decimal("1.5"), figures={"a": 1.0})
    rows = (other, LeaderboardRow(2, "alpha", is_own=True))
    store.results.remember_leaderboard(Leaderboard(8, NOW, 900, rows))
    board = store.answers.leaderboard(8, NOW.date())
    assert board is not None
    assert (board.rows[0].model_id, board.rows[0].is_own, board.rows[0].figures) == (None, False, {"a": 1.0})
    assert (board.rows[1].model_id, board.rows[1].is_own, board.rows[1].figures) == ("m1", True, {"a": None})
    assert store.results.newest_leaderboard_day(8) == NOW.date()
    assert store.answers.leaderboard(11) is None
    assert store.results.newest_leaderboard_day(11) is None


def test_marks_are_kept_per_model(store: Store) -> None:
    mark = ScoreMark(NOW, NOW - timedelta(days=1), 1380)
    store.results.mark_scores(8, "m1", mark)
    store.results.mark_scores(8, "m1", replace(mark, open_from=None))
    assert store.results.score_mark(8, "m1") == replace(mark, open_from=None)
    assert store.results.score_mark(8, "m2") is None


def test_the_large_tables_have_no_rowid(path: Path) -> None:
    Store(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.OperationalError, match="rowid"):
        connection.execute("SELECT rowid FROM scores")
    connection.close()


def test_a_database_of_the_first_schema_keeps_its_rounds(path: Path) -> None:
    engine = open_engine(f"sqlite:///{path}")
    make_private_file(engine)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with transaction(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        values = {"time": "2026-11-24 12:00:00.000000"}
        insert = "INSERT INTO rounds VALUES (8, 1405, :time, :time, NULL, 20261123, :time, :time)"
        connection.execute(sa.text(insert), values)
    engine.dispose()
    store = Store(f"sqlite:///{path}")
    (kept,) = store.answers.round_facts(8)
    assert (kept.round.number, kept.round.data_datestamp, kept.is_resolved) == (1405, 20261123, False)
    assert store.results.remember_rounds([facts(1405, is_resolved=True)], now=NOW) == 1
    store.close()
