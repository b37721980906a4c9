"""The templates that there are. Light: the command line lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A template: the words for it, the library it needs if that may be missing, what makes its test quick."""

    description: str
    library: str | None = None
    quick: str = ""


KINDS: Mapping[str, Kind] = {
    "sklearn": Kind("Ridge regression with scikit-learn"),
    "xgboost": Kind("Gradient-boosted trees with XGBoost", quick="n_estimators=20"),
    "lightgbm": Kind("Gradient-boosted trees with LightGBM", quick="n_estimators=20"),
    "torch": Kind("A small neural network with PyTorch", library="torch", quick="epochs=2"),
    "ensemble": Kind("The mean of the ranks of other models"),
}
"""What `numebot models new --from` knows."""
