"""The other players: a few hundred names with stakes, reputations and returns, as leaderboards show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property

import numpy as np
import numpy.typing as npt

from numebot.core.types import Tournament
from numebot.practice.market.crowd import PLAYERS, Crowd, crowd
from numebot.practice.market.ids import stable_id
from numebot.practice.market.names import player_names
from numebot.practice.market.streams import stream
from numebot.practice.recent import Recent
from numebot.practice.scores.leaderboard import BoardLine
from numebot.practice.scores.payouts import newest_rule

_FloatArray = npt.NDArray[np.float64]

_INDEPENDENT_SCORES = 8
"""A reputation is a mean of about 64 rounds, which overlap: their luck is that of a few independent ones."""
_ROUNDS_PER_YEAR = 260

SINCE = datetime(2024, 1, 2, tzinfo=UTC)
"""When they are said to have begun."""


@dataclass(frozen=True)
class _Expected:
    """How a reputation follows from a player's habits: gain · skill + lean · herding, give or take luck."""

    gain: float
    lean: float
    offset: float
    luck: float


_REPUTATIONS: dict[int, dict[str, _Expected]] = {
    Tournament.CLASSIC: {
        "corr60": _Expected(0.034, 0.0, 0.0, 0.02),
        "mmc60": _Expected(0.016, -0.004, -0.006, 0.008),
        "v2_corr20": _Expected(0.028, 0.0, 0.0, 0.02),
        "mmc": _Expected(0.013, -0.003, -0.005, 0.008),
        "bmc": _Expected(0.011, -0.003, -0.004, 0.008),
        "fnc_v3": _Expected(0.022, 0.0, 0.0, 0.015),
        "corr_w_meta_model": _Expected(0.75, 0.45, 0.0, 0.03),
        "apcwnm": _Expected(0.4, 0.2, 0.0, 0.02),
        "mcwnm": _Expected(0.4, 0.2, 0.25, 0.02),
    },
    Tournament.SIGNALS: {
        "alpha": _Expected(0.008, 0.0, 0.0, 0.006),
        "mpc": _Expected(0.008, 0.0, -0.002, 0.006),
        "corr_v4": _Expected(0.025, 0.0, 0.0, 0.02),
        "fnc_v4": _Expected(0.02, 0.0, 0.0, 0.015),
    },
    Tournament.CRYPTO: {
        "corr": _Expected(0.025, 0.0, 0.0, 0.04),
        "mmc": _Expected(0.012, 0.0, -0.004, 0.015),
    },
}
"""What the boards say of players, by display name."""


class Players:
    """The players of a seed. Their predictions come from `crowd`; what the boards say of them follows their habits."""

    def __init__(self, seed: int = 1, *, count: int = PLAYERS) -> None:
        """`count` 0 leaves the account alone."""
        self._seed = seed
        self._count = count
        self._boards: Recent[int, tuple[BoardLine, ...]] = Recent(len(Tournament))

    @cached_property
    def crowd(self) -> Crowd:
        """Return their habits, in no order of rank."""
        return crowd(self._seed, self._count)

    def leaderboard(self, tournament: int) -> tuple[BoardLine, ...]:
        """Return the players of a tournament, in no order of rank; the same in every round."""
        return self._boards.get(tournament, lambda: self._lines(Tournament(tournament)))

    def _lines(self, tournament: Tournament) -> tuple[BoardLine, ...]:
        random = stream(self._seed, "leaderboard", int(tournament))
        names = player_names(self._seed + int(tournament), self._count)
        accounts = player_names(self._seed, max(1, self._count // 3))
        owner = random.integers(0, len(accounts), size=self._count)
        luck = random.normal(size=self._count)
        values = {
            name: self._reputation(expected, luck, random) for name, expected in _REPUTATIONS[tournament].items()
        }
        stakes = self.crowd.stake_share.astype(np.float64) * self._count * 900
        stakes[random.random(self._count) < 0.1] = 0
        yearly = _yearly_return(tournament, values)
        noise = random.normal(size=(2, self._count))
        return tuple(
            BoardLine(
                id=stable_id(self._seed, "player", int(tournament), names[index]),
                name=names[index],
                account=accounts[owner[index]],
                stake_nmr=Decimal(f"{stakes[index]:.6f}"),
                reputations={name: float(reputations[index]) for name, reputations in values.items()},
                started_at=SINCE,
                return_1_day=float(yearly[index] / _ROUNDS_PER_YEAR + 0.004 * noise[0][index]),
                return_13_weeks=float(yearly[index] / 4 + 0.05 * noise[1][index]),
                return_52_weeks=float(yearly[index]),
            )
            for index in range(self._count)
        )

    def _reputation(self, expected: _Expected, luck: _FloatArray, random: np.random.Generator) -> _FloatArray:
        mean = expected.gain * self.crowd.skill + expected.lean * self.crowd.herding + expected.offset
        # Who is lucky in one metric mostly is in the others: they see the same returns.
        mixed = 0.9 * luck + 0.4 * random.normal(size=self._count)
        return np.asarray(mean + expected.luck / _INDEPENDENT_SCORES**0.5 * mixed, dtype=np.float64)


def _yearly_return(tournament: int, reputations: Mapping[str, _FloatArray]) -> _FloatArray:
    """Return what a year of such scores pays per NMR staked, by the rule of today."""
    rule = newest_rule(tournament)
    share = float(rule.factor) / rule.rounds_per_stake
    paid = np.sum([float(each) * reputations[name] for name, each in rule.multipliers.items()], axis=0)
    return np.asarray(paid * share * _ROUNDS_PER_YEAR, dtype=np.float64)
