"""The ranking of a tournament: the account's models among the other players."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from numebot.practice.payouts import payout_rule, payout_score
from numebot.practice.players import Player

PLAYERS_SINCE = datetime(2024, 1, 2, tzinfo=UTC)
"""When the other players are said to have begun."""


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


class Players(Protocol):
    """The other players."""

    def leaderboard(self, tournament: int) -> Sequence[Player]:
        """Return their models by rank."""


class NoPlayers:
    """A tournament that the account plays alone."""

    def leaderboard(self, tournament: int) -> Sequence[Player]:
        """Return nobody."""
        return ()


def line_of(player: Player, player_id: str) -> BoardLine:
    """Return another player's line."""
    return BoardLine(
        id=player_id,
        name=player.name,
        account=player.account,
        stake_nmr=player.stake_nmr,
        reputations=player.reputations,
        started_at=PLAYERS_SINCE,
        return_1_day=player.return_1_day,
        return_13_weeks=player.return_13_weeks,
        return_52_weeks=player.return_52_weeks,
    )


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
