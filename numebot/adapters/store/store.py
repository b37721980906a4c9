"""Rounds, models, files and submissions in the database; frozen values go in and come out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

import numebot.adapters.store.tables as tables
from numebot.adapters.store.backup import can_copy, copy_to, problems_of, suffix_of
from numebot.adapters.store.engine import make_private_file, open_engine, place_of, transaction
from numebot.adapters.store.rows import SubmissionRows, insert_event
from numebot.adapters.store.schema import upgrade
from numebot.core.errors import ConfigError
from numebot.core.types import DataFile, Event, ModelConfig, Round, Submission, TrainedVersion

_VALUE_OF = sa.select(tables.meta.c.value).where(tables.meta.c.key == sa.bindparam("key"))

if TYPE_CHECKING:
    from numebot.adapters.store.answers import Answers
    from numebot.adapters.store.reading.boards import BoardReader
    from numebot.adapters.store.reading.ledger import LedgerReader
    from numebot.adapters.store.reading.money import MoneyReader
    from numebot.adapters.store.reading.pairs import PairReader
    from numebot.adapters.store.reading.scores import ScoreReader
    from numebot.adapters.store.reading.tables import TableReader
    from numebot.adapters.store.reading.timeline import TimelineReader
    from numebot.adapters.store.results import Results
    from numebot.adapters.store.standing import Standing


class Store:
    """The memory of numebot: state, results and the timeline. Every method is one transaction.

    Its parts load when they are used: a quick command needs one or two of them.
    """

    def __init__(
        self, url: str, *, busy_timeout_s: float = 10.0, before_upgrade: Callable[[str], Path] | None = None
    ) -> None:
        """Open the database at `url` and bring its schema up to date; a SQLite file is made when it is missing.

        `before_upgrade` says for an older schema where the backup goes that is made first.
        Raises: ConfigError, LocalTrouble, Damaged.
        """
        self._engine = open_engine(url, busy_timeout_s=busy_timeout_s)
        try:
            make_private_file(self._engine)
            self.opened_at_schema = upgrade(self._engine, before_upgrade)
            """Which schema the database had until now; None for a new one."""
        except BaseException:
            self._engine.dispose()
            raise
        self._rows = SubmissionRows(self._engine, tables.submissions)
        self.nets = SubmissionRows(self._engine, tables.safety_nets)
        """Uploads made after a deadline, for the next round."""

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @property
    def place(self) -> str:
        """Where the database is, for a person; without a password."""
        return place_of(self._engine)

    def problems(self) -> list[str]:
        """Return what the database finds wrong with itself; nothing when it is whole. Raises: LocalTrouble."""
        return problems_of(self._engine)

    @property
    def schema(self) -> str:
        """The schema of the database, which is the one that this numebot knows."""
        return tables.HEAD

    @property
    def backup_suffix(self) -> str:
        """How the name of a backup ends: .db, or .dump for one of PostgreSQL."""
        return suffix_of(self._engine)

    @property
    def can_back_up(self) -> bool:
        """Whether backups can be made here: those of a PostgreSQL need pg_dump."""
        return can_copy(self._engine)

    def backup(self, destination: Path) -> None:
        """Write a consistent copy to `destination`, which must not be there yet; others may write meanwhile.

        The copy is checked before it gets its name. Raises: ConfigError, LocalTrouble, Damaged.
        """
        copy_to(self._engine, destination)

    @property
    def results(self) -> Results:
        """The part that writes scores, payouts and leaderboards."""
        from numebot.adapters.store.results import Results

        return Results(self._engine)

    @property
    def standing(self) -> Standing:
        """The part that holds risk, accounts, ranks and prices."""
        from numebot.adapters.store.standing import Standing

        return Standing(self._engine)

    @property
    def answers(self) -> Answers:
        """The part that reads them back."""
        from numebot.adapters.store.answers import Answers

        return Answers(self._engine)

    @property
    def scores(self) -> ScoreReader:
        """The part that answers how models do."""
        from numebot.adapters.store.reading.scores import ScoreReader

        return ScoreReader(self._engine)

    @property
    def whole_tables(self) -> TableReader:
        """The part that reads tables from beginning to end."""
        from numebot.adapters.store.reading.tables import TableReader

        return TableReader(self._engine)

    @property
    def ledger(self) -> LedgerReader:
        """The part that answers what became of rounds and models."""
        from numebot.adapters.store.reading.ledger import LedgerReader

        return LedgerReader(self._engine)

    @property
    def timeline(self) -> TimelineReader:
        """The part that answers what happened to a model in a round."""
        from numebot.adapters.store.reading.timeline import TimelineReader

        return TimelineReader(self._engine)

    @property
    def money(self) -> MoneyReader:
        """The part that answers what models earned."""
        from numebot.adapters.store.reading.money import MoneyReader

        return MoneyReader(self._engine)

    @property
    def pairs(self) -> PairReader:
        """The part that answers what two models have in common."""
        from numebot.adapters.store.reading.pairs import PairReader

        return PairReader(self._engine)

    @property
    def boards(self) -> BoardReader:
        """The part that answers where we stand on leaderboards."""
        from numebot.adapters.store.reading.boards import BoardReader

        return BoardReader(self._engine)

    def claim_for(self, server: str) -> None:
        """Tie this database to one tournament server for ever: practice and real results must never mix.

        Raises: ConfigError when it belongs to another server.
        """
        self.require_server(server)
        with transaction(self._engine) as connection:
            _upsert(connection, tables.meta, {"key": "server"}, {"value": server}, {})

    def require_server(self, server: str) -> None:
        """Raise ConfigError when this database belongs to another server; one that is not claimed yet fits any."""
        with transaction(self._engine, reads=True) as connection:
            found = connection.scalar(sa.select(tables.meta.c.value).where(tables.meta.c.key == "server"))
        if found not in (None, server):
            raise ConfigError(
                f"{self.place}: holds the results of {found}, but the settings point to {server}. "
                "Each tournament server needs a data folder of its own: set NUMERAI_DATA_FOLDER."
            )

    def remember_round(self, round_: Round, *, now: datetime) -> None:
        """Insert or update a round; openings and deadlines slide, so the newest answer wins."""
        values = {
            "opens_at": round_.opens_at,
            "deadline": round_.deadline,
            "closes_at": round_.closes_at,
            "data_datestamp": round_.data_datestamp,
            "updated_at": now,
        }
        key = {"tournament": round_.tournament, "number": round_.number}
        with transaction(self._engine) as connection:
            _upsert(connection, tables.rounds, key, values, {"first_seen_at": now})

    def newest_round(self, tournament: int) -> Round | None:
        """Return the round with the highest number that was ever seen."""
        query = (
            sa.select(tables.rounds)
            .where(tables.rounds.c.tournament == tournament)
            .order_by(tables.rounds.c.number.desc())
            .limit(1)
        )
        with transaction(self._engine, reads=True) as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Round(row.tournament, row.number, row.opens_at, row.deadline, row.closes_at, row.data_datestamp)

    def first_seen(self, tournament: int, number: int) -> datetime | None:
        """Return when a round was seen for the first time."""
        table = tables.rounds
        query = sa.select(table.c.first_seen_at).where(table.c.tournament == tournament, table.c.number == number)
        with transaction(self._engine, reads=True) as connection:
            return connection.scalar(query)

    def remember_models(self, configs: Iterable[ModelConfig], ids: Mapping[str, str], *, now: datetime) -> None:
        """Write down the rows of model_configs.csv with their ids in the account."""
        with transaction(self._engine) as connection:
            for config in configs:
                key = {"tournament": config.tournament, "name": config.name}
                values: dict[str, object] = {
                    "code": config.code,
                    "enabled": config.enabled,
                    "problem": config.problem,
                    "updated_at": now,
                }
                if config.name in ids:
                    values["model_id"] = ids[config.name]
                _upsert(connection, tables.models, key, values, {})

    def remember_file(self, file: DataFile, *, now: datetime) -> None:
        """Write down a downloaded file."""
        values = {
            "name": file.name,
            "round_number": file.round_number,
            "sha256": file.sha256,
            "size_bytes": file.size_bytes,
            "etag": file.etag,
            "fetched_at": file.fetched_at or now,
        }
        with transaction(self._engine) as connection:
            _upsert(connection, tables.data_files, {"path": str(file.path)}, values, {})

    def remember_version(self, version: TrainedVersion) -> None:
        """Write down a trained version; its manifest on disk holds the rest."""
        key = {"model": version.model, "version": version.version}
        values = {
            "folder": str(version.folder),
            "data_version": version.data_version,
            "target": version.target,
            "sha256": version.sha256,
            "metrics": dict(version.metrics),
            "trained_at": version.trained_at,
        }
        with transaction(self._engine) as connection:
            _upsert(connection, tables.trained_versions, key, values, {})

    def submission(self, tournament: int, round_number: int, model: str) -> Submission | None:
        """Return one row of the step machine."""
        return self._rows.one(tournament, round_number, model)

    def submissions(self, tournament: int, round_number: int) -> Sequence[Submission]:
        """Return the rows of one round, by model name."""
        return self._rows.of_round(tournament, round_number)

    def unfinished(self, tournament: int) -> Sequence[Submission]:
        """Return the rows of all rounds that have not come to an end."""
        return self._rows.unfinished(tournament)

    def begin_submission(self, submission: Submission, *, now: datetime) -> Submission:
        """Insert a pending row unless there is one, and return what stands there."""
        return self._rows.begin(submission, now=now)

    def change(self, before: Submission, after: Submission, event: Event | None) -> Submission:
        """Move a row as `SubmissionRows.change` does."""
        return self._rows.change(before, after, event)

    def run_times(self, tournament: int, *, last_rounds: int = 60) -> Mapping[str, Sequence[float]]:
        """Return how long each model's own runs took lately, in seconds, by model."""
        table = tables.events
        newest = sa.select(sa.func.max(table.c.round_number)).where(table.c.tournament == tournament).scalar_subquery()
        took_s, rung = table.c.details["took_s"].as_float(), table.c.details["rung"].as_string()
        query = sa.select(table.c.model, took_s).where(
            table.c.tournament == tournament,
            table.c.model.is_not(None),
            table.c.round_number > newest - last_rounds,
            took_s.is_not(None),
            rung.is_(None),
        )
        found: dict[str, list[float]] = {}
        with transaction(self._engine, reads=True) as connection:
            for model, seconds in connection.execute(query):
                found.setdefault(model, []).append(float(seconds))
        return found

    def note(self, key: str, value: Mapping[str, object]) -> None:
        """Keep a small value under a key, e.g. what the daemon did last; the newest one stands."""
        with transaction(self._engine) as connection:
            _upsert(connection, tables.meta, {"key": key}, {"value": json.dumps(dict(value))}, {})

    def noted(self, key: str) -> Mapping[str, Any] | None:
        """Return what stands under a key; None when nothing was noted, or nothing readable."""
        with transaction(self._engine, reads=True) as connection:
            return _note(connection.scalar(_VALUE_OF, {"key": key}))

    def change_note(
        self, key: str, change: Callable[[Mapping[str, Any]], Mapping[str, object] | None]
    ) -> Mapping[str, Any]:
        """Put what `change` makes of a note in its place, in one transaction; None leaves it as it is.

        Return what stood there before, nothing where there was no note or none that is readable.
        """
        with transaction(self._engine) as connection:
            before = _note(connection.scalar(_VALUE_OF, {"key": key})) or {}
            after = change(before)
            if after is not None:
                _upsert(connection, tables.meta, {"key": key}, {"value": json.dumps(dict(after))}, {})
        return before

    def record(self, event: Event) -> None:
        """Add one line to the timeline."""
        with transaction(self._engine) as connection:
            insert_event(connection, event)

    def record_once(self, event: Event) -> bool:
        """Add a line unless one of the same kind, words and tournament is there; return whether it was new."""
        table = tables.events
        same = sa.and_(
            table.c.kind == event.kind, table.c.message == event.message, table.c.tournament == event.tournament
        )
        with transaction(self._engine) as connection:
            if connection.execute(sa.select(tables.events.c.id).where(same).limit(1)).first() is not None:
                return False
            insert_event(connection, event)
        return True

    def remember_history(self, events: Sequence[Event]) -> int:
        """Add lines to the timeline unless they are there; return how many are new. All are of the kinds of `events`.

        A line is the same when kind, round, model and words are.
        """
        table = tables.events
        kinds = sorted({event.kind for event in events})
        query = sa.select(table.c.kind, table.c.round_number, table.c.model, table.c.message)
        with transaction(self._engine) as connection:
            known = {tuple(row) for row in connection.execute(query.where(table.c.kind.in_(kinds)))}
            new = {(event.kind, event.round_number, event.model, event.message): event for event in events}
            for key, event in new.items():
                if key not in known:
                    insert_event(connection, event)
        return len(new.keys() - known)

    def events(
        self,
        *,
        round_number: int | None = None,
        model: str | None = None,
        kinds: Sequence[str] = (),
        limit: int = 200,
    ) -> list[Event]:
        """Return the newest lines of the timeline, oldest first."""
        query = sa.select(tables.events).order_by(tables.events.c.id.desc()).limit(limit)
        if round_number is not None:
            query = query.where(tables.events.c.round_number == round_number)
        if model is not None:
            query = query.where(tables.events.c.model == model)
        if kinds:
            query = query.where(tables.events.c.kind.in_(kinds))
        with transaction(self._engine, reads=True) as connection:
            rows = connection.execute(query).all()
        return [
            Event(row.at, row.kind, row.message, row.tournament, row.round_number, row.model, row.details)
            for row in reversed(rows)
        ]


def _note(text: str | None) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text) if text is not None else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _upsert(
    connection: Connection,
    table: sa.Table,
    key: Mapping[str, object],
    values: Mapping[str, object],
    only_when_new: Mapping[str, object],
) -> None:
    # Inside one IMMEDIATE transaction update-then-insert is safe, and the same on every database.
    condition = sa.and_(*(table.c[name] == value for name, value in key.items()))
    if connection.execute(table.update().where(condition).values(dict(values))).rowcount == 0:
        connection.execute(table.insert().values({**key, **values, **only_when_new}))
