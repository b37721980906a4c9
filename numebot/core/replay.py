"""Are predictions of an earlier round the same when they are made again? What changed since, if not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from numebot.core.metrics import pearson, ranked

LEAST_CORRELATION = 0.9999
"""Threads add up in any order, which swaps neighbours among thousands of rows; a real change moves more than that."""
LARGEST_DIFFERENCE = 0.01
"""How far a single submitted value may move, of the range 0 to 1."""


class Verdict(StrEnum):
    """What became of a replayed round."""

    SAME = "same"
    """The predictions are those that were submitted."""
    DIFFERENT = "different"
    """They are not, or the model no longer predicts at all."""
    SKIPPED = "skipped"
    """There is nothing to compare any more, or it was not the model that predicted."""


@dataclass(frozen=True)
class Replayed:
    """One round of one model, predicted again.

    `correlation` is of the ranks, -1 to 1; `difference` is the largest of a single id, 0 to 1.
    """

    model: str
    round_number: int
    verdict: Verdict
    trained_version: str | None = None
    correlation: float | None = None
    difference: float | None = None
    reason: str = ""


def compared(then: pd.Series, now: pd.Series) -> tuple[Verdict, float, float]:
    """Compare two submissions of the same ids: the verdict, the rank correlation, the largest difference."""
    now = now.reindex(then.index)
    correlation = pearson(*(np.asarray(ranked(one), dtype=np.float64) for one in (then, now)))
    difference = float((then - now).abs().max())
    is_same = correlation >= LEAST_CORRELATION and difference <= LARGEST_DIFFERENCE
    return (Verdict.SAME if is_same else Verdict.DIFFERENT), correlation, difference


@dataclass(frozen=True)
class Surroundings:
    """What predictions depend on beside data and trained version: Python, the libraries, the plugin's own file."""

    python: str
    libraries: Mapping[str, str]
    code_sha256: str

    def as_note(self) -> dict[str, object]:
        """Return it as the store keeps it."""
        return {"python": self.python, "libraries": dict(self.libraries), "code_sha256": self.code_sha256}

    def changes_since(self, noted: Mapping[str, object] | None) -> list[str]:
        """Return what differs from what was noted, in words; everything when nothing was noted."""
        if noted is None:
            return ["never replayed before"]
        libraries = noted.get("libraries")
        before = libraries if isinstance(libraries, Mapping) else {}
        changes = [] if noted.get("python") == self.python else [f"Python {noted.get('python')} → {self.python}"]
        for name in sorted({*before, *self.libraries}):
            old, new = before.get(name, "none"), self.libraries.get(name, "none")
            if old != new:
                changes.append(f"{name} {old} → {new}")
        if noted.get("code_sha256") != self.code_sha256:
            changes.append("the plugin's file")
        return changes


def in_words(replayed: Replayed, changes: list[str]) -> str:
    """Return what the timeline says of a round that came out differently."""
    since = f" since {', '.join(changes[:3])}{' and more' if len(changes) > 3 else ''}" if changes else ""
    if replayed.reason:
        return f"replay of round {replayed.round_number}{since}: {replayed.reason}"
    correlation = replayed.correlation if replayed.correlation is not None else math.nan
    return (
        f"replay of round {replayed.round_number}{since}: other predictions than those that were submitted "
        f"(rank correlation {correlation:.4f}, largest difference {replayed.difference or 0:.4f})"
    )
