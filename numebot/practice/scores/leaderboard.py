"""The ranking of a tournament: the account's models among the other players."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from numebot.practice.scores.payouts import payout_rule, payout_score


@dataclass(frozen=True)
class BoardLine:
    """One model on a leaderboard.

    `reputations` are mean scores by display name, empty before the first score. Returns are shares of the stake, None
    when they are not known.
    """

    id: str
    name: str
    account: str
    stake_nmr: Decimal
    reputations: Mapping[str, float]
    started_at: datetime
    return_1_day: float | None = None
    return_13_weeks: float | None = None
    return_52_weeks: float | None = None

    def strength(self, tournament: int, round_number: int) -> float | None:
        """Return the payout score by which the board is ordered; None without the paying reputations."""
        return payout_score(self.reputations, payout_rule(tournament, round_number))


def ranked(lines: Sequence[BoardLine], tournament: int, round_number: int) -> list[BoardLine]:
    """Return the lines best first; models without scores stand at the end, by stake and name."""

    def key(line: BoardLine) -> tuple[bool, float, Decimal, str]:
        strength = line.strength(tournament, round_number)
        return strength is None, -(strength or 0.0), -line.stake_nmr, line.name

    return sorted(lines, key=key)


def ranks_by(lines: Sequence[BoardLine], metric: str) -> dict[str, int]:
    """Return every model's rank (1 is best) in one metric, by model id; only for models that have it."""
    known = [line for line in lines if metric in line.reputations]
    known.sort(key=lambda line: -line.reputations[metric])
    return {line.id: place for place, line in enumerate(known, start=1)}
