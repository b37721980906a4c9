"""What the ledger is made of: rounds, our own rows, what Numerai lists, and who was asked to play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

import numebot.adapters.store.result_tables as results
import numebot.adapters.store.tables as tables
from numebot.adapters.store.engine import transaction
from numebot.core.ledger import (
    CANNOT_ASK,
    LEFT_OUT,
    PASS,
    UNASKED,
    Evidence,
    KnownRound,
    Listed,
    OwnModel,
    OwnRow,
    Roster,
)
from numebot.core.losses import Scores, Weights
from numebot.core.results import RoundFacts
from numebot.core.types import Round, State


@dataclass(frozen=True)
class Span:
    """Rounds by number, both ends included."""

    first: int
    last: int


class LedgerReader:
    """Answers what became of rounds and models. Raises: LocalTrouble."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last_rounds(self, tournament: int, count: int) -> Span | None:
        """Return the newest `count` known rounds; None when none is known."""
        table = tables.rounds
        query = sa.select(table.c.number).where(table.c.tournament == tournament)
        newest = query.order_by(table.c.number.desc()).limit(count).subquery()
        return self._span(sa.select(sa.func.min(newest.c.number), sa.func.max(newest.c.number)))

    def last_over(self, tournament: int, now: datetime) -> int | None:
        """Return the newest round whose deadline is over; None when there is none."""
        table = tables.rounds
        query = sa.select(sa.func.max(table.c.number)).where(
            table.c.tournament == tournament, table.c.deadline <= now
        )
        with transaction(self._engine, reads=True) as connection:
            found: int | None = connection.scalar(query)
        return found

    def is_known(self, tournament: int, number: int) -> bool:
        """Whether a round was ever seen."""
        table = tables.rounds
        query = sa.select(table.c.number).where(table.c.tournament == tournament, table.c.number == number)
        with transaction(self._engine, reads=True) as connection:
            return connection.scalar(query) is not None

    def rounds_opened(self, tournament: int, begin: datetime, end: datetime) -> Span | None:
        """Return the known rounds that opened from `begin` on and before `end`; None when there is none."""
        table = tables.rounds
        query = sa.select(sa.func.min(table.c.number), sa.func.max(table.c.number)).where(
            table.c.tournament == tournament, table.c.opens_at >= begin, table.c.opens_at < end
        )
        return self._span(query)

    def _span(self, query: sa.Select[Any]) -> Span | None:
        with transaction(self._engine, reads=True) as connection:
            first, last = connection.execute(query).one()
        return None if first is None else Span(first, last)

    def evidence(self, tournament: int, span: Span) -> Evidence:
        """Return all that is known of the rounds of a span."""
        with transaction(self._engine, reads=True) as connection:
            models = _Models(connection, tournament, span)
            rows, played = models.rows(connection)
            return Evidence(
                tournament=tournament,
                rounds=_rounds(connection, tournament, span, played),
                models=models.wanted(),
                rows=rows,
                listed=models.listed,
                began_at=_began_at(connection, tournament),
            )

    def payout_weights(self, tournament: int, numbers: Sequence[int]) -> Weights:
        """Return the multipliers of the metrics that pay, by round and name."""
        table, metrics = results.payout_settings, results.metrics
        query = (
            sa.select(table.c.round_number, metrics.c.name, table.c.multiplier)
            .join(metrics, table.c.metric == metrics.c.id)
            .where(
                table.c.tournament == tournament,
                table.c.round_number.in_(list(numbers)),
                table.c.is_payout,
                table.c.multiplier.is_not(None),
            )
        )
        found: dict[int, dict[str, float]] = {}
        with transaction(self._engine, reads=True) as connection:
            for row in connection.execute(query):
                found.setdefault(row.round_number, {})[row.name] = row.multiplier
        return found

    def newest_scores(self, tournament: int, names: Sequence[str], span: Span) -> Scores:
        """Return the newest value of each of some metrics, for all models of the account in the rounds of a span."""
        scored, slots = results.scored_rounds, results.slots
        found: dict[tuple[int, str], dict[str, float]] = {}
        with transaction(self._engine, reads=True) as connection:
            metrics = _metrics(connection, tournament, names)
            ids = {row.id: row.model_id for row in connection.execute(_of(slots, tournament))}
            newest = [_newest_value(number).label(f"metric_{number}") for number in metrics]
            query = sa.select(scored.c.slot, scored.c.round_number, *newest).where(
                scored.c.slot.in_(list(ids)), scored.c.round_number.between(span.first, span.last)
            )
            for row in connection.execute(query) if metrics else ():
                slot, number, *values = row
                known = zip(metrics.values(), values, strict=True)
                found[number, ids[slot]] = {name: value for name, value in known if value is not None}
        return found


def _newest_value(metric: int) -> sa.ScalarSelect[Any]:
    """Return the value of the newest day that has one: a few steps from the end of the round's own stretch of rows."""
    scores, scored = results.scores, results.scored_rounds
    return (
        sa.select(scores.c.value)
        .where(
            scores.c.slot == scored.c.slot,
            scores.c.round_number == scored.c.round_number,
            scores.c.metric == metric,
            scores.c.value.is_not(None),
        )
        .order_by(scores.c.day.desc())
        .limit(1)
        .scalar_subquery()
    )


def _metrics(connection: Connection, tournament: int, names: Sequence[str]) -> dict[int, str]:
    query = _of(results.metrics, tournament).where(results.metrics.c.name.in_(list(names)))
    return {row.id: row.name for row in connection.execute(query.order_by(results.metrics.c.version))}


def _of(table: sa.Table, tournament: int) -> sa.Select[Any]:
    return sa.select(table).where(table.c.tournament == tournament)


def _began_at(connection: Connection, tournament: int) -> datetime | None:
    """Return the oldest trace of numebot: the first round that it heard of, or the first line of a step."""
    rounds, events = tables.rounds, tables.events
    heard = connection.scalar(sa.select(sa.func.min(rounds.c.first_seen_at)).where(rounds.c.tournament == tournament))
    # By the order of writing: what was imported may bear any time.
    first = sa.select(events.c.at).where(events.c.kind == "state").order_by(events.c.id).limit(1)
    return min((at for at in (heard, connection.scalar(first)) if at is not None), default=None)


class _Models:
    """The models of a tournament by id, and what is known under their names."""

    def __init__(self, connection: Connection, tournament: int, span: Span) -> None:
        self._span = span
        self._tournament = tournament
        self._slots = {row.model_id: row for row in connection.execute(_of(results.slots, tournament))}
        configured = list(connection.execute(_of(tables.models, tournament)))
        # A name that was given anew belongs to the slot that the account lists now.
        self._by_name = {row.name: row.model_id for row in configured if row.model_id}
        for row in sorted(self._slots.values(), key=lambda slot: slot.is_listed):
            self._by_name[row.name] = row.model_id
        self._configured = {row.model_id or self._by_name.get(row.name, row.name): row.name for row in configured}
        self.listed = self._listed(connection)
        self._met = {model for (_, model), one in self.listed.items() if one.status != "none"}

    def _listed(self, connection: Connection) -> dict[tuple[int, str], Listed]:
        table = results.listed_submissions
        ids = {row.id: model_id for model_id, row in self._slots.items()}
        query = sa.select(table.c.slot, table.c.round_number, table.c.status, table.c.filename).where(
            table.c.slot.in_(list(ids)), table.c.round_number.between(self._span.first, self._span.last)
        )
        return {
            (number, ids[slot]): Listed(status, filename)
            for slot, number, status, filename in connection.execute(query)
        }

    def rows(self, connection: Connection) -> tuple[dict[tuple[int, str], OwnRow], Mapping[int, frozenset[str]]]:
        """Return our rows by round and model id, and the names that have one, by round."""
        table = tables.submissions
        query = sa.select(
            table.c.round_number, table.c.model, table.c.model_id, table.c.state, table.c.error, table.c.filename
        ).where(
            table.c.tournament == self._tournament, table.c.round_number.between(self._span.first, self._span.last)
        )
        found: dict[tuple[int, str], OwnRow] = {}
        names: dict[int, set[str]] = {}
        for number, name, model_id, state, error, filename in connection.execute(query):
            key = model_id or self._by_name.get(name, name)
            found[number, key] = OwnRow(State(state), error, filename)
            names.setdefault(number, set()).add(name)
            self._configured.setdefault(key, name)
            self._met.add(key)
        return found, {number: frozenset(those) for number, those in names.items()}

    def wanted(self) -> tuple[OwnModel, ...]:
        """Return the models that belong into the ledger: those of the table, and those that submitted something."""
        wanted = self._met | {
            key for key in self._configured if key not in self._slots or self._slots[key].is_listed
        }
        return tuple(self._model(key) for key in sorted(wanted))

    def _model(self, key: str) -> OwnModel:
        slot: Row[Any] | None = self._slots.get(key)
        name = slot.name if slot is not None else self._configured.get(key, key)
        return OwnModel(
            key,
            name,
            first_seen_at=slot.first_seen_at if slot is not None else None,
            is_listed=slot is None or bool(slot.is_listed),
            is_configured=key in self._configured,
        )


def _rounds(
    connection: Connection, tournament: int, span: Span, played: Mapping[int, frozenset[str]]
) -> tuple[KnownRound, ...]:
    table = tables.rounds
    query = _of(table, tournament).where(table.c.number.between(span.first, span.last)).order_by(table.c.number)
    rows = list(connection.execute(query))
    rosters, left_out = _notes(connection, tournament, span)
    unseen = [row for row in rows if row.first_seen_at >= row.deadline]
    traces = {row.number: _traces(connection, row.opens_at, row.deadline) for row in unseen}
    known = []
    for row in rows:
        unasked, watched = traces.get(row.number, (False, False))
        those = rosters.get(row.number) or ([Roster(played[row.number])] if row.number in played else [])
        known.append(
            KnownRound(
                RoundFacts(
                    Round(tournament, row.number, row.opens_at, row.deadline, row.closes_at, row.data_datestamp),
                    row.scores_at,
                    row.resolves_at,
                    bool(row.is_resolved),
                    row.payout_factor,
                ),
                row.first_seen_at,
                tuple(those),
                left_out.get(row.number),
                unasked,
                watched,
            )
        )
    return tuple(known)


def _notes(connection: Connection, tournament: int, span: Span) -> tuple[dict[int, list[Roster]], dict[int, str]]:
    """Return who was asked to play, and what was left out, by round."""
    table = tables.events
    query = sa.select(table.c.kind, table.c.round_number, table.c.details).where(
        table.c.tournament == tournament,
        table.c.round_number.between(span.first, span.last),
        table.c.model.is_(None),
        table.c.kind.in_((PASS, LEFT_OUT)),
    )
    rosters: dict[int, list[Roster]] = {}
    left_out: dict[int, str] = {}
    for kind, number, details in connection.execute(query.order_by(table.c.id)):
        if kind == LEFT_OUT:
            left_out[number] = str(details.get("reason"))
        else:
            parts = (frozenset(details.get(name, ())) for name in ("models", "enabled", "disabled"))
            rosters.setdefault(number, []).append(Roster(*parts))
    return rosters, left_out


def _traces(connection: Connection, opens_at: datetime, deadline: datetime) -> tuple[bool, bool]:
    """Return whether Numerai could not be asked, and whether anything at all was written down, between two times."""
    table = tables.events
    query = (
        sa.select(table.c.kind, sa.func.min(table.c.message))
        .where(table.c.at >= opens_at.astimezone(UTC), table.c.at < deadline, table.c.kind.not_like("original-%"))
        .group_by(table.c.kind)
    )
    kinds = {row[0]: str(row[1]) for row in connection.execute(query)}
    unasked = UNASKED in kinds or kinds.get("alarm", "").startswith(CANNOT_ASK)
    return unasked, bool(kinds)
