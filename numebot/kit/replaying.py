"""Golden replay: the rounds of the past are predicted again and compared with what was submitted then."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from numebot.adapters.artifacts import Artifacts
from numebot.adapters.datasets import KeptFiles, LiveData
from numebot.adapters.predictions import PredictionFiles
from numebot.adapters.runner.asking import PredictionRequest
from numebot.adapters.runner.runner import Runner
from numebot.adapters.store import Store
from numebot.adapters.surroundings import installed_libraries, python_version
from numebot.core.checks import read_submission, to_submission
from numebot.core.errors import CheckFailed, LocalTrouble, NumebotError, PluginError, Unavailable
from numebot.core.order import p95
from numebot.core.ports import Clock
from numebot.core.replay import Replayed, Surroundings, Verdict, compared, in_words
from numebot.core.submissions import has_reached
from numebot.core.types import Event, ModelConfig, State, Submission
from numebot.kit.past_members import past_members

logger = logging.getLogger(__name__)

UNATTENDED_S = 240.0
"""A model that takes longer to predict is replayed by hand alone: beside the rounds there is little time."""
LOOK_BACK = 60
"""How many rounds to search for those that a model predicted itself."""


class Replayer:
    """Predicts past rounds again, from the files that lie on this machine. Nothing is asked of the server."""

    def __init__(
        self,
        runner: Runner,
        artifacts: Artifacts,
        kept: KeptFiles,
        files: PredictionFiles,
        store: Store,
        clock: Clock,
        *,
        clean: Callable[[str], str] = str,
    ) -> None:
        self._runner = runner
        self._artifacts = artifacts
        self._kept = kept
        self._files = files
        self._store = store
        self._clock = clock
        self._clean = clean

    def replay(self, config: ModelConfig, *, last: int) -> list[Replayed]:
        """Replay the last rounds that a model predicted itself, newest first. Raises: LocalTrouble."""
        rows = self._rows(config, last)
        if config.problem is not None:
            return [_different(row, config.problem) for row in rows]
        done: dict[int, Replayed] = {}
        requests: dict[PredictionRequest, tuple[Submission, pd.Series, LiveData]] = {}
        for row in rows:
            try:
                then = self._submitted(row)
                request, live = self._request(config, row)
                requests[request] = (row, then, live)
            except Unavailable as error:
                done[row.round_number] = _skipped(row, str(error))
            except PluginError as error:
                done[row.round_number] = _different(row, self._clean(str(error)))
        for request, found in self._runner.predict_many(requests):
            row, then, live = requests[request]
            done[row.round_number] = self._verdict(request, row, then, live, found)
        return [done[row.round_number] for row in rows]

    def replay_changed(self, configs: Sequence[ModelConfig], *, last: int) -> list[Replayed]:
        """Replay the models whose surroundings changed since their last replay; a difference goes into the timeline.

        Each model is noted when it is done, so a replay that is stopped goes on where it was. Raises: LocalTrouble.
        """
        usable = [config for config in configs if config.problem is None and not self._is_slow(config)]
        self._runner.describe_many(usable)
        results: list[Replayed] = []
        for config in usable:
            results += self._replay_if_changed(config, last)
        return results

    def _replay_if_changed(self, config: ModelConfig, last: int) -> list[Replayed]:
        key = f"replay:{int(config.tournament)}:{config.name}"
        surroundings = self._surroundings(config)
        changes = surroundings.changes_since(self._store.noted(key))
        if not changes:
            return []
        results = self.replay(config, last=last)
        for one in results:
            if one.verdict is Verdict.DIFFERENT:
                words = in_words(one, changes)
                now, number = self._clock.now(), one.round_number
                event = Event(now, "replay", f"{config.name}: {words}", config.tournament, number, config.name)
                if self._store.record_once(event):
                    logger.warning("%s", event.message)
        if results:  # before its first round there is nothing to compare with
            self._store.note(key, surroundings.as_note())
        return results

    def _is_slow(self, config: ModelConfig) -> bool:
        took = p95(self._store.run_times(config.tournament).get(config.name, ()))
        if took is None or took.total_seconds() <= UNATTENDED_S:
            return False
        words = "%s takes %.0f s to predict and is not replayed by itself: numebot models replay %s"
        logger.info(words, config.name, took.total_seconds(), config.name)
        return True

    def _surroundings(self, config: ModelConfig) -> Surroundings:
        try:
            code = self._runner.code_sha256(config)
        except PluginError:
            code = ""  # it no longer loads: that is a change, and the replay says what is wrong
        return Surroundings(python_version(), installed_libraries(), code)

    def _rows(self, config: ModelConfig, last: int) -> list[Submission]:
        newest = self._store.newest_round(config.tournament)
        rows: list[Submission] = []
        if newest is None:
            return rows
        for number in range(newest.number, max(0, newest.number - LOOK_BACK), -1):
            row = self._store.submission(config.tournament, number, config.name)
            if row is not None and row.rung is None and has_reached(row, State.CHECKED):
                rows.append(row)
            if len(rows) == last:
                break
        return rows

    def _submitted(self, row: Submission) -> pd.Series:
        """Return what was submitted. Raises: Unavailable when the file is gone or another one."""
        path = self._files.submission_path(row)
        if not self._files.has_submission(path, row.sha256):
            raise Unavailable(f"{path.name} is gone or changed: nothing to compare with.")
        try:
            frame = read_submission(path.read_bytes())
        except (CheckFailed, OSError) as error:
            raise Unavailable(f"{path.name} cannot be read ({error}).") from error
        return pd.Series(frame.iloc[:, 1].to_numpy(dtype=float), index=frame.iloc[:, 0].astype(str))

    def _request(self, config: ModelConfig, row: Submission) -> tuple[PredictionRequest, LiveData]:
        trained = None
        if row.trained_version is not None:
            if row.trained_version not in self._artifacts.versions(config.name, config.tournament):
                raise Unavailable(f"version {row.trained_version}, which predicted, is no longer on this machine.")
            trained = self._artifacts.load(config.name, row.trained_version, config.tournament)
        version = trained.data_version if trained else None
        live = self._kept.live(row.round_number, config.tournament, version)
        members = past_members(row, live.ids, self._store, self._files) if config.is_ensemble else None
        return PredictionRequest(config, trained, live, members), live

    def _verdict(
        self,
        request: PredictionRequest,
        row: Submission,
        then: pd.Series,
        live: LiveData,
        found: pd.Series | NumebotError,
    ) -> Replayed:
        if isinstance(found, Unavailable | LocalTrouble):
            return _skipped(row, self._clean(str(found)))
        if isinstance(found, NumebotError):
            return _different(row, self._clean(str(found)))
        try:
            now = to_submission(found, live.ids, self._runner.scale_of(request.config, request.trained))
        except (CheckFailed, PluginError) as error:
            return _different(row, self._clean(str(error)))
        now.index = now.index.astype(str)
        if set(now.index) != set(then.index):
            return _skipped(row, "the live file has other ids than what was submitted.")
        verdict, correlation, difference = compared(then, now)
        return replace(_skipped(row, ""), verdict=verdict, correlation=correlation, difference=difference)


def _skipped(row: Submission, reason: str) -> Replayed:
    return Replayed(row.model, row.round_number, Verdict.SKIPPED, row.trained_version, reason=reason)


def _different(row: Submission, reason: str) -> Replayed:
    return replace(_skipped(row, reason), verdict=Verdict.DIFFERENT)
