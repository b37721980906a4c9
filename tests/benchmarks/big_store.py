"""Makes a database as years of play leave it, quickly: SQLite makes up the rows itself, day by day as syncs write them.

The order matters for the size: rows that arrive between others leave pages half full, which a sorted load would not.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from numebot.adapters.store import Store

MODELS = 50
METRICS = ("v2_corr20", "corr60", "mmc", "mmc60", "bmc", "fnc_v3", "corr_w_meta_model", "season_score")
DAYS = 60
"""Daily values of a round."""
OPEN_ROUNDS = 64
ROUNDS = 810
"""Three years with five a week, and some more, since the newest rounds do not have all their days yet."""
FIRST_ROUND = 700
START = datetime(2023, 11, 28, 12, 0, tzinfo=UTC)
LINES_OF_A_BOARD = 20 + 5 * MODELS
TOURNAMENT = 8

_TEXT_TIME = "strftime('%Y-%m-%d %H:%M:%S.000000', {}, 'unixepoch')"
_NOISE = "(random() / 9223372036854775808.0)"
_OPENED = f"{int(START.timestamp())} + (number - {FIRST_ROUND}) / 5 * 604800 + (number - {FIRST_ROUND}) % 5 * 86400"


def store_file(folder: Path, fraction: float) -> Path:
    """Return the database with that fraction of three years, made in `folder` unless it is there."""
    path = folder / f"years-{fraction:g}" / "numebot.db"
    if not path.exists():
        unfinished = path.with_name("unfinished.db")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        Store(f"sqlite:///{unfinished}").close()
        _fill(unfinished, round(ROUNDS * fraction))
        unfinished.rename(path)
    return path


def newest_round(path: Path) -> int:
    """Return the number of the newest round of a file."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT max(number) FROM rounds").fetchone()[0])


def model_id(number: int) -> str:
    """Return the id of a model, from 1."""
    return f"00000000-0000-4000-8000-{number:012d}"


def model_name(number: int) -> str:
    """Return the name of a model, from 1."""
    return f"model_{number:02d}"


def now_of(path: Path) -> datetime:
    """Return the time of the last sync that the file knows of."""
    rounds = newest_round(path) - FIRST_ROUND
    return START + timedelta(weeks=rounds // 5, days=rounds % 5 + 1, hours=4)


def _fill(path: Path, rounds: int) -> None:
    newest = FIRST_ROUND + rounds - 1
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -400000")
        db.execute("BEGIN")
        _names(db)
        _rounds(db, newest)
        _submissions(db)
        for day in range(rounds):
            _one_day(db, day)
        _summaries(db, newest)
        _boards(db, rounds * 7 // 5)
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")


def _names(db: sqlite3.Connection) -> None:
    seen = START.strftime("%Y-%m-%d %H:%M:%S.000000")
    db.executemany(
        f"INSERT INTO slots (id, tournament, model_id, name, is_listed, first_seen_at, seen_at)"
        f" VALUES (?, {TOURNAMENT}, ?, ?, 1, '{seen}', '{seen}')",
        [(number, model_id(number), model_name(number)) for number in range(1, MODELS + 1)],
    )
    db.executemany(
        f"INSERT INTO metrics (id, tournament, name, version) VALUES (?, {TOURNAMENT}, ?, 'v1')",
        enumerate(METRICS, 1),
    )
    db.execute(
        "INSERT INTO models (tournament, name, model_id, code, enabled, updated_at)"
        f" SELECT tournament, name, model_id, 'models.example', 1, '{seen}' FROM slots"
    )


def _rounds(db: sqlite3.Connection, newest: int) -> None:
    opened, deadline = _TEXT_TIME.format(_OPENED), _TEXT_TIME.format(f"{_OPENED} + 3600")
    closes = _TEXT_TIME.format(f"{_OPENED} + 86400")
    scores = _TEXT_TIME.format(f"{_OPENED} + 345600")
    resolves = _TEXT_TIME.format(f"{_OPENED} + 7603200")
    db.execute(
        f"WITH RECURSIVE n(number) AS (SELECT {FIRST_ROUND} UNION ALL SELECT number + 1 FROM n WHERE number < {newest})"
        " INSERT INTO rounds (tournament, number, opens_at, deadline, closes_at, data_datestamp, first_seen_at,"
        " updated_at, scores_at, resolves_at, is_resolved, payout_factor)"
        f" SELECT {TOURNAMENT}, number, {opened}, {deadline}, {closes}, 20260101, {opened}, {opened}, {scores},"
        f" {resolves}, number <= {newest - OPEN_ROUNDS}, '1.0' FROM n"
    )
    db.execute(
        "INSERT INTO payout_settings (tournament, round_number, metric, is_payout, multiplier, minimum, maximum, clip,"
        " stake_threshold, payout_factor, score_days, scoring_begins_at, scoring_ends_at)"
        f" SELECT {TOURNAMENT}, rounds.number, metrics.id, metrics.id IN (2, 4), 3.0, 0.5, 4.0, 1.0, 72000.0, 1.0, 60,"
        f" {_OPENED}, {_OPENED} + 7603200 FROM rounds, metrics ORDER BY rounds.number, metrics.id"
    )


def _submissions(db: sqlite3.Connection) -> None:
    """One model in a hundred misses a round, one is late."""
    moment = _TEXT_TIME.format(f"{_OPENED} + 60 + slots.id")
    db.execute(
        "CREATE TEMP TABLE played AS SELECT slots.id AS slot, slots.name AS model, slots.model_id AS model_id,"
        f" rounds.number AS number, {_OPENED} AS opened, {moment} AS moment,"
        " CASE abs(random()) % 100 WHEN 0 THEN 'missed' WHEN 1 THEN 'late' ELSE 'confirmed' END AS state,"
        " 'predictions-' || hex(randomblob(6)) || '.csv' AS filename,"
        " lower(hex(randomblob(16))) AS submission_id FROM rounds, slots ORDER BY rounds.number, slots.id"
    )
    db.execute(
        "INSERT INTO submissions (tournament, round_number, model, state, step, model_id, filename, submission_id,"
        " sha256, inputs_sha256, trained_version, attempts, refusals, plugin_failures, begun_at, submitted_at,"
        f" confirmed_at, updated_at) SELECT {TOURNAMENT}, number, model, state, state, model_id, filename,"
        " submission_id, lower(hex(randomblob(32))), lower(hex(randomblob(32))), '20260101-000000', 1, 0, 0, moment,"
        " moment, moment, moment FROM played"
    )
    db.execute(
        "INSERT INTO listed_submissions (slot, round_number, status, submission_id, filename, submitted_at)"
        " SELECT slot, number, CASE state WHEN 'confirmed' THEN 'on-time' WHEN 'late' THEN 'late' ELSE 'none' END,"
        " submission_id, filename, opened + 60 FROM played ORDER BY slot, number"
    )
    steps = (
        ("wake-up", '{"reason": "the round opened"}'),
        ("state", '{"state": "predicted", "took_s": 1.234, "rung": null}'),
        ("state", '{"state": "checked"}'),
        ("state", '{"state": "uploaded", "bytes": 250000, "attempt": 1}'),
        ("state", '{"state": "submitted", "attempt": 1}'),
        ("state", '{"state": "confirmed"}'),
    )
    values = ", ".join(f"({place}, '{kind}', '{details}')" for place, (kind, details) in enumerate(steps))
    db.execute(
        f"WITH steps(place, kind, details) AS (VALUES {values})"
        " INSERT INTO events (at, kind, message, tournament, round_number, model, details)"
        f" SELECT moment, steps.kind, 'step ' || steps.place || ' of ' || filename, {TOURNAMENT}, number, model,"
        " steps.details FROM played, steps ORDER BY number, place, slot"
    )


def _one_day(db: sqlite3.Connection, day: int) -> None:
    """Add the values of one day to all rounds that are scored on it: the newest gets its day 1."""
    newest = FIRST_ROUND + day
    oldest = max(FIRST_ROUND, newest - DAYS + 1)
    scored_at = int((START + timedelta(days=day * 7 // 5, hours=6)).timestamp())
    db.execute(
        "INSERT INTO scores (slot, round_number, day, metric, value, percentile, scored_at)"
        f" SELECT slots.id, rounds.number, {newest} - rounds.number + 1, metrics.id, {_NOISE} * 0.05,"
        f" 0.5 + {_NOISE} / 2, {scored_at} FROM slots, rounds, metrics"
        f" WHERE rounds.number BETWEEN {oldest} AND {newest} ORDER BY slots.id, rounds.number, metrics.id"
    )


def _summaries(db: sqlite3.Connection, newest: int) -> None:
    db.execute(
        "INSERT INTO newest_scores (slot, metric, round_number, day, value, percentile, scored_at)"
        " SELECT scores.slot, scores.metric, scores.round_number, scores.day, scores.value, scores.percentile,"
        " scores.scored_at"
        " FROM slots, rounds, scores WHERE scores.slot = slots.id AND scores.round_number = rounds.number"
        f" AND scores.day = min({DAYS}, {newest} - rounds.number + 1)"
        " ORDER BY scores.slot, scores.metric, rounds.number"
    )
    db.execute(
        "INSERT INTO scored_rounds (slot, round_number, submission_id, resolves_at, is_resolved)"
        f" SELECT slot, number, submission_id, opened + 7603200, number <= {newest - OPEN_ROUNDS} FROM played"
        " ORDER BY slot, number"
    )
    db.execute(
        "INSERT INTO payouts (slot, round_number, amount, is_settled, value, currency, resolves_on)"
        f" SELECT slot, number, printf('%.18f', {_NOISE}), number <= {newest - OPEN_ROUNDS}, printf('%.4f', {_NOISE}),"
        " 'USD', date(opened + 7603200, 'unixepoch') FROM played ORDER BY slot, number"
    )
    seen = _TEXT_TIME.format(int(START.timestamp()))
    db.execute(
        f"INSERT INTO score_marks (slot, synced_at, complete_at, open_from) SELECT id, {seen}, {seen},"
        f" {newest - OPEN_ROUNDS + 1} FROM slots"
    )


def _boards(db: sqlite3.Connection, days: int) -> None:
    """Every fifth line of a snapshot is of an own model, with its neighbours around it."""
    day = f"{int(START.timestamp())} + id * 86400"
    db.execute(
        f"WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {days})"
        " INSERT INTO leaderboards (id, tournament, day, taken_at, size, figures)"
        f" SELECT id, {TOURNAMENT}, date({day}, 'unixepoch'), {_TEXT_TIME.format(day)}, 9000,"
        ' \'["corrRep", "mmcRep", "fncV3Rep", "return1y", "return3m"]\' FROM n'
    )
    figure = f"round({_NOISE}, 6)"
    db.execute(
        f"WITH RECURSIVE n(place) AS (SELECT 0 UNION ALL SELECT place + 1 FROM n WHERE place < {LINES_OF_A_BOARD - 1})"
        " INSERT INTO leaderboard_rows (leaderboard, place, rank, model, slot, staked, figures)"
        " SELECT id, place, place + 1 + abs(random()) % 20,"
        f" CASE place % 5 WHEN 4 THEN printf('model_%02d', place / 5 % {MODELS} + 1) ELSE 'player_' || place END,"
        f" CASE place % 5 WHEN 4 THEN place / 5 % {MODELS} + 1 END, printf('%.18f', abs({_NOISE}) * 100),"
        f" '[' || {figure} || ',' || {figure} || ',' || {figure} || ',' || {figure} || ',' || {figure} || ']'"
        " FROM leaderboards, n ORDER BY id, place"
    )
