"""Where a data file came from: a small JSON beside it, without which the file counts as unknown."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from numebot.durable import local_trouble, write_whole

SUFFIX = ".source.json"


@dataclass(frozen=True)
class Provenance:
    """What was downloaded; `round_number` and `ids_sha256` only for files of a round.

    `sha256` is None for a large file until it is remembered in the database.
    """

    name: str
    tournament: int
    sha256: str | None
    size_bytes: int
    etag: str | None = None
    round_number: int | None = None
    ids_sha256: str | None = None

    def write(self, path: Path) -> None:
        """Write it beside the data file `path`, durably."""
        write_whole(_beside(path), json.dumps(asdict(self), indent=1, sort_keys=True))

    @staticmethod
    def read(path: Path) -> Provenance | None:
        """Return what is known of the data file `path`; None when that or the file itself is not there."""
        if not path.is_file():
            return None
        try:
            return Provenance(**json.loads(_beside(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def fits(self, path: Path) -> bool:
        """Whether the file still holds the very bytes that were downloaded."""
        return path.stat().st_size == self.size_bytes and sha256_of(path) == self.sha256


def remove(path: Path) -> None:
    """Remove a data file and what is known of it."""
    try:
        _beside(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    except OSError as error:
        raise local_trouble(error, path) from error


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _beside(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)
