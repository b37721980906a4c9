"""The values of how we stand: what is at risk, the account's own figures, ranks day by day, the price of NMR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from numebot.core.results import Part, Score


@dataclass(frozen=True)
class ModelRound:
    """What Numerai says of one model in one round. `at_risk` is NMR; None while the server does not say."""

    tournament: int
    round_number: int
    model_id: str
    at_risk: Decimal | None = None
    scores: tuple[Score, ...] = ()


@dataclass(frozen=True)
class AccountFigures:
    """The account's own figures at a moment: `amounts` in NMR by the API's names, `stakes` by model id."""

    username: str
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    stakes: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelDay:
    """How one model stood on a UTC day: its stake in NMR, its reputations and ranks by the API's names."""

    tournament: int
    model_id: str
    day: date
    staked: Decimal | None = None
    figures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class NmrPrice:
    """What an NMR was worth in US dollars, and since when the server said so."""

    usd: Decimal
    updated_at: datetime | None = None


@dataclass(frozen=True)
class PartMark:
    """When a part of the sync landed last by the server's clock, and what went wrong with it since (None: nothing)."""

    part: Part
    landed_at: datetime | None
    error: str | None = None
