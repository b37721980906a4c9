"""What the members of an ensemble predicted in a past round: exactly what it combined then, or nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from numebot.adapters.predictions import PredictionFiles
from numebot.adapters.store import Store
from numebot.core.errors import PluginError, Unavailable
from numebot.core.types import State, Submission
from numebot.steps.members import gathered


def past_members(row: Submission, ids: pd.Index, store: Store, files: PredictionFiles) -> pd.DataFrame:
    """Return the predictions that an ensemble was made of: one column per member, index `ids`.

    The timeline says which they were. Raises: Unavailable when it does not, or one of them is gone or another one by
    now: with other members an ensemble comes out differently, and that says nothing about the ensemble.
    """
    digests = _noted(row, store)
    if not digests:
        raise Unavailable("the timeline does not say which predictions it was made of.")

    def predictions_of(member: str) -> pd.Series | None:
        theirs = store.submission(row.tournament, row.round_number, member)
        return files.raw(theirs) if theirs is not None else None

    try:
        found = gathered(tuple(digests), predictions_of, ids)
    except PluginError:
        found = None
    other = [name for name, digest in digests.items() if found is None or found.digests.get(name) != digest]
    if found is None or other:
        raise Unavailable(f"what {', '.join(other)} predicted then is gone, or another one by now.")
    return found.frame


def _noted(row: Submission, store: Store) -> Mapping[str, str]:
    events = store.events(round_number=row.round_number, model=row.model, kinds=("state",))
    steps = [
        event.details for event in events
        if event.tournament == row.tournament and event.details.get("state") == State.PREDICTED
    ]  # fmt: skip
    members = steps[-1].get("members") if steps else None
    return {str(name): str(digest) for name, digest in members.items()} if isinstance(members, dict) else {}
