"""What Numerai's files are called and what stands in them: versions, layouts, feature sets, targets and eras."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from numebot.core.errors import PluginError, Unavailable
from numebot.core.types import Tournament


@dataclass(frozen=True)
class Layout:
    """How one tournament names its files and columns; `prefix` stands before the version, e.g. "signals/"."""

    prefix: str
    id_column: str
    era_column: str


LAYOUTS: Mapping[int, Layout] = {
    Tournament.CLASSIC: Layout("", "id", "era"),
    Tournament.SIGNALS: Layout("signals/", "numerai_ticker", "date"),
    Tournament.CRYPTO: Layout("crypto/", "symbol", "date"),
}
"""The layouts in use. Source: docs.numer.ai, data pages (2026)."""

LIVE_FILE = "live.parquet"
"""Name of the file of the open round inside a data version."""
EXAMPLE_FILE = "live_example_preds.parquet"
"""Name of Numerai's example predictions for the open round."""


def layout_of(tournament: int) -> Layout:
    """Return a tournament's layout; an unknown tournament is read like Classic."""
    return LAYOUTS.get(tournament, LAYOUTS[Tournament.CLASSIC])


def versions_on_offer(names: Iterable[str], prefix: str, *, needed: str = LIVE_FILE) -> list[str]:
    """Return the versions that offer the file `needed`, oldest first, e.g. ["v5.9", "v5.10"].

    `names` is the server's list of datasets. A version keeps its prefix ("signals/v2.1"), so that
    f"{version}/{needed}" is a name on the server again.
    """
    offered = {name.removesuffix(f"/{needed}") for name in names if name.endswith(f"/{needed}")}
    return sorted((version for version in offered if is_version(version, prefix)), key=version_key)


def is_version(name: str, prefix: str) -> bool:
    """Whether `name` is a data version of the tournament with this prefix, and as such safe as a folder's name."""
    return re.fullmatch(rf"{re.escape(prefix)}v\d+(?:\.\d+)*", name, re.ASCII) is not None


def version_key(version: str) -> tuple[int, ...]:
    """Return the numbers of a version for ordering: "v5.10" is newer than "v5.9"."""
    return tuple(int(number) for number in re.findall(r"\d+", version.rpartition("/")[2]))


@dataclass(frozen=True)
class FeatureSets:
    """The named lists of features of a data version, and the names of its targets (empty where none are listed)."""

    version: str
    sets: Mapping[str, tuple[str, ...]]
    targets: tuple[str, ...] = ()

    @property
    def everything(self) -> frozenset[str]:
        """Every feature that any set names."""
        return frozenset(name for names in self.sets.values() for name in names)


def parse_feature_sets(text: str, version: str) -> FeatureSets:
    """Read a features.json of any age: today's has "feature_sets" and "targets", older ones were the bare sets.

    Raises: Unavailable when it is no such file (a maintenance page, a half download).
    """
    where = f"{version}/features.json"
    try:
        content = json.loads(text)
    except ValueError as error:
        raise Unavailable(f"{where}: not JSON ({error}). It is fetched again at the next attempt.") from error
    lists = content.get("feature_sets", content) if isinstance(content, dict) else None
    sets = {
        str(name): tuple(members)
        for name, members in (lists.items() if isinstance(lists, dict) else ())
        if isinstance(members, list) and members and all(isinstance(member, str) for member in members)
    }
    if not sets:
        raise Unavailable(f"{where}: it holds no feature set. It is fetched again at the next attempt.")
    targets = content.get("targets", ()) if "feature_sets" in content else ()
    return FeatureSets(version, sets, tuple(str(name) for name in targets))


def resolve_features(spec: str | Sequence[str], known: FeatureSets) -> tuple[str, ...]:
    """Return the features behind a plugin's `feature_set`: the name of a set, or an explicit list.

    Raises: PluginError for an unknown set, an empty or repeating list, or features that no set of the version names.
    """
    if isinstance(spec, str):
        if spec not in known.sets:
            allowed = ", ".join(sorted(known.sets))
            raise PluginError(
                f'feature_set "{spec}" is not in features.json of {known.version}.{did_you_mean(spec, known.sets)}'
                f" Allowed: {allowed}, or a list of features."
            )
        return known.sets[spec]
    features = tuple(spec)
    if not features:
        raise PluginError("feature_set is an empty list. Allowed: the name of a set, or at least one feature.")
    if len(set(features)) < len(features):
        repeated = [name for name in dict.fromkeys(features) if features.count(name) > 1]
        raise PluginError(f"feature_set names {listed(repeated)} more than once.")
    unknown = [name for name in features if name not in known.everything]
    if unknown:
        hint = did_you_mean(unknown[0], known.everything)
        raise PluginError(
            f"feature_set: {len(unknown)} of {len(features)} features do not exist in {known.version}:"
            f" {listed(unknown)}.{hint}"
        )
    return features


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean "x"?' for the nearest known word, or nothing."""
    nearest = difflib.get_close_matches(word, list(known), n=1)
    return f' Did you mean "{nearest[0]}"?' if nearest else ""


def listed(names: Iterable[object], examples: int = 3) -> str:
    """Return the first names for a message, and how many more there are."""
    everything = [str(name) for name in names]
    more = f" and {len(everything) - examples} more" if len(everything) > examples else ""
    return ", ".join(everything[:examples]) + more


def era_order(eras: Iterable[object]) -> list[str]:
    """Return the different eras, oldest first. Eras are not always four digits: "0999" < "1000", "era9" < "era10"."""
    return sorted({str(era) for era in eras}, key=lambda era: (int(re.sub(r"\D", "", era) or -1), era))


def embargo_eras(target: str) -> int:
    """Return how many eras after the last training era share returns with it and are not evaluated.

    8 for 20-day targets, 16 for 60-day ones and for horizons that the name does not tell.
    Source: docs.numer.ai, data page (2026).
    """
    return 8 if target.endswith("_20") else 16


def eras_after(eras: Iterable[object], last_training_era: str, embargo: int) -> list[str]:
    """Return the eras that are more than `embargo` eras newer than the last training era, oldest first.

    An era is a week, so numbered eras are counted by their number, whether or not those between are in the file. Eras
    that are dates are counted one by one.
    """
    ordered = era_order(eras)
    if all(era.isdecimal() for era in (*ordered, last_training_era)):
        return [era for era in ordered if int(era) > int(last_training_era) + embargo]
    newer = era_order([*ordered, last_training_era])
    return [era for era in newer[newer.index(last_training_era) + 1 :] if era in ordered][embargo:]
