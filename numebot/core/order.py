"""In which order the models of a round are played when not everything may fit before the deadline."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from numebot.core.ensembles import depths
from numebot.core.fallback import stand_ins
from numebot.core.types import ModelConfig

UNKNOWN_RUN = timedelta(minutes=2)
"""Taken for a model that has never run."""
UPLOAD_TAKES = timedelta(seconds=30)
"""Allowed for sending and asking, beside the run itself."""
LITTLE_STAKE = 1e-3
"""What a model without a stake weighs: it still gets its turn, after those with one."""


@dataclass(frozen=True)
class Weight:
    """What is known of a model before its turn: the stake in NMR, how long its runs took (p95), and how it did.

    `has_failed` is set for a model whose plugin failed or never came back in this round.
    """

    stake: float = 0.0
    run: timedelta = UNKNOWN_RUN
    has_failed: bool = False


def p95(durations_s: Iterable[float]) -> timedelta | None:
    """Return the duration that 95 % of the runs stayed within; None without any."""
    known = sorted(durations_s)
    if not known:
        return None
    return timedelta(seconds=known[math.ceil(0.95 * len(known)) - 1])


def latest_start(deadline: datetime, run: timedelta, *, margin: timedelta) -> datetime:
    """Return when a model must begin at the latest to be uploaded `margin` before the deadline."""
    return deadline - margin - UPLOAD_TAKES - run


def in_order(
    configs: Sequence[ModelConfig], weights: Mapping[str, Weight], *, now: datetime, last_start: datetime
) -> list[ModelConfig]:
    """Return the models in the order to play them.

    Models that can still be done by `last_start` come before those that cannot; among them the most stake per minute
    first, which confirms the most stake when time runs out. Models that failed go behind the others, which they may
    take along, and behind those whose predictions they may have to take over. Ensembles come last, each behind its
    members.
    """
    stages = depths(configs)

    def key(config: ModelConfig) -> tuple[int, bool, bool, float]:
        weight = weights.get(config.name, Weight())
        is_too_long = now + weight.run > last_start
        per_second = max(weight.stake, LITTLE_STAKE) / max(weight.run.total_seconds(), 0.1)
        return stages[config.name], weight.has_failed, is_too_long, -per_second

    failed = {name for name, weight in weights.items() if weight.has_failed}
    return _after_stand_ins(sorted(configs, key=key), failed)


def _after_stand_ins(configs: list[ModelConfig], failed: Collection[str]) -> list[ModelConfig]:
    """Put failed models behind those that may stand in for them; a circle is cut where it is met."""
    placed: list[ModelConfig] = []
    waiting = list(configs)
    while waiting:
        names = {config.name for config in waiting}
        free = (one for one in waiting if one.name not in failed or not names & set(stand_ins(one.name, one.fallback)))
        chosen = next(free, waiting[0])
        waiting.remove(chosen)
        placed.append(chosen)
    return placed
