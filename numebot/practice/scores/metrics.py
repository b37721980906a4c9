"""What the practice tournament measures of predictions, and under which names the API shows it."""

from __future__ import annotations

from dataclasses import dataclass

from numebot.core.types import Tournament


@dataclass(frozen=True)
class Metric:
    """A scored metric. `measure` is what a round board calls it; `days` are the days of returns it runs over.

    `name` and `version` are the long name and version that the API gives next to `display_name`.
    """

    display_name: str
    name: str
    version: str
    measure: str
    days: int

    @property
    def needs_returns(self) -> bool:
        """Whether it has to wait for returns; the others have one value from the first day on."""
        return self.measure not in SINGLE_VALUED


@dataclass(frozen=True)
class Score:
    """One metric on one scoring day.

    `value` is None while no returns exist; `percentile` is the share of the other players below, 0 to 1.
    """

    display_name: str
    version: str
    day: int
    value: float | None
    percentile: float | None


SINGLE_VALUED = ("corr_w_meta_model", "average_with_players", "most_with_players")
"""Measures that need no returns: one value for all days."""

LAG_DAYS = 3
"""Scoring days before the first returns are in: the first score of a return comes on the fourth."""

SEASON_SCORE = "season_score"
"""The displayed sum of what the paying metrics are worth, before payout factor and clip."""

METRICS: dict[int, tuple[Metric, ...]] = {
    Tournament.CLASSIC: (
        Metric("v2_corr20", "correlation", "v2", "corr", 20),
        Metric("corr60", "correlation", "v1", "corr", 60),
        Metric("mmc", "meta_model_contribution", "v1", "mmc", 20),
        Metric("mmc60", "meta_model_contribution", "v1", "mmc", 60),
        Metric("bmc", "benchmark_model_contribution", "v1", "bmc", 20),
        Metric("fnc_v3", "feature_neutral_correlation", "v3", "fnc", 20),
        Metric("corr_w_meta_model", "correlation_with_meta_model", "v1", "corr_w_meta_model", 60),
        Metric("apcwnm", "average_correlation_with_models", "v1", "average_with_players", 60),
        Metric("mcwnm", "maximum_correlation_with_models", "v1", "most_with_players", 60),
    ),
    Tournament.SIGNALS: (
        Metric("alpha", "alpha", "v1", "alpha", 60),
        Metric("mpc", "meta_portfolio_contribution", "v1", "mpc", 60),
        Metric("corr_v4", "v4_correlation", "v4", "corr", 20),
        Metric("fnc_v4", "v4_feature_neutral_correlation", "v4", "fnc", 20),
        Metric("corr_w_meta_model", "correlation_with_meta_model", "v1", "corr_w_meta_model", 60),
    ),
    Tournament.CRYPTO: (
        Metric("corr", "correlation", "v1", "corr", 20),
        Metric("mmc", "meta_model_contribution", "v1", "mmc", 20),
        Metric("corr_w_meta_model", "correlation_with_meta_model", "v1", "corr_w_meta_model", 20),
        Metric("apcwcm", "average_correlation_with_models", "v1", "average_with_players", 20),
        Metric("mcwcm", "maximum_correlation_with_models", "v1", "most_with_players", 20),
    ),
}
"""By tournament, in the order of the day's scores."""

LONGEST_DAYS = max(metric.days for listed in METRICS.values() for metric in listed)
"""Days of returns of the longest metrics."""


def metrics(tournament: int) -> tuple[Metric, ...]:
    """Return the metrics of a tournament."""
    return METRICS[Tournament(tournament)]


def with_returns(tournament: int) -> list[Metric]:
    """Return the metrics that measure returns: the ones a round is configured with, paying or not."""
    return [metric for metric in metrics(tournament) if metric.needs_returns]
