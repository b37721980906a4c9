"""Several models in one: a weighted mean of their predictions, with what is there when one of them failed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd
from scipy.special import ndtri

from numebot.plugin import Ensemble

MODES = ("rank", "mean", "gaussian")
MISSING = ("drop", "fail")


class WeightedEnsemble(Ensemble):
    """A weighted mean of the ranks, of the numbers themselves, or of the gaussianised ranks of its members.

    `members` are names, or names with weights. A negative weight turns a member round. With `on_missing` "drop" the
    others share the weight of a member without predictions; with "fail" the ensemble fails then, and its row's
    `fallback` takes over.
    """

    def __init__(
        self, *, members: Iterable[str] | Mapping[str, float] = (), mode: str = "rank", on_missing: str = "drop"
    ) -> None:
        weights = members if isinstance(members, Mapping) else dict.fromkeys(_names(members), 1.0)
        self.members = {str(name): float(weight) for name, weight in weights.items()}
        self.mode = _one_of("mode", mode, MODES)
        self.on_missing = _one_of("on_missing", on_missing, MISSING)
        wrong = [name for name, weight in self.members.items() if not math.isfinite(weight) or weight == 0]
        if wrong:
            raise ValueError(
                f"members: the weight of {wrong[0]} is {self.members[wrong[0]]}. Allowed: any other number."
            )

    def combine(self, predictions: pd.DataFrame, live: pd.DataFrame) -> pd.Series:
        """Return the weighted mean per row."""
        absent = [name for name in self.members if name not in predictions.columns]
        if absent and self.on_missing == "fail":
            raise ValueError(f"members without predictions: {', '.join(absent)}")
        weights = pd.Series({name: self.members.get(name, 1.0) for name in predictions.columns})
        return self._levelled(predictions).mul(weights).sum(axis="columns") / weights.abs().sum()

    def _levelled(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Bring the members to one scale, so that none outweighs the others by the width of its numbers."""
        if self.mode == "mean":
            return predictions
        places = (predictions.rank() - 0.5) / len(predictions)
        if self.mode == "rank":
            return places
        bells = pd.DataFrame(ndtri(places.to_numpy()), index=places.index, columns=places.columns)
        return bells / bells.std(ddof=0).replace(0.0, 1.0)


def _names(members: Iterable[str]) -> Iterable[str]:
    return [members] if isinstance(members, str) else members


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f'{name}: "{value}" is none of {", ".join(allowed)}.')
    return value
