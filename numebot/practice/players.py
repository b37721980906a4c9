"""The other players: a few hundred names with stakes, reputations, ranks and returns, as leaderboards show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
import numpy.typing as npt

from numebot.core.types import Tournament
from numebot.practice.crowd import Crowd, crowd
from numebot.practice.market import PLAYERS
from numebot.practice.names import player_names
from numebot.practice.payouts import payout_rule
from numebot.practice.streams import stream

_FloatArray = npt.NDArray[np.float64]

_INDEPENDENT_SCORES = 8
"""A reputation is a mean of about 64 rounds, which overlap: their luck is that of a few independent ones."""
_ROUNDS_PER_YEAR = 260


@dataclass(frozen=True)
class Player:
    """One row of a leaderboard. `reputations` and `ranks` are by display name; returns are shares of the stake."""

    name: str
    account: str
    rank: int
    stake_nmr: Decimal
    stake_rank: int
    reputations: Mapping[str, float]
    ranks: Mapping[str, int]
    return_1_day: float
    return_13_weeks: float
    return_52_weeks: float


@dataclass(frozen=True)
class _Metric:
    """How a reputation follows from a player's habits: gain · skill + lean · herding, give or take luck."""

    name: str
    gain: float
    lean: float
    offset: float
    luck: float


_METRICS: dict[int, tuple[_Metric, ...]] = {
    Tournament.CLASSIC: (
        _Metric("corr60", 0.034, 0.0, 0.0, 0.02),
        _Metric("mmc60", 0.016, -0.004, -0.006, 0.008),
        _Metric("v2_corr20", 0.028, 0.0, 0.0, 0.02),
        _Metric("mmc", 0.013, -0.003, -0.005, 0.008),
        _Metric("bmc", 0.011, -0.003, -0.004, 0.008),
        _Metric("fnc_v3", 0.022, 0.0, 0.0, 0.015),
        _Metric("corr_w_meta_model", 0.75, 0.45, 0.0, 0.03),
        _Metric("apcwnm", 0.4, 0.2, 0.0, 0.02),
        _Metric("mcwnm", 0.4, 0.2, 0.25, 0.02),
    ),
    Tournament.SIGNALS: (
        _Metric("alpha", 0.008, 0.0, 0.0, 0.006),
        _Metric("mpc", 0.008, 0.0, -0.002, 0.006),
        _Metric("corr_v4", 0.025, 0.0, 0.0, 0.02),
        _Metric("fnc_v4", 0.02, 0.0, 0.0, 0.015),
    ),
    Tournament.CRYPTO: (
        _Metric("corr", 0.025, 0.0, 0.0, 0.04),
        _Metric("mmc", 0.012, 0.0, -0.004, 0.015),
    ),
}
_NEWEST_ROUND = 10**9
"""Later than any rule's first round: asks for the rule of today."""


class Players:
    """The players of a seed. Their predictions come from `crowd`; what the boards say of them follows their habits."""

    def __init__(self, seed: int = 1, *, count: int = PLAYERS) -> None:
        self._seed = seed
        self._count = count

    @cached_property
    def crowd(self) -> Crowd:
        """Return their habits, in no order of rank."""
        return crowd(self._seed, self._count)

    def leaderboard(self, tournament: int) -> tuple[Player, ...]:
        """Return the players of a tournament, best first: by what their reputations would pay. The same every round."""
        metrics = _METRICS[Tournament(tournament)]
        random = stream(self._seed, "leaderboard", int(tournament))
        names = player_names(self._seed + int(tournament), self._count)
        accounts = player_names(self._seed, max(1, self._count // 3))
        owner = random.integers(0, len(accounts), size=self._count)
        luck = random.normal(size=self._count)
        values = {metric.name: self._reputation(metric, luck, random) for metric in metrics}
        ranks = {name: _ranks(reputations) for name, reputations in values.items()}
        stakes = self.crowd.stake_share.astype(np.float64) * self._count * 900
        stakes[random.random(self._count) < 0.1] = 0
        stake_ranks = _ranks(stakes)
        yearly = self._yearly_return(tournament, values)
        noise = random.normal(size=(2, self._count))
        places = _ranks(yearly)
        return tuple(
            Player(
                name=names[index],
                account=accounts[owner[index]],
                rank=int(places[index]),
                stake_nmr=Decimal(f"{stakes[index]:.6f}"),
                stake_rank=int(stake_ranks[index]),
                reputations={name: float(reputations[index]) for name, reputations in values.items()},
                ranks={name: int(own[index]) for name, own in ranks.items()},
                return_1_day=float(yearly[index] / _ROUNDS_PER_YEAR + 0.004 * noise[0][index]),
                return_13_weeks=float(yearly[index] / 4 + 0.05 * noise[1][index]),
                return_52_weeks=float(yearly[index]),
            )
            for index in np.argsort(places)
        )

    def _reputation(self, metric: _Metric, luck: _FloatArray, random: np.random.Generator) -> _FloatArray:
        expected = metric.gain * self.crowd.skill + metric.lean * self.crowd.herding + metric.offset
        # Who is lucky in one metric mostly is in the others: they see the same returns.
        mixed = 0.9 * luck + 0.4 * random.normal(size=self._count)
        return np.asarray(expected + metric.luck / _INDEPENDENT_SCORES**0.5 * mixed, dtype=np.float64)

    def _yearly_return(self, tournament: int, reputations: Mapping[str, _FloatArray]) -> _FloatArray:
        """Return what a year of such scores pays per NMR staked: one sixty-fourth of the stake a round."""
        multipliers = payout_rule(tournament, _NEWEST_ROUND).multipliers
        paid = np.sum([float(factor) * reputations[name] for name, factor in multipliers.items()], axis=0)
        return np.asarray(paid * _ROUNDS_PER_YEAR / 64, dtype=np.float64)


def _ranks(values: _FloatArray) -> npt.NDArray[np.int64]:
    """Return places from 1, the largest value first; ties by position."""
    places = np.empty(len(values), dtype=np.int64)
    places[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return places
