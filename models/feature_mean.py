"""The simplest model: the mean of some features. It needs no training and is a good first entry and fallback."""

from __future__ import annotations

import pandas as pd

from numebot.plugin import Model

NO_HISTORY = 2.0
"""The middle of the five bins, which Numerai itself gives to features without history."""


class FeatureMean(Model):
    """Mean over a feature set, e.g. "small" or one of Numerai's groups such as "intelligence"."""

    def __init__(self, *, feature_set: str = "small") -> None:
        self.feature_set = feature_set

    def predict(self, live: pd.DataFrame) -> pd.Series:
        """Return the mean feature per row."""
        return live.mean(axis="columns").fillna(NO_HISTORY)
