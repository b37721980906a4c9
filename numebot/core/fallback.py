"""The fallback ladder of a model: what is sent when its own newest version fails. Off unless its row asks for it.

A row's `fallback` names rungs in order, e.g. "previous > other_model > example":

* `previous` is the trained version before the current one,
* a model's name takes over that model's predictions of the same round,
* `example` sends Numerai's example predictions of the round.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta

PREVIOUS = "previous"
EXAMPLE = "example"
TRIES_PER_RUNG = 2
"""How often each rung may fail before the next one is taken."""
SHORT_OF_TIME = timedelta(minutes=12)
"""From here on each rung gets one try: the deadline comes first."""

_SEPARATORS = re.compile(r"(?:->|→|[>;,|\s])+")
_KEYWORDS = frozenset({PREVIOUS, EXAMPLE, "none", "off"})


def parse_ladder(text: str) -> tuple[str, ...]:
    """Return the rungs that a row asks for, in order; () for an empty text, for "none" and for "off"."""
    words = [word.lower() if word.lower() in _KEYWORDS else word for word in _SEPARATORS.split(text) if word]
    return () if words in (["none"], ["off"]) else tuple(dict.fromkeys(words))


def stand_ins(model: str, text: str) -> tuple[str, ...]:
    """Return the other models that a ladder names."""
    return tuple(rung for rung in parse_ladder(text) if rung not in (PREVIOUS, EXAMPLE, model))


def ladder_problem(model: str, text: str, models: Collection[str]) -> str | None:
    """Return what is wrong with the `fallback` of `model`'s row; None when it is usable.

    `models` are those that are played beside it: no other has predictions to take over.
    """
    wrong = [f'"{rung}"' for rung in stand_ins(model, text) if rung not in models]
    problems = []
    if wrong:
        words = "is none" if len(wrong) == 1 else "are none"
        problems.append(f"{', '.join(wrong)} {words} of {PREVIOUS}, {EXAMPLE} and the enabled models of this table.")
    if model in parse_ladder(text):
        problems.append("a model cannot stand in for itself.")
    return f"fallback: {' '.join(problems)} The ladder goes on without it." if problems else None


def usable_ladder(model: str, text: str, models: Collection[str]) -> str:
    """Return the text of a ladder without the rungs that `ladder_problem` complains about."""
    wrong = {model, *(rung for rung in stand_ins(model, text) if rung not in models)}
    return " > ".join(rung for rung in parse_ladder(text) if rung not in wrong)


def rung_for(fallback: str, failures: int, left: timedelta) -> str | None:
    """Return the rung to try after `failures` of the model in this round; None is the model itself.

    `left` is the time until the last moment at which an upload may begin. The last rung is tried as long as there is
    time.
    """
    ladder = (None, *parse_ladder(fallback))
    step = failures if left <= SHORT_OF_TIME else failures // TRIES_PER_RUNG
    return ladder[min(step, len(ladder) - 1)]
