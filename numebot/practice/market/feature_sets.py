"""The feature sets and targets of data version v5.3: real sizes and overlaps, made-up feature names.

Every feature belongs to a cell: the group it descends from (two groups for a few) and the general sets it stands in.
The cells below are counts only. Ordered by cell, features also fall into blocks: variants of one underlying quantity,
which is what correlates features in the real data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from numebot.practice.market.names import feature_names
from numebot.practice.market.streams import stream

VERSION = "v5.3"

_GENERAL = {
    "s": "small",
    "m": "medium",
    "2": "v2_equivalent_features",
    "3": "v3_equivalent_features",
    "f": "fncv3_features",
}
_GROUPS = (
    "intelligence", "charisma", "strength", "dexterity", "constitution", "wisdom", "agility", "serenity", "sunshine",
    "rain", "midnight", "faith", "quantum",
)  # fmt: skip
_SET_ORDER = (
    "small", "medium", "all", "v2_equivalent_features", "v3_equivalent_features", "fncv3_features", *_GROUPS,
)  # fmt: skip

_CELLS: dict[str, str] = {
    "": "3:3 m3f:2",
    "agility": "-:77 3:8 m:52 m3f:6 s:1 s3:1",
    "charisma": "3:137 m3f:8 m3f2:83 s3:1 sm3f2:1",
    "charisma constitution": "3:3 m3f2:2",
    "charisma sunshine": "-:33 m:21 sm:1",
    "constitution": "3:195 m3f:17 m3f2:111 sm3f:1 sm3f2:1",
    "dexterity": "3:29 m:1 m3f:6 m3f2:11 s3:1 sm3f2:3",
    "faith": "-:297 m:75",
    "intelligence": "3:16 m3f:4 m3f2:8 s3:2",
    "intelligence sunshine": "-:3 m:2",
    "midnight": "-:122 m:122",
    "quantum": "-:807",
    "rain": "-:646 s:20",
    "serenity": "-:9 3:39 m3f:26 s:1",
    "serenity sunshine": "-:11 m:7 s:1 sm:1",
    "strength": "3:78 m3f:14 m3f2:37 sm3f2:1",
    "strength constitution": "3:3 m3f:2",
    "sunshine": "-:146 m:97 s:1 sm:1",
    "wisdom": "3:82 m3f:10 m3f2:45 s3:2 sm3f2:1",
}
"""By groups: how many features stand in which general sets, "-" being none but `all`. Counted in August 2026."""

_TARGET_NAMES = (
    "agnes", "alpha", "bravo", "caroline", "charlie", "claudia", "cyrusd", "delta", "echo", "ender", "jasper", "jeremy",
    "ralph", "rowan", "sam", "teager2b", "tyler", "victor", "waldo", "xerxes",
)  # fmt: skip
TARGETS = (*(f"target_{name}_{days}" for name in _TARGET_NAMES for days in (20, 60)), "target")
MAIN_TARGET = "target_ender_60"
"""What `target` is a copy of in this version."""

_BLOCK = 5
"""Most groups of the real file hold a multiple of five: variants of one quantity."""


@dataclass(frozen=True)
class FeatureLayout:
    """The features in sorted order, their sets, and the block (underlying quantity) of each, by position."""

    names: tuple[str, ...]
    sets: dict[str, tuple[str, ...]]
    blocks: npt.NDArray[np.int64]

    def positions(self, set_name: str) -> npt.NDArray[np.int64]:
        """Return where the features of a set stand in `names`."""
        place = {name: index for index, name in enumerate(self.names)}
        return np.array([place[name] for name in self.sets[set_name]], dtype=np.int64)

    def features_json(self) -> dict[str, object]:
        """Return the content of features.json."""
        return {"feature_sets": {name: list(members) for name, members in self.sets.items()}, "targets": list(TARGETS)}


@lru_cache(maxsize=4)
def feature_layout(seed: int) -> FeatureLayout:
    """Return the layout of a seed; the sizes are the same for every seed, names and blocks are not."""
    memberships = _memberships()
    names = feature_names(seed, len(memberships))
    order = np.argsort(names)
    members: dict[str, list[str]] = {name: [] for name in _SET_ORDER}
    for index in order:
        for set_name in memberships[index]:
            members[set_name].append(names[index])
    return FeatureLayout(
        names=tuple(names[index] for index in order),
        sets={name: tuple(listed) for name, listed in members.items()},
        blocks=_blocks(seed, memberships)[order],
    )


def _memberships() -> list[tuple[str, ...]]:
    """Return the sets of every feature, cell after cell."""
    features: list[tuple[str, ...]] = []
    for groups, cells in _CELLS.items():
        for cell in cells.split():
            letters, _, count = cell.partition(":")
            general = tuple(_GENERAL[letter] for letter in letters if letter in _GENERAL)
            features += [("all", *general, *groups.split())] * int(count)
    return features


def _blocks(seed: int, memberships: list[tuple[str, ...]]) -> npt.NDArray[np.int64]:
    """Return a block number per feature: about five variants each, never across groups.

    Within a group the general sets are dealt over the blocks like cards: the real ones hold some variants of each
    quantity, not whole families.
    """
    random = stream(seed, "blocks")
    groups = [tuple(name for name in sets if name in _GROUPS) for sets in memberships]
    blocks = np.zeros(len(memberships), dtype=np.int64)
    start = 0
    for group in dict.fromkeys(groups):
        own = np.array([index for index, other in enumerate(groups) if other == group])
        count = max(1, round(len(own) / _BLOCK))
        blocks[random.permutation(own)] = start + np.arange(len(own)) % count
        start += count
    return blocks
