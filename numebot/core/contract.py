"""Does a trained version fit a data version that is to come? Said when that is announced, not when it is needed."""

from __future__ import annotations

from dataclasses import dataclass

from numebot.core.features import FeatureSets, listed, version_key
from numebot.core.types import TrainedVersion

KIND = "data-contract"
"""The kind of the events that tell a breach; `numebot models` reads them."""


@dataclass(frozen=True)
class Breach:
    """A trained version that needs features which a newer data version lacks."""

    model: str
    trained_version: str
    trained_on: str
    data_version: str
    absent: tuple[str, ...]
    needed: int

    def __str__(self) -> str:
        """Say it to the owner, with what happens next."""
        return (
            f"{self.model}: {len(self.absent)} of its {self.needed} features are not in data version"
            f" {self.data_version}: {listed(self.absent)}. It plays on while Numerai offers {self.trained_on};"
            f" before that ends: numebot train {self.model}"
        )


def breach_of(trained: TrainedVersion, newer: FeatureSets) -> Breach | None:
    """Return how a trained version breaks with a newer data version; None when it does not, or it is not newer."""
    if version_key(newer.version) <= version_key(trained.data_version):
        return None
    known = newer.everything
    absent = tuple(name for name in trained.features if name not in known)
    if not absent:
        return None
    return Breach(
        trained.model, trained.version, trained.data_version, newer.version, absent, needed=len(trained.features)
    )
