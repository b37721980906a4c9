"""What models earned: Numerai's payouts, and the stakes, scores and settings from which they are reckoned anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

import numebot.adapters.store.result_tables as tables
from numebot.adapters.store.engine import transaction
from numebot.adapters.store.reading.models import known_models
from numebot.adapters.store.reading.newest import newest_values
from numebot.adapters.store.standing_tables import round_stakes
from numebot.adapters.store.tables import rounds as rounds_table
from numebot.core.earnings import RoundMoney, RoundTerms
from numebot.core.known_models import KnownModel
from numebot.core.payouts import MetricKey
from numebot.core.results import PayoutSetting

_SETTING_COLUMNS = tuple(
    field.name for field in fields(PayoutSetting) if field.name not in ("tournament", "metric", "version")
)

Place = tuple[int, int]
"""Slot and round number."""
Paid = tuple[Any, ...]
"""Amount, whether it is settled, value, currency, day."""
_UNPAID: Paid = (None, False, None, None, None)


@dataclass(frozen=True)
class MoneyPage:
    """The money of some models in some rounds, newest round first, and how these rounds pay."""

    rows: tuple[RoundMoney, ...]
    terms: Mapping[int, RoundTerms]


class MoneyReader:
    """Answers questions about payouts. Raises: LocalTrouble."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def models(self, tournament: int | None = None) -> Sequence[KnownModel]:
        """Return every model that was ever seen, by tournament and name; those that are gone come last."""
        with transaction(self._engine, reads=True) as connection:
            return list(known_models(connection, tournament).values())

    def page(self, tournament: int, *, model_ids: Collection[str] | None = None, last: int | None = None) -> MoneyPage:
        """Return the money of the newest `last` rounds (None: all) that have a payout or a stake; None: all models."""
        with transaction(self._engine, reads=True) as connection:
            models = known_models(connection, tournament, model_ids)
            since = _since(connection, models, last)
            terms = _terms(connection, tournament, since)
            stakes = _stakes(connection, models, since)
            payouts = _payouts(connection, models, since)
            scores = _scores(connection, tournament, {slot for slot, _ in stakes}, terms, since)
            days = _resolve_days(connection, tournament, since)
        places = payouts.keys() | {place for place, stake in stakes.items() if stake}
        order = {slot: position for position, slot in enumerate(models)}
        rows = []
        for slot, number in sorted(places, key=lambda place: (-place[1], order[place[0]])):
            place, model, day = (slot, number), models[slot], days.get(number)
            amount, is_settled, value, currency, resolves_on = payouts.get(place, _UNPAID)
            rows.append(
                RoundMoney(
                    tournament,
                    number,
                    model.id,
                    model.name,
                    amount,
                    bool(is_settled),
                    value,
                    currency,
                    resolves_on or day,
                    stakes.get(place),
                    scores.get(place, {}),
                )
            )
        return MoneyPage(tuple(rows), terms)


def _since(connection: Connection, slots: Collection[int], last: int | None) -> int:
    """Return the first of the `last` rounds, counted back from the newest one that has money."""
    if last is None:
        return 0
    # Rounds that nothing is at risk in are told as well; as text, zero may have any number of digits.
    has_money = {tables.payouts: sa.true(), round_stakes: sa.cast(round_stakes.c.at_risk, sa.Float) > 0}
    newest = [
        connection.scalar(sa.select(sa.func.max(table.c.round_number)).where(table.c.slot.in_(list(slots)), condition))
        for table, condition in has_money.items()
    ]
    return max((number for number in newest if number is not None), default=0) - last + 1


def _terms(connection: Connection, tournament: int, since: int) -> dict[int, RoundTerms]:
    table, metrics = tables.payout_settings, tables.metrics
    query = (
        sa.select(table, metrics.c.name, metrics.c.version)
        .join(metrics, table.c.metric == metrics.c.id)
        .where(table.c.tournament == tournament, table.c.round_number >= since)
        .order_by(table.c.round_number, metrics.c.name, metrics.c.version)
    )
    settings: defaultdict[int, list[PayoutSetting]] = defaultdict(list)
    for row in connection.execute(query):
        told = {name: getattr(row, name) for name in _SETTING_COLUMNS}
        settings[row.round_number].append(PayoutSetting(tournament, metric=row.name, version=row.version, **told))
    rounds = rounds_table
    of_rounds = sa.select(rounds.c.number, rounds.c.payout_factor).where(
        rounds.c.tournament == tournament, rounds.c.number >= since
    )
    factors = {row.number: row.payout_factor for row in connection.execute(of_rounds)}
    return {
        number: RoundTerms(tuple(settings.get(number, ())), factors.get(number))
        for number in settings.keys() | factors.keys()
    }


def _stakes(connection: Connection, slots: Collection[int], since: int) -> dict[Place, Decimal]:
    table = round_stakes
    query = sa.select(table.c.slot, table.c.round_number, table.c.at_risk).where(
        table.c.slot.in_(list(slots)), table.c.round_number >= since
    )
    return {(slot, number): at_risk for slot, number, at_risk in connection.execute(query)}


def _payouts(connection: Connection, slots: Collection[int], since: int) -> dict[Place, Paid]:
    table = tables.payouts
    query = sa.select(
        table.c.slot,
        table.c.round_number,
        table.c.amount,
        table.c.is_settled,
        table.c.value,
        table.c.currency,
        table.c.resolves_on,
    ).where(table.c.slot.in_(list(slots)), table.c.round_number >= since)
    return {(slot, number): (*paid,) for slot, number, *paid in connection.execute(query)}


def _scores(
    connection: Connection, tournament: int, slots: Collection[int], terms: Mapping[int, RoundTerms], since: int
) -> dict[Place, dict[MetricKey, float | None]]:
    """Return the newest scores of the metrics that pay in any of the rounds."""
    paying = {one.metric for round_ in terms.values() for one in round_.settings if one.is_payout}
    table = tables.metrics
    query = sa.select(table).where(table.c.tournament == tournament, table.c.name.in_(sorted(paying)))
    keys = {row.id: (row.name, row.version) for row in connection.execute(query)}
    found: defaultdict[Place, dict[MetricKey, float | None]] = defaultdict(dict)
    for row in connection.execute(newest_values(slots, keys, since_round=since)):
        found[row.slot, row.round_number][keys[row.metric]] = row.value
    return found


def _resolve_days(connection: Connection, tournament: int, since: int) -> dict[int, date]:
    table = rounds_table
    query = sa.select(table.c.number, table.c.resolves_at).where(
        table.c.tournament == tournament, table.c.number >= since, table.c.resolves_at.is_not(None)
    )
    return {row.number: row.resolves_at.date() for row in connection.execute(query)}
