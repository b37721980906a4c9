"""Live files of past rounds, as they lie on the disk. Nothing is asked of the server."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from numebot.adapters.datasets.live import LiveData, inspect_live, one_set
from numebot.adapters.datasets.parquet import MemoryProbe, available_memory_bytes
from numebot.adapters.datasets.provenance import Provenance
from numebot.core.errors import Unavailable
from numebot.core.features import LIVE_FILE, FeatureSets, layout_of, parse_feature_sets
from numebot.core.types import Tournament


class KeptFiles:
    """Reads what earlier passes left below `folder`/data."""

    def __init__(self, folder: Path, *, memory_probe: MemoryProbe = available_memory_bytes) -> None:
        self._folder = folder / "data"
        self._probe = memory_probe
        self._known: dict[Path, LiveData] = {}

    def newest_round(self, tournament: int = Tournament.CLASSIC) -> int | None:
        """Return the newest round with a live file; None without any."""
        prefix = layout_of(tournament).prefix
        rounds = (self._folder / "rounds").glob("[0-9]*")
        numbers = [int(path.name) for path in rounds if path.name.isdecimal() and self._files(path, prefix)]
        return max(numbers, default=None)

    def live(self, round_number: int, tournament: int, version: str | None = None) -> LiveData:
        """Return the live data of a past round, in the data version `version` where that was kept, else the one in use.

        Raises: Unavailable when there is none, or it is not what was downloaded; LocalTrouble.
        """
        layout = layout_of(tournament)
        found = self._files(self._folder / "rounds" / str(round_number), layout.prefix)
        if not found:
            raise Unavailable(f"round {round_number}: its live file is no longer on this machine.")
        path, known = next((one for one in found if one[1].name == f"{version}/{LIVE_FILE}"), found[0])
        if path in self._known:
            return self._known[path]
        if not known.fits(path) or known.sha256 is None:
            raise Unavailable(f"round {round_number}: {path} is not the file that was downloaded.")
        contents = inspect_live(path, tournament, self._probe)
        its_version = known.name.removesuffix(f"/{LIVE_FILE}")
        sets = partial(one_set, its_version, contents.columns) if layout.prefix else partial(self._sets, its_version)
        self._known[path] = LiveData(
            tournament=tournament,
            round_number=round_number,
            version=its_version,
            path=path,
            sha256=known.sha256,
            ids=contents.ids,
            era=contents.era,
            columns=contents.columns,
            feature_sets=sets,
        )
        return self._known[path]

    @staticmethod
    def _files(folder: Path, prefix: str) -> list[tuple[Path, Provenance]]:
        """Return the live files of a round: first the one in use, then those of other versions."""
        paths = [folder / prefix / LIVE_FILE, *sorted((folder / prefix).glob(f"v*/{LIVE_FILE}"), reverse=True)]
        known = [(path, Provenance.read(path)) for path in paths]
        return [(path, provenance) for path, provenance in known if provenance is not None]

    def _sets(self, version: str) -> FeatureSets:
        path = self._folder / version / "features.json"
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            raise Unavailable(f"{version}/features.json is not on this machine, so no feature set is known.") from None
        return parse_feature_sets(text, version)
