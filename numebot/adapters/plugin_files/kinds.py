"""The templates that there are. Light: the command line lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A template: the words for it, the library it needs if that may be missing, what makes its test quick.

    `suffix` is that of its file; one that is no Python is run by the plugin for programs. `learns` is whether it is
    trained before it predicts.
    """

    description: str
    library: str | None = None
    quick: str = ""
    suffix: str = ".py"
    learns: bool = True


KINDS: Mapping[str, Kind] = {
    "sklearn": Kind("Ridge regression with scikit-learn"),
    "xgboost": Kind("Gradient-boosted trees with XGBoost", quick="n_estimators=20"),
    "lightgbm": Kind("Gradient-boosted trees with LightGBM", quick="n_estimators=20"),
    "torch": Kind("A small neural network with PyTorch", library="torch", quick="epochs=2"),
    "command": Kind("A program in any language", suffix=".sh", learns=False),
    "ensemble": Kind("The mean of the ranks of other models", learns=False),
}
"""What `numebot models new --from` knows."""
