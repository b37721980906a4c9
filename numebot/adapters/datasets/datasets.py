"""Numerai's data files on this machine: the live file of a round, feature sets, rows to learn from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

import numebot.adapters.datasets.provenance as provenance
from numebot.adapters.datasets.companions import companion_rows
from numebot.adapters.datasets.files import StaticFiles, Versions
from numebot.adapters.datasets.live import LiveContents, LiveData, example_values, inspect_live, one_set
from numebot.adapters.datasets.parquet import MemoryProbe, available_memory_bytes, open_parquet
from numebot.adapters.datasets.provenance import Provenance
from numebot.adapters.datasets.rows import Selection, read_groups, read_rows, require_columns, resolved_target
from numebot.adapters.datasets.staging import Progress, ends_by, stage
from numebot.core.errors import NumebotError, PluginError, Unavailable
from numebot.core.features import (
    EXAMPLE_FILE,
    LIVE_FILE,
    FeatureSets,
    eras_after,
    is_version,
    layout_of,
    parse_feature_sets,
    version_key,
)
from numebot.core.ports import DataSource
from numebot.core.staging import EraChoice, StagedRows
from numebot.core.types import DataFile, Round, Tournament
from numebot.plugin import TrainingData

logger = logging.getLogger(__name__)


class Datasets:
    """Fetches, checks and reads data files below `folder`/data.

    One object serves one pass or one training: what it asked the server once it does not ask again. `pinned_version`
    ("v5.2", "signals/v2.1") wins over newer ones. `expect_new_ids` is off only for a server that serves the same rows
    every round on purpose.
    """

    def __init__(
        self,
        source: DataSource,
        folder: Path,
        *,
        pinned_version: str = "",
        expect_new_ids: bool = True,
        memory_probe: MemoryProbe = available_memory_bytes,
    ) -> None:
        self._source = source
        self._folder = folder / "data"
        self._versions = Versions(source, pinned_version)
        self._static = StaticFiles(source, self._folder)
        self._expect_new_ids = expect_new_ids
        self._probe = memory_probe
        self._newest_sets: dict[int, FeatureSets | None] = {}

    def newest_version(self, tournament: int = Tournament.CLASSIC) -> str:
        """Return the newest version that has live data, e.g. "v5.3" or "signals/v2.1". Raises: Unavailable."""
        return self._versions.newest(tournament)

    def version(self, tournament: int = Tournament.CLASSIC) -> str:
        """Return the version in use: the pinned one, else the newest.

        Raises: ConfigError when the pinned version is no longer on offer; Unavailable.
        """
        return self._versions.in_use(tournament)

    def newer_version(self, tournament: int = Tournament.CLASSIC) -> str | None:
        """Return a version that is newer than the pinned one and therefore not used; None when there is none."""
        return self._versions.newer_than_pinned(tournament)

    def newer_features(self, version: str, tournament: int = Tournament.CLASSIC) -> FeatureSets | None:
        """Return the feature sets of the newest version on offer if that is newer than `version`.

        A side channel: None also when they cannot be had now. Read from the server once per version, and only for
        Classic, whose feature sets are a small file. Never raises.
        """
        newest = None if layout_of(tournament).prefix else self._versions.newest_if_told(tournament)
        if newest is None or version_key(newest) <= version_key(version):
            return None
        if tournament not in self._newest_sets:
            self._newest_sets[tournament] = self._announced(newest, tournament)
        return self._newest_sets[tournament]

    def _announced(self, version: str, tournament: int) -> FeatureSets | None:
        path = self._folder / version / "features.json"
        try:
            if Provenance.read(path) is not None:
                return parse_feature_sets(path.read_text(encoding="utf-8", errors="replace"), version)
            return self.feature_sets(version, tournament)
        except (NumebotError, OSError) as error:
            logger.info("%s: which features it has is not known yet: %s", version, error)
            return None

    def is_on_offer(self, version: str, tournament: int = Tournament.CLASSIC) -> bool:
        """Whether the server still offers live data of a version; True when its list cannot be had. Never raises."""
        return self._versions.is_on_offer(version, tournament)

    def feature_sets(self, version: str, tournament: int = Tournament.CLASSIC) -> FeatureSets:
        """Return the feature sets of a version. Only Classic has them; the others have one set, "all".

        Raises: Unavailable.
        """
        if layout_of(tournament).prefix:
            path = self._parquet(f"{version}/train.parquet", tournament)
            return one_set(version, open_parquet(path).schema_arrow.names)
        name = f"{version}/features.json"
        path = self._static.path(name, tournament)
        try:
            return parse_feature_sets(path.read_text(encoding="utf-8", errors="replace"), version)
        except Unavailable:
            self._static.discard(name)
            raise

    def static_files(self) -> tuple[DataFile, ...]:
        """Return the static files that were used so far, for the store to remember."""
        return tuple(self._static.in_use())

    def training(self, selection: Selection) -> TrainingData:
        """Return the rows of train.parquet that have the first target.

        Raises: Unavailable; PluginError for columns that the version lacks; LocalTrouble when memory is too small.
        """
        path = self._selected(selection, "train.parquet")
        data = read_rows(path, selection, filters=None, probe=self._probe)
        sets = self.feature_sets(selection.version, selection.tournament).sets
        return replace(data, target=resolved_target(path, selection.targets[0]), feature_sets=dict(sets))

    def stage_training(
        self,
        selection: Selection,
        place: Path,
        *,
        choice: EraChoice | None = None,
        progress: Progress = lambda what, done, of: None,
    ) -> StagedRows:
        """Write the rows of the chosen eras that have the first target into the new file `place`, batch by batch.

        They come from train.parquet, and where `choice` names a later last era, from validation.parquet as well.
        Raises as `training`; LocalTrouble also when the disk is too small.
        """
        choice = choice or EraChoice()
        paths = [self._selected(selection, "train.parquet")]
        if choice.last and not ends_by(paths[0], selection.tournament, choice.last):
            paths.append(self._selected(selection, "validation.parquet"))
        target = resolved_target(paths[0], selection.targets[0])
        rows = stage(paths, selection, choice, place, target=target, progress=progress, memory=self._probe)
        sets = self.feature_sets(selection.version, selection.tournament).sets
        return replace(rows, feature_sets=dict(sets))

    def validation(
        self, selection: Selection, *, last_training_era: str, embargo: int, only_known: bool = True
    ) -> Iterator[TrainingData]:
        """Yield the rows of validation.parquet that have the first target, as groups of whole eras, oldest first.

        Without `only_known` also the rows of those eras whose target is not known: a round has no gaps.

        Eras within `embargo` eras of the training are left out. Never more than a part of the file is in memory.
        Raises as `training`.
        """
        path = self._selected(selection, "validation.parquet")
        after = partial(eras_after, last_training_era=last_training_era, embargo=embargo)
        yield from read_groups(path, selection, choose=after, probe=self._probe, only_known=only_known)

    def companion(self, name: str, version: str, eras: Sequence[str], tournament: int) -> pd.DataFrame:
        """Return what the models of a file beside the validation data predicted for some eras, one column each.

        Raises: Unavailable, also when the version has no such file; Rejected, LocalTrouble.
        """
        path = self._parquet(f"{version}/{name}", tournament)
        return companion_rows(path, eras, tournament, probe=self._probe)

    def _selected(self, selection: Selection, name: str) -> Path:
        path = self._parquet(f"{selection.version}/{name}", selection.tournament)
        require_columns(path, selection)
        return path

    def _parquet(self, name: str, tournament: int) -> Path:
        path = self._static.path(name, tournament)
        try:
            open_parquet(path)
        except Unavailable as error:
            self._static.discard(name)
            raise Unavailable(f"{name}: {error} It is downloaded again at the next attempt.") from error
        return path

    def live(self, round: Round, version: str | None = None) -> LiveData:
        """Return the live data of a round, downloaded unless this round's own file is here, unchanged.

        `version` is the data version to read, e.g. the one that a model was trained on; without it, the one in use.
        A file that is broken, or still another round's, is removed again.
        Raises: Unavailable (ask again: the next call downloads afresh), ConfigError, LocalTrouble; PluginError for a
        `version` that is no version of this tournament.
        """
        path = self._live_path(round, version)
        version = version or self.version(round.tournament)
        name = f"{version}/{LIVE_FILE}"
        known = Provenance.read(path)
        is_ours = known is not None and (known.name, known.round_number) == (name, round.number)
        try:
            if known is None or not is_ours or not known.fits(path):
                known, contents = self._fetch_live(name, path, round)
            else:
                contents = inspect_live(path, round.tournament, self._probe)
        except Unavailable as error:
            provenance.remove(path)
            raise Unavailable(
                f"round {round.number}, {name}: {error} It is downloaded again at the next attempt.",
                retry_after_s=error.retry_after_s,
            ) from error
        return LiveData(
            tournament=round.tournament,
            round_number=round.number,
            version=version,
            path=path,
            sha256=known.sha256 or provenance.sha256_of(path),
            ids=contents.ids,
            era=contents.era,
            columns=contents.columns,
            feature_sets=self._sets_of_live(version, round.tournament, contents),
            fetch=partial(self._beside, path, version, round),
        )

    def example_predictions(self, live: LiveData) -> pd.Series:
        """Return Numerai's example predictions of a round, in the order of the live ids.

        Raises: Unavailable when they cannot be had or do not fit the live file; LocalTrouble.
        """
        name = f"{live.version}/{EXAMPLE_FILE}"
        path = live.path.with_name(EXAMPLE_FILE)
        self._source.download(name, path, tournament=live.tournament, round_number=live.round_number)
        try:
            return example_values(path, live)
        except Unavailable as error:
            provenance.remove(path)
            raise Unavailable(f"round {live.round_number}, {name}: {error}") from error

    def _beside(self, live: Path, version: str, round: Round, name: str) -> Path:
        """Return another file of a live file's version: what is new each round lies beside it."""
        if not name.startswith("live_"):
            return self._static.path(f"{version}/{name}", round.tournament)
        path = live.with_name(name)
        self._source.download(f"{version}/{name}", path, tournament=round.tournament, round_number=round.number)
        return path

    def _live_path(self, round: Round, version: str | None) -> Path:
        """Return where a live file belongs: right under its round, or in the folder of a version that is not in use."""
        folder, prefix = self._folder / "rounds" / str(round.number), layout_of(round.tournament).prefix
        if not version or self._versions.is_in_use(version, round.tournament):
            return folder / prefix / LIVE_FILE
        if not is_version(version, prefix):
            raise PluginError(
                f'"{version}" is no data version of tournament {round.tournament}. They look like "{prefix}v5.3".'
            )
        return folder / version / LIVE_FILE

    def _sets_of_live(self, version: str, tournament: int, contents: LiveContents) -> Callable[[], FeatureSets]:
        if layout_of(tournament).prefix:
            return partial(one_set, version, contents.columns)
        return partial(self.feature_sets, version, tournament)

    def _fetch_live(self, name: str, path: Path, round: Round) -> tuple[Provenance, LiveContents]:
        download = self._source.download(name, path, tournament=round.tournament, round_number=round.number)
        logger.info("downloaded %s of round %s: %s bytes", name, round.number, f"{download.size_bytes:,}")
        contents = inspect_live(path, round.tournament, self._probe)
        fetched = Provenance(
            name,
            round.tournament,
            download.sha256,
            download.size_bytes,
            download.etag,
            round_number=round.number,
            ids_sha256=contents.ids_sha256,
        )
        if self._expect_new_ids:
            self._refuse_another_rounds_file(fetched)
        fetched.write(path)
        if contents.oddity:
            logger.warning("round %s, %s: %s", round.number, name, contents.oddity)
        return fetched, contents

    def _refuse_another_rounds_file(self, fetched: Provenance) -> None:
        """Classic ids are new every round, in every version; the tickers of the others stay, their features do not."""
        folder, prefix = self._folder / "rounds", layout_of(fetched.tournament).prefix
        places = (f"*/{prefix}{LIVE_FILE}", f"*/{prefix}v*/{LIVE_FILE}")
        for other_path in (path for place in places for path in folder.glob(place)):
            other = Provenance.read(other_path)
            if other is None or other.round_number == fetched.round_number:
                continue
            same_ids = fetched.tournament == Tournament.CLASSIC and other.ids_sha256 == fetched.ids_sha256
            if same_ids or other.sha256 == fetched.sha256:
                raise Unavailable(f"still the data of round {other.round_number} (the same ids).")
