"""What an ensemble is made of: the predictions of its members for this round, as far as they are there."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from numebot.core.errors import PluginError
from numebot.core.submissions import inputs_key

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Members:
    """One column per member that has predictions, index id; `key` stands for all that is in there.

    `digests` are those of the single columns, by member.
    """

    frame: pd.DataFrame
    key: str
    words: str
    digests: Mapping[str, str]


def gathered(names: Sequence[str], find: Callable[[str], pd.Series | None], ids: pd.Index) -> Members | None:
    """Return the predictions of the members in the order of the live ids; None for a model without members.

    A member without predictions, or with those for other ids, is left out: the ensemble decides what to do without it.
    Raises: PluginError when none is left.
    """
    if not names:
        return None
    found = {name: raw.reindex(ids) for name in names if _fits(raw := find(name), ids) and raw is not None}
    absent = [name for name in names if name not in found]
    if not found:
        raise PluginError(f"none of its members has predictions for this round (yet): {', '.join(absent)}.")
    frame = pd.DataFrame(found, index=ids)
    words = f"of {len(found)} members" if not absent else f"of {len(found)} members, without {', '.join(absent)}"
    digests = {name: _digest(frame[name]) for name in found}
    return Members(frame, inputs_key(wanted=list(names), found=digests), words, digests)


def _digest(column: pd.Series) -> str:
    return hashlib.sha256(np.ascontiguousarray(column).tobytes()).hexdigest()


def _fits(raw: pd.Series | None, ids: pd.Index) -> bool:
    return raw is not None and len(raw) == len(ids) and set(raw.index) == set(ids)
