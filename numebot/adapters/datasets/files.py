"""Which data version is in use, and its static files on this machine."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numebot.adapters.datasets.provenance as provenance
from numebot.adapters.datasets.provenance import Provenance
from numebot.core.errors import ConfigError, NumebotError, Unavailable
from numebot.core.features import LIVE_FILE, layout_of, listed, version_key, versions_on_offer
from numebot.core.ports import DataSource
from numebot.core.types import DataFile

logger = logging.getLogger(__name__)

SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
"""What may become a path below our folder: no absolute names, no dots in front."""


class Versions:
    """The data versions on offer. The server allows few questions for its list, so each is asked once."""

    def __init__(self, source: DataSource, pinned_version: str) -> None:
        self._source = source
        self._pinned = pinned_version
        self._names: dict[int, Sequence[str]] = {}
        self._untold: set[int] = set()

    def newest(self, tournament: int) -> str:
        """Return the newest version that has live data. Raises: Unavailable."""
        versions = self._on_offer(tournament)
        if not versions:
            names = self._names[tournament]
            raise Unavailable(
                f"tournament {tournament}: none of the {len(names)} datasets on offer is a {LIVE_FILE}"
                f" ({listed(names) or 'the list is empty'}). Asked again at the next attempt."
            )
        return versions[-1]

    def newest_if_told(self, tournament: int) -> str | None:
        """Return the newest version; None when the server does not tell. Never raises."""
        offered = self._offered_if_told(tournament)
        return offered[-1] if offered else None

    def in_use(self, tournament: int) -> str:
        """Return the pinned version, else the newest.

        Raises: ConfigError when the pinned one has ended; Unavailable.
        """
        pinned = self.pinned(tournament)
        if not pinned:
            return self.newest(tournament)
        try:
            offered = self._on_offer(tournament)
        except Unavailable:
            return pinned  # its files can be had without the list
        if offered and pinned not in offered:
            raise ConfigError(
                f'data version "{pinned}" is pinned in the settings, but Numerai no longer offers it.'
                f" On offer: {', '.join(offered)}. Change the setting, then train the models again."
            )
        return pinned

    def newer_than_pinned(self, tournament: int) -> str | None:
        """Return a version that is newer than the pinned one and therefore not used; None when there is none."""
        pinned = self.pinned(tournament)
        try:
            newest = self.newest(tournament) if pinned else ""
        except Unavailable:
            return None
        return newest if pinned and version_key(newest) > version_key(pinned) else None

    def is_on_offer(self, version: str, tournament: int) -> bool:
        """Whether the server offers live data of a version; True when it cannot be asked: then the download tells."""
        offered = self._offered_if_told(tournament)
        return not offered or version in offered

    def is_in_use(self, version: str, tournament: int) -> bool:
        """Whether `in_use` would return this version; False when that is not known."""
        pinned = self.pinned(tournament)
        return version == pinned if pinned else version in self._offered_if_told(tournament)[-1:]

    def _offered_if_told(self, tournament: int) -> list[str]:
        """Return what is on offer, nothing when the server does not tell; a failed question is not repeated here."""
        if tournament in self._untold and tournament not in self._names:
            return []
        try:
            return self._on_offer(tournament)
        except NumebotError as error:
            logger.warning("tournament %s: which data versions are on offer is not known: %s", tournament, error)
            self._untold.add(tournament)
            return []

    def pinned(self, tournament: int) -> str:
        """Return the pinned version if it belongs to this tournament ("signals/v2.1" is no version of Classic)."""
        return self._pinned if self._pinned.rpartition("v")[0] == layout_of(tournament).prefix else ""

    def _on_offer(self, tournament: int) -> list[str]:
        if tournament not in self._names:
            self._names[tournament] = self._source.list_datasets(tournament)
        return versions_on_offer(self._names[tournament], layout_of(tournament).prefix)


class StaticFiles:
    """The files of a version, which change rarely; the server is asked once per file whether ours is still its own."""

    def __init__(self, source: DataSource, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._current: dict[str, Path] = {}

    def path(self, name: str, tournament: int) -> Path:
        """Return the path of a file, fetched unless ours is current.

        When the server cannot be asked, the copy that is here serves. Raises: Unavailable when there is none.
        """
        if name in self._current:
            return self._current[name]
        if not SAFE_NAME.fullmatch(name):
            raise ConfigError(f'"{name}" cannot be the name of a data file: allowed are letters, digits, "_-./".')
        path = self._folder / name
        known = Provenance.read(path)
        if known is not None and (known.name != name or path.stat().st_size != known.size_bytes):
            known = None
        try:
            etag = known.etag if known else None
            # Gigabytes are used at once, and hashed when they are remembered: see `in_use`.
            hashes = not name.endswith(".parquet")
            download = self._source.download(name, path, tournament=tournament, etag=etag, hashes=hashes)
        except Unavailable as error:
            if known is None:
                raise
            logger.warning("%s: the server could not be asked (%s); the copy on this machine serves", name, error)
        else:
            if download.is_new:
                logger.info("downloaded %s: %s bytes", name, f"{download.size_bytes:,}")
            if download.is_new or known is None:
                Provenance(name, tournament, download.sha256, download.size_bytes, download.etag).write(path)
        self._current[name] = path
        return path

    def in_use(self) -> Iterator[DataFile]:
        """Yield the files that this object handed out."""
        for path in self._current.values():
            known = Provenance.read(path)
            if known is not None and known.sha256 is None:
                known = replace(known, sha256=provenance.sha256_of(path))
                known.write(path)
            if known is not None and known.sha256 is not None:
                yield DataFile(known.name, path, known.sha256, known.size_bytes, etag=known.etag)

    def discard(self, name: str) -> None:
        """Remove a file that turned out to be broken; the next call fetches it afresh."""
        path = self._current.pop(name, None)
        if path is not None:
            provenance.remove(path)
