"""The values of the results: scores, payouts, leaderboards, and what Numerai says of past rounds.

Metrics are an open set: a name that nobody has heard of is kept like any other. Money is NMR as Decimal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from numebot.core.types import Round


@dataclass(frozen=True)
class RoundFacts:
    """A round with what becomes known of it after its deadline.

    `scores_at` is the first official scoring, `resolves_at` when the result becomes final. `payout_factor` is the
    API's text, None while it is unknown.
    """

    round: Round
    scores_at: datetime | None = None
    resolves_at: datetime | None = None
    is_resolved: bool = False
    payout_factor: str | None = None


@dataclass(frozen=True)
class Score:
    """One metric of one model in one round, on one scoring day.

    `day` counts scoring days from 1; 0 stands for "the server did not say". `value` is None while no returns exist.
    `percentile` is the share of other players below, 0 to 1. `is_resolved` says that the whole round is final.
    """

    tournament: int
    round_number: int
    model_id: str
    metric: str
    day: int
    value: float | None
    percentile: float | None = None
    version: str = ""
    scored_at: datetime | None = None
    is_resolved: bool = False
    submission_id: str | None = None
    resolves_at: datetime | None = None


@dataclass(frozen=True)
class PayoutSetting:
    """How a round counts one metric (the API's roundScoreConfig).

    `multiplier` is the default one. `clip` is the largest payout as a share of the stake, `stake_threshold` in NMR.
    `score_days` is how many daily values the metric gets.
    """

    tournament: int
    round_number: int
    metric: str
    version: str = ""
    is_payout: bool | None = None
    multiplier: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    clip: float | None = None
    stake_threshold: float | None = None
    payout_factor: float | None = None
    score_days: int | None = None
    scoring_begins_at: datetime | None = None
    scoring_ends_at: datetime | None = None


@dataclass(frozen=True)
class Payout:
    """What a model earned (or lost, when negative) in a round; pending until `is_settled`.

    `amount` is NMR; `value` is worth it had in `currency` when Numerai was asked.
    """

    tournament: int
    round_number: int
    model_id: str
    model: str
    amount: Decimal
    is_settled: bool
    value: Decimal | None = None
    currency: str | None = None
    resolves_on: date | None = None


@dataclass(frozen=True)
class LeaderboardRow:
    """One model's line on a leaderboard.

    `figures` are the board's numbers by the API's names (reputations, returns); None where it shows nothing.
    """

    rank: int
    model: str
    model_id: str | None = None
    staked: Decimal | None = None
    is_own: bool = False
    figures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Leaderboard:
    """A leaderboard snapshot: the kept lines in the order of rank. `size` is how many the whole board had."""

    tournament: int
    taken_at: datetime
    size: int
    rows: tuple[LeaderboardRow, ...]

    @property
    def day(self) -> date:
        """The UTC day that this snapshot stands for; a later one of the same day takes its place."""
        return self.taken_at.date()


@dataclass(frozen=True)
class ScoreMark:
    """How far the scores of a model were read.

    `complete_at` is when all days were read last, `open_from` the oldest round that could still change then.
    """

    synced_at: datetime
    complete_at: datetime
    open_from: int | None


class Part(StrEnum):
    """The parts of a sync, in their order."""

    ROUNDS = "rounds"
    """The rounds with their deadlines, and which are final."""
    SETTINGS = "payout settings"
    """How each round counts its metrics."""
    SUBMISSIONS = "submissions"
    """What Numerai lists for our models, round by round."""
    SCORES = "scores"
    """The daily scores of our models."""
    PAYOUTS = "payouts"
    """What our models earned, settled and pending."""
    ACCOUNT = "account"
    """The account's own figures, and what is staked on each model."""
    LEADERBOARD = "leaderboard"
    """The snapshot of the day of the models' leaderboard."""
    ACCOUNTS = "account leaderboard"
    """The snapshot of the day of the accounts' leaderboard."""
    HISTORY = "history"
    """Reputations and ranks of the days on which no snapshot was taken."""
    PRICE = "NMR price"
    """What an NMR is worth."""


@dataclass(frozen=True)
class PartReport:
    """What became of a part: `read` rows came, `changed` of them were news. `error` is None when all of it landed."""

    part: Part
    read: int = 0
    changed: int = 0
    error: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether everything of this part landed."""
        return self.error is None


@dataclass(frozen=True)
class SyncReport:
    """What a sync of one tournament did, part by part."""

    tournament: int
    parts: tuple[PartReport, ...]

    @property
    def is_done(self) -> bool:
        """Whether all parts landed."""
        return all(part.is_done for part in self.parts)
