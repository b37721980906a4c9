"""Which metrics the practice tournament scores, and which of them pay in a round: the API's roundScoreConfigs."""

from __future__ import annotations

from dataclasses import dataclass

from numebot.core.types import Tournament
from numebot.practice.payouts import payout_rule

STAKE_THRESHOLD_NMR = {Tournament.CLASSIC: 72_000.0, Tournament.SIGNALS: 36_000.0, Tournament.CRYPTO: 10_000.0}


@dataclass(frozen=True)
class Metric:
    """A scored metric: the API's two names, its version, and over how many days of returns it runs."""

    name: str
    display_name: str
    version: str
    total_days: int


@dataclass(frozen=True)
class ScoreConfig:
    """A metric in one round. `multiplier` is 0 unless it pays; the clip is on the sum of all that pay."""

    metric: Metric
    multiplier: float
    is_payout: bool
    clip: float
    factor: float


_METRICS: dict[int, tuple[Metric, ...]] = {
    Tournament.CLASSIC: (
        Metric("correlation", "corr60", "v1", 60),
        Metric("meta_model_contribution", "mmc60", "v1", 60),
        Metric("correlation", "v2_corr20", "v2", 20),
        Metric("meta_model_contribution", "mmc", "v1", 20),
        Metric("benchmark_model_contribution", "bmc", "v1", 20),
        Metric("feature_neutral_correlation", "fnc_v3", "v3", 20),
    ),
    Tournament.SIGNALS: (
        Metric("alpha", "alpha", "v1", 60),
        Metric("meta_portfolio_contribution", "mpc", "v1", 60),
        Metric("v4_feature_neutral_correlation", "fnc_v4", "v4", 20),
    ),
    Tournament.CRYPTO: (
        Metric("correlation", "corr", "v1", 20),
        Metric("meta_model_contribution", "mmc", "v1", 20),
    ),
}


def score_configs(tournament: int, round_number: int) -> list[ScoreConfig]:
    """Return the metrics of a round."""
    rule = payout_rule(tournament, round_number)
    return [
        ScoreConfig(
            metric=metric,
            multiplier=float(rule.multipliers.get(metric.display_name, 0)),
            is_payout=metric.display_name in rule.multipliers,
            clip=float(rule.clip),
            factor=float(rule.factor),
        )
        for metric in _METRICS[Tournament(tournament)]
    ]


def paying(tournament: int, round_number: int) -> list[ScoreConfig]:
    """Return the metrics that pay in a round."""
    return [config for config in score_configs(tournament, round_number) if config.is_payout]
