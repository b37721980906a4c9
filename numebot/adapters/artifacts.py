"""Trained versions on disk: models/<name>/<version>/ with what the plugin saved, and a manifest that describes it.

A version appears whole or not at all, is never changed afterwards, and is believed only while its sha256 matches.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from numebot.core.errors import ConfigError, PluginError
from numebot.core.features import LAYOUTS
from numebot.core.types import Tournament, TrainedVersion
from numebot.durable import TEMPORARY_SUFFIX, fsync_file, fsync_folder, local_trouble, make_folder, write_whole

MANIFEST = "manifest.json"
CURRENT = "current"
SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
"""Model names become folders."""


@dataclass(frozen=True)
class TrainingRecord:
    """How a version came to be: what a manifest says beside its name, time and sha256."""

    data_version: str
    features: tuple[str, ...]
    target: str
    parameters: Mapping[str, object]
    libraries: Mapping[str, str]
    eras: tuple[str, str] | None
    metrics: Mapping[str, float]
    code: str
    code_sha256: str


class Artifacts:
    """The trained versions below `folder`/models."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "models"

    def keep(
        self,
        model: str,
        record: TrainingRecord,
        *,
        save: Callable[[Path], None],
        now: datetime,
        tournament: int = Tournament.CLASSIC,
        is_current: bool = True,
    ) -> TrainedVersion:
        """Make a version out of what `save` writes into an empty folder, and mark it current unless told otherwise.

        Raises: PluginError when the plugin saves nothing or takes the manifest's name; LocalTrouble; as `save` does.
        """
        home = self._home(model, tournament)
        draft = home / f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
        try:
            make_folder(home)
            draft.mkdir(mode=0o700)
            save(draft)
            sha256 = _content_sha256(draft)
            if sha256 is None or (draft / MANIFEST).exists():
                found = f"a file called {MANIFEST}" if sha256 else "no file"
                raise PluginError(f"save wrote {found} into its folder. Allowed: one or more files of other names.")
            version = self._free_name(home, now)
            trained = _trained(model, version, home / version, sha256, now, record)
            (draft / MANIFEST).write_text(_manifest(trained, record), encoding="utf-8")
            _fsync_below(draft)
            if not is_current and not (home / CURRENT).exists() and (earlier := self.versions(model, tournament)):
                # Without a mark the newest counts: the one that counts until now is marked before there is a newer one.
                write_whole(home / CURRENT, earlier[-1] + "\n")
            draft.rename(home / version)
            fsync_folder(home)
        except OSError as error:
            raise local_trouble(error, home) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        if is_current:
            write_whole(home / CURRENT, version + "\n")
        return trained

    def mark(self, model: str, version: str, tournament: int = Tournament.CLASSIC) -> TrainedVersion:
        """Make an earlier or later version the current one. Raises: PluginError when it is not there or not whole."""
        versions = self.versions(model, tournament)
        if version not in versions:
            there = ", ".join(versions) or "none"
            raise PluginError(f"{model} has no version {version!r}. There: {there}. Nothing was changed.")
        trained = self.load(model, version, tournament)
        write_whole(self._home(model, tournament) / CURRENT, version + "\n")
        return trained

    def current(self, model: str, tournament: int = Tournament.CLASSIC) -> TrainedVersion | None:
        """Return the version that is marked current, verified; the newest when no mark was made; None without any.

        Raises: PluginError when the mark points nowhere, or as `load`.
        """
        marked = self.marked(model, tournament)
        return None if marked is None else self.load(model, marked, tournament)

    def marked(self, model: str, tournament: int = Tournament.CLASSIC) -> str | None:
        """Return the name of that version without looking into it. Raises: PluginError when the mark points nowhere."""
        home = self._home(model, tournament)
        versions = self.versions(model, tournament)
        try:
            marked = (home / CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            marked = versions[-1] if versions else ""
        except (OSError, UnicodeDecodeError) as error:
            raise PluginError(f"{home / CURRENT}: not readable ({error}).") from error
        if not marked:
            return None
        if marked not in versions:
            there = ", ".join(versions[-3:]) or "none"
            raise PluginError(f"{home / CURRENT}: names the version {marked!r}, which is not there. There: {there}.")
        return marked

    def previous(self, model: str, tournament: int = Tournament.CLASSIC) -> TrainedVersion | None:
        """Return the version before the current one, verified; None when there is none. Raises: PluginError."""
        versions = self.versions(model, tournament)
        try:
            current = self.current(model, tournament)
            earlier = versions[: versions.index(current.version)] if current else []
        except PluginError:
            earlier = versions[:-1]  # the current one is broken, which is a reason to ask for an earlier one
        return self.load(model, earlier[-1], tournament) if earlier else None

    def versions(self, model: str, tournament: int = Tournament.CLASSIC) -> list[str]:
        """Return the names of a model's versions, oldest first."""
        home = self._home(model, tournament)
        return sorted(path.name for path in home.glob("[!.]*") if path.is_dir()) if home.is_dir() else []

    def load(self, model: str, version: str, tournament: int = Tournament.CLASSIC) -> TrainedVersion:
        """Return one version after comparing its files with its manifest; only then may it be unpickled.

        Raises: PluginError when the manifest is missing or broken, or the files are not those that were kept.
        """
        folder = self._home(model, tournament) / version
        trained = read_manifest(folder)
        found = _content_sha256(folder)
        if found != trained.sha256:
            raise PluginError(
                f"{folder}: the files are not those that were trained (sha256 {str(found)[:12]}…, the manifest says"
                f" {trained.sha256[:12]}…). They are not loaded. Train again: numebot train {model}"
            )
        return trained

    def _home(self, model: str, tournament: int) -> Path:
        if not SAFE_NAME.fullmatch(model):
            raise ConfigError(
                f"model name {model!r} cannot be the name of a folder."
                " Allowed: up to 64 letters, digits and _.- without a dot in front."
            )
        # Names are unique within a tournament only; Classic keeps the plain ones.
        suffix = LAYOUTS[tournament].prefix.rstrip("/") if tournament in LAYOUTS else str(tournament)
        return self._folder / (f"{model}@{suffix}" if suffix else model)

    @staticmethod
    def _free_name(home: Path, now: datetime) -> str:
        name = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        number = 1
        while (home / (name if number == 1 else f"{name}-{number:03d}")).exists():
            number += 1
        return name if number == 1 else f"{name}-{number:03d}"


def read_manifest(folder: Path) -> TrainedVersion:
    """Return what the manifest in `folder` says. Raises: PluginError."""
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return TrainedVersion(
            model=str(content["model"]),
            version=str(content["version"]),
            folder=folder,
            data_version=str(content["data_version"]),
            features=tuple(str(name) for name in content["features"]),
            target=str(content["target"]),
            parameters=dict(content["parameters"]),
            libraries=dict(content["libraries"]),
            eras=(str(content["eras"][0]), str(content["eras"][1])) if content["eras"] else None,
            metrics={name: math.nan if value is None else float(value) for name, value in content["metrics"].items()},
            sha256=str(content["sha256"]),
            trained_at=datetime.fromisoformat(content["trained_at"]),
            code=str(content["code"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise PluginError(
            f"{path}: the manifest is missing or broken ({type(error).__name__}: {error})."
            " This version is not loaded; train the model again."
        ) from error


def _trained(
    model: str, version: str, folder: Path, sha256: str, now: datetime, record: TrainingRecord
) -> TrainedVersion:
    return TrainedVersion(
        model=model,
        version=version,
        folder=folder,
        data_version=record.data_version,
        features=record.features,
        target=record.target,
        parameters=record.parameters,
        libraries=record.libraries,
        eras=record.eras,
        metrics=record.metrics,
        sha256=sha256,
        trained_at=now,
        code=record.code,
    )


def _manifest(trained: TrainedVersion, record: TrainingRecord) -> str:
    content = {
        "model": trained.model,
        "version": trained.version,
        "trained_at": trained.trained_at.isoformat(),
        "code": record.code,
        "code_sha256": record.code_sha256,
        "data_version": record.data_version,
        "target": record.target,
        "eras": record.eras,
        "parameters": dict(record.parameters),
        # JSON knows no nan
        "metrics": {name: value if math.isfinite(value) else None for name, value in record.metrics.items()},
        "libraries": dict(record.libraries),
        "sha256": trained.sha256,
        "features": record.features,
    }
    return json.dumps(content, indent=1, allow_nan=False, default=str) + "\n"


def _content_sha256(folder: Path) -> str | None:
    """Return one sha256 over names and bytes of all files but the manifest; None when there is no file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    if not files:
        return None
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{digest}\n".encode())
    return total.hexdigest()


def _fsync_below(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            fsync_file(Path(parent) / name)
        fsync_folder(Path(parent))
