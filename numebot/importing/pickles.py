"""A pickle made for Numerai's Model Upload becomes a model of this numebot. It is never loaded here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from numebot.adapters.registry import Registry
from numebot.core.errors import ConfigError
from numebot.durable import write_whole
from numebot.importing.rows import Place, add_new_rows, row_of
from numebot.pickle_origin import origin_of

CODE = "models.model_upload"
FOLDER = "pickles"
_LARGEST = 8 * 2**30


@dataclass(frozen=True)
class ImportedPickle:
    """What became of a pickle: where it lies now, whether its row is new, and what keeps it from running here."""

    path: Path
    sha256: str
    is_new: bool
    problems: Sequence[str]


def import_pickle(
    source: Path, model: str, *, place: Place, registry: Registry, python: str = "", memory_limit_mb: str = ""
) -> ImportedPickle:
    """Copy a pickle below the data folder, pin its sha256 and add its row. Doing it again changes nothing.

    Raises: ConfigError for a file that is no pickle and for a name that is taken; LocalTrouble.
    """
    content = _content(source)
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        origin = origin_of(content)
    except ValueError as error:
        raise ConfigError(f"{source}: {error}. Nothing was changed.") from error
    path = place.data_folder / FOLDER / f"{sha256[:16]}.pickle"
    parameters = {"path": str(path), "sha256": sha256} | ({"python": python} if python else {})
    row = row_of(model, CODE, parameters, description=f"from {source.name}", readable=str(path))
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    added = add_new_rows([row | {"memory_limit_mb": memory_limit_mb}], registry, place)
    return ImportedPickle(path, sha256, bool(added), origin.problems(stated_python=python))


def _content(source: Path) -> bytes:
    try:
        if source.stat().st_size > _LARGEST:
            raise ConfigError(f"{source}: is larger than {_LARGEST:,} bytes. Is it the right file?")
        return source.read_bytes()
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read ({error.strerror}).") from error
