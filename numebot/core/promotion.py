"""Whether a newly trained version takes the place of the one that plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numebot.core.types import TrainedVersion

MARGIN = 0.005
"""How much lower the mean validation corr of a new version may be, by default."""


@dataclass(frozen=True)
class Verdict:
    """Whether a new version becomes current, and why, for a person."""

    is_promoted: bool
    words: str


def verdict(
    new: Mapping[str, float], target: str, old: TrainedVersion | None, *, margin: float, is_overruled: bool = False
) -> Verdict:
    """Compare the validation of a new version with that of the current one.

    Figures for different targets say nothing about each other: then, and without a current version that was measured,
    the new one is taken.
    """
    before = None if old is None else _corr(old.metrics)
    if old is None or before is None:
        return Verdict(True, "nothing to compare it with")
    if old.target != target:
        return Verdict(True, f"not compared with version {old.version}, which learned {old.target}")
    corr = _corr(new)
    if corr is None:
        found, is_good = f"it was not measured, and version {old.version} was (corr {before:.4f})", False
    else:
        is_good = corr >= before - margin
        compared = f"corr {corr:.4f}, version {old.version} has {before:.4f}"
        found = f"{compared}, and {margin:g} less is allowed"
    if is_overruled and not is_good:
        return Verdict(True, f"{found}; overruled by --promote")
    return Verdict(is_good, found)


def _corr(metrics: Mapping[str, float]) -> float | None:
    corr = metrics.get("corr_mean")
    return corr if corr is not None and corr == corr and metrics.get("validation_eras") else None
