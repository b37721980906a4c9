"""Says once that a trained version will break with a data version that is on offer, long before it does."""

from __future__ import annotations

import logging

from numebot.adapters.datasets import Datasets
from numebot.adapters.store import Store
from numebot.core.contract import KIND, breach_of
from numebot.core.ports import Clock
from numebot.core.types import Event, TrainedVersion

logger = logging.getLogger(__name__)


def tell_breach(
    datasets: Datasets, store: Store, clock: Clock, trained: TrainedVersion | None, tournament: int
) -> None:
    """Record that a newer data version lacks features of `trained`, if it does. Raises: LocalTrouble."""
    newer = datasets.newer_features(trained.data_version, tournament) if trained is not None else None
    breach = breach_of(trained, newer) if trained is not None and newer is not None else None
    if breach is None:
        return
    details = {
        "data_version": breach.data_version,
        "trained_version": breach.trained_version,
        "absent": list(breach.absent),
        "needed": breach.needed,
    }
    if store.record_once(Event(clock.now(), KIND, str(breach), tournament, None, breach.model, details)):
        logger.warning("%s", breach)
