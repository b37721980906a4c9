"""What a round cost that was not on-time: an estimate of the score that would have counted, with its source.

The score is that of the round's own payout metrics, each times its default multiplier: a share of the stake, before
payout factor and clip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from numebot.core.ledger import Entry, Ledger, Standing

AROUND = 10
"""How many rounds before and after are "around"."""

ScoreKey = tuple[int, str]
"""Round number and model id."""
Scores = Mapping[ScoreKey, Mapping[str, float]]
"""The newest value of each payout metric."""
Weights = Mapping[int, Mapping[str, float]]
"""The multipliers of the payout metrics, by round."""


@dataclass(frozen=True)
class Estimate:
    """What would have counted. `metrics` are the values that it is made of, `source` says whose they are."""

    score: float
    metrics: Mapping[str, float]
    source: str


def rounds_around(numbers: Sequence[int]) -> tuple[int, int] | None:
    """Return the first and the last round whose scores the estimates of `numbers` may need; None for none."""
    return (min(numbers) - AROUND, max(numbers) + AROUND) if numbers else None


def estimate(entry: Entry, ledger: Ledger, scores: Scores, weights: Weights) -> Estimate | None:
    """Return what a lost round would have been worth; None where nothing comparable was scored (yet).

    Its own score comes first: what is late is scored all the same. Then that of the own other models in that round,
    then what is usual for it.
    """
    wanted = weights.get(entry.round_number)
    if not wanted:
        return None
    own = scores.get((entry.round_number, entry.model.id), {})
    if _is_whole(own, wanted):
        return _estimate([own], wanted, "its own score, which is not paid")
    others = [
        scores.get((entry.round_number, one.model.id), {})
        for one in ledger.of_round(entry.round_number)
        if one.model.id != entry.model.id and one.standing is Standing.ON_TIME
    ]
    others = [one for one in others if _is_whole(one, wanted)]
    if others:
        return _estimate(others, wanted, f"median of {_counted(len(others), 'own other model')} in this round")
    around = range(entry.round_number - AROUND, entry.round_number + AROUND + 1)
    usual = [one for number in around if _is_whole(one := scores.get((number, entry.model.id), {}), wanted)]
    if usual:
        return _estimate(usual, wanted, f"median of its {_counted(len(usual), 'round')} around this one")
    return None


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _is_whole(values: Mapping[str, float], wanted: Mapping[str, float]) -> bool:
    return all(name in values for name in wanted)


def _estimate(rows: Sequence[Mapping[str, float]], wanted: Mapping[str, float], source: str) -> Estimate:
    metrics = {name: median(row[name] for row in rows) for name in wanted}
    return Estimate(sum(wanted[name] * value for name, value in metrics.items()), metrics, source)
