"""The live data of the round: fetched once per data version, and only when a model needs it."""

from __future__ import annotations

import logging

from numebot.adapters.datasets import Datasets, LiveData
from numebot.adapters.store import Store
from numebot.core.errors import LocalTrouble, NotReady, NumebotError
from numebot.core.ports import Clock
from numebot.core.types import DataFile, Event, Round, TrainedVersion
from numebot.steps.data_contract import tell_breach

logger = logging.getLogger(__name__)

DATA = "data"
"""The kind of the events that tell of the live data of a round, and how many seconds it took to get them."""


class LiveFiles:
    """Hands out the live data of one round. A failure is kept as well: every model that asks is told the same."""

    def __init__(self, datasets: Datasets, store: Store, clock: Clock, round_: Round) -> None:
        self._datasets = datasets
        self._store = store
        self._clock = clock
        self._round = round_
        self._known: dict[str, LiveData | NumebotError] = {}
        self._in_use: str | NumebotError | None = None

    def for_model(self, trained: TrainedVersion | None) -> LiveData:
        """Return the live data in the data version that a model was trained on, while Numerai offers it; else in use.

        A new data version must not break a model over night.
        Raises: NotReady, LocalTrouble; never a verdict on the submission, for nothing is submitted yet.
        """
        version = self._version_for(trained)
        tell_breach(self._datasets, self._store, self._clock, trained, self._round.tournament)
        if version not in self._known:
            self._known[version] = self._fetched(version)
        known = self._known[version]
        if isinstance(known, NumebotError):
            raise known
        return known

    def _version_for(self, trained: TrainedVersion | None) -> str:
        tournament = self._round.tournament
        if trained is not None and self._datasets.is_on_offer(trained.data_version, tournament):
            return trained.data_version
        if self._in_use is None:
            # Kept also when it failed: each question for the list counts against a low limit.
            self._in_use = self._asked_for_version(tournament)
        if isinstance(self._in_use, NumebotError):
            raise self._in_use
        return self._in_use

    def _asked_for_version(self, tournament: int) -> str | NumebotError:
        try:
            return self._datasets.version(tournament)
        except LocalTrouble as error:
            return error
        except NumebotError as error:
            return NotReady(f"the data version is not known: {error}")

    def _fetched(self, version: str) -> LiveData | NumebotError:
        number, began = self._round.number, self._clock.monotonic()
        try:
            live = self._datasets.live(self._round, version)
        except LocalTrouble as error:
            logger.warning("round %s: no live data: %s", number, error)
            return error
        except NumebotError as error:
            logger.warning("round %s: no live data: %s", number, error)
            return NotReady(str(error))
        size = live.path.stat().st_size
        logger.info("round %s: live data %s, %s ids, %s bytes", number, version, f"{len(live.ids):,}", f"{size:,}")
        took_s = round(self._clock.monotonic() - began, 2)
        words = f"round {number}: live data {version}, {len(live.ids):,} ids, {size:,} bytes"
        details = {"took_s": took_s, "version": version}
        # Later passes only read what the first one fetched.
        self._store.record_once(Event(self._clock.now(), DATA, words, self._round.tournament, number, details=details))
        file = DataFile(f"{version}/{live.path.name}", live.path, live.sha256, size, number)
        self._store.remember_file(file, now=self._clock.now())
        self._announce_newer_version(version)
        return live

    def _announce_newer_version(self, version: str) -> None:
        """Say once that a newer version is on offer; a side channel, which fails in silence."""
        tournament = self._round.tournament
        try:
            newest = self._datasets.newest_version(tournament)
            newer = newest if newest != version else self._datasets.newer_version(tournament)
        except NumebotError:
            return
        if newer is None:
            return
        words = f"data version {newer} is on offer; {version} stays in use for the models that were trained on it"
        if self._store.record_once(Event(self._clock.now(), "data-version", words, tournament)):
            logger.warning("%s", words)
