"""Where a model's predictions come from: its own newest version, or a rung of its fallback ladder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from numebot.adapters.artifacts import Artifacts
from numebot.adapters.datasets import Datasets, LiveData
from numebot.adapters.predictions import PredictionFiles
from numebot.adapters.runner.asking import PredictionRequest
from numebot.adapters.runner.runner import Runner
from numebot.adapters.store import Store
from numebot.core.ensembles import members_of
from numebot.core.errors import NumebotError, PluginError
from numebot.core.fallback import EXAMPLE, PREVIOUS
from numebot.core.submissions import has_reached, inputs_key
from numebot.core.types import ModelConfig, State, Submission, TrainedVersion
from numebot.steps.live_files import LiveFiles
from numebot.steps.members import gathered


@dataclass(frozen=True)
class Source:
    """One way to predictions. `key` stands for everything that goes into them; `predict` and `scale` may fail.

    `request` is what is asked of the owner's plugin, where that has to run; `took_s` says how long it ran elsewhere.
    `members` are the digests of what an ensemble is made of, by member.
    """

    live: LiveData
    key: str
    words: str
    predict: Callable[[], pd.Series]
    scale: Callable[[], str | None]
    trained: TrainedVersion | None = None
    request: PredictionRequest | None = None
    took_s: Callable[[], float] | None = None
    members: Mapping[str, str] = field(default_factory=dict)


class Ladder:
    """Finds the source of a rung; None is the model itself, which is tried first."""

    def __init__(
        self, runner: Runner, artifacts: Artifacts, files: PredictionFiles, datasets: Datasets, store: Store
    ) -> None:
        self._runner = runner
        self._artifacts = artifacts
        self._files = files
        self._datasets = datasets
        self._store = store

    def source(
        self,
        config: ModelConfig,
        row: Submission,
        rung: str | None,
        files: LiveFiles,
        made: Mapping[str, pd.Series] | None = None,
    ) -> Source:
        """Return where the predictions of a rung come from.

        `made` takes the place of what the members of an ensemble predicted, in a rehearsal.
        Raises: PluginError when the rung has nothing to give; Unavailable, LocalTrouble as the live data do.
        """
        if rung is None:
            return self._own(config, row, self._runner.version_for(config, self._artifacts), files, made)
        if rung == PREVIOUS:
            version = self._artifacts.previous(config.name, config.tournament)
            if version is None:
                raise PluginError(f"fallback {PREVIOUS}: {config.name} has no earlier trained version.")
            return self._own(config, row, version, files, made)
        if rung == EXAMPLE:
            live = files.for_model(None)
            return Source(
                live=live,
                key=inputs_key(round=live.round_number, data=live.sha256, rung=EXAMPLE),
                words="taken from Numerai's example predictions",
                predict=partial(self._datasets.example_predictions, live),
                scale=_ranked,
            )
        return self._of_other(rung, row, files)

    def fetch_early(self, config: ModelConfig, files: LiveFiles) -> None:
        """Get the live data that a model will most likely need; a failure is kept there, to be told at its turn."""
        with suppress(NumebotError):
            files.for_model(self._artifacts.current(config.name, config.tournament))

    def _own(
        self,
        config: ModelConfig,
        row: Submission,
        version: TrainedVersion | None,
        files: LiveFiles,
        made: Mapping[str, pd.Series] | None,
    ) -> Source:
        live = files.for_model(version)
        wanted = members_of(config)
        members = gathered(wanted, partial(self._of_member, row) if made is None else made.get, live.ids)
        key = inputs_key(
            round=live.round_number,
            data=live.sha256,
            place=config.code,
            code=self._runner.code_sha256(config),
            version=version.sha256 if version else None,
            features=version.features if version else None,
            parameters=dict(version.parameters if version else config.parameters),
            network=config.network,
            members=members.key if members else None,
        )
        request = PredictionRequest(config, version, live, members.frame if members else None)
        words = [f"with {version.version}"] if version else []
        words += [members.words] if members else []
        return Source(
            live=live,
            key=key,
            words=" ".join(words),
            predict=partial(self._runner.predict, config, version, live, request.members),
            scale=partial(self._runner.scale_of, config, version),
            trained=version,
            request=request,
            members=members.digests if members else {},
        )

    def _of_member(self, row: Submission, member: str) -> pd.Series | None:
        """Return the predictions of a member's own plugin; what stands in for it is no member."""
        theirs = self._store.submission(row.tournament, row.round_number, member)
        if theirs is None or theirs.rung not in (None, PREVIOUS) or not has_reached(theirs, State.CHECKED):
            return None
        return self._files.raw(theirs)

    def _of_other(self, other: str, row: Submission, files: LiveFiles) -> Source:
        theirs = self._store.submission(row.tournament, row.round_number, other)
        is_there = theirs is not None and theirs.rung is None and has_reached(theirs, State.CHECKED)
        raw = self._files.raw(theirs) if theirs is not None and is_there else None
        if theirs is None or raw is None:
            raise PluginError(f"fallback {other}: it has no predictions of its own for this round (yet).")
        live = files.for_model(None)
        if set(raw.index) != set(live.ids):
            raise PluginError(f"fallback {other}: its predictions are not for the ids of this round's live data.")
        return Source(
            live=live,
            key=inputs_key(round=live.round_number, rung=other, of=theirs.inputs_sha256),
            words=f"taken over from {other}",
            predict=lambda: raw.reindex(live.ids),
            scale=_ranked,
        )


def _ranked() -> str:
    return "rank"
