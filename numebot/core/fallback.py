"""The fallback ladder of a model: what is sent when its own newest version fails. Off unless its row asks for it.

A row's `fallback` names rungs in order, e.g. "previous > other_model > example":

* `previous` is the trained version before the current one,
* a model's name takes over that model's predictions of the same round,
* `example` sends Numerai's example predictions of the round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

PREVIOUS = "previous"
EXAMPLE = "example"
TRIES_PER_RUNG = 2
"""How often each rung may fail before the next one is taken."""
SHORT_OF_TIME = timedelta(minutes=12)
"""From here on each rung gets one try: the deadline comes first."""

_SEPARATORS = re.compile(r"[>;,|\s]+")


def parse_ladder(text: str) -> tuple[str, ...]:
    """Return the rungs that a row asks for, in order; () for an empty text and for "none"."""
    words = [word for word in _SEPARATORS.split(text.strip()) if word]
    return () if [word.lower() for word in words] in ([], ["none"], ["off"]) else tuple(dict.fromkeys(words))


def ladder_problem(model: str, text: str, models: Sequence[str]) -> str | None:
    """Return what is wrong with the `fallback` of `model`'s row; None when it is usable."""
    unknown = [rung for rung in parse_ladder(text) if rung not in (PREVIOUS, EXAMPLE) and rung not in models]
    if unknown:
        return (
            f'fallback: "{unknown[0]}" is none of {PREVIOUS}, {EXAMPLE} and the models of this table. '
            "The ladder goes on without it."
        )
    if model in parse_ladder(text):
        return "fallback: a model cannot stand in for itself. The ladder goes on without it."
    return None


def rung_for(model: str, fallback: str, failures: int, left: timedelta) -> str | None:
    """Return the rung to try after `failures` of the model in this round; None is the model itself.

    `left` is the time until the last moment at which an upload may begin. The last rung is tried as long as there is
    time.
    """
    ladder = (None, *(rung for rung in parse_ladder(fallback) if rung != model))
    step = failures if left <= SHORT_OF_TIME else failures // TRIES_PER_RUNG
    return ladder[min(step, len(ladder) - 1)]
