"""Keeping the data folder within a budget: what is oldest and needed by nobody goes first."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LEAST_ROUNDS = 5
"""The files of so many newest rounds stay, whatever the budget: passes and replays need them."""

_ROUND_IN_NAME = re.compile(r"_submission_(\d+)(?:\.dry-run)?\.csv")
_VERSION = re.compile(r"v\d+(\.\d+)*")


@dataclass(frozen=True)
class Needs:
    """What must stay: the newest round, the trained versions that recent rounds used, a data version that is pinned."""

    newest_round: int
    trained_versions: frozenset[str] = frozenset()
    data_version: str = ""


@dataclass(frozen=True)
class _Candidate:
    path: Path
    size_bytes: int
    changed_at: float


def size_of(path: Path) -> int:
    """Return how many bytes a file or folder holds; what vanishes meanwhile counts nothing, links are not followed."""
    return sum(size for size, _ in _files(path))


def over_budget(folder: Path, budget_bytes: int, needs: Needs) -> list[Path]:
    """Return what has to go, oldest first, so that `folder` comes down to `budget_bytes`; all there is if it cannot."""
    excess_bytes = size_of(folder) - budget_bytes
    doomed: list[Path] = []
    for one in sorted(_candidates(folder, needs), key=lambda one: (one.changed_at, one.path)):
        if excess_bytes <= 0:
            break
        doomed.append(one.path)
        excess_bytes -= one.size_bytes
    return doomed


def _candidates(folder: Path, needs: Needs) -> Iterator[_Candidate]:
    oldest_kept = needs.newest_round - LEAST_ROUNDS + 1
    paths = [
        *(path for path in (folder / "data" / "rounds").glob("[0-9]*") if _number(path.name) < oldest_kept),
        *(path for path in (folder / "submissions").glob("*/*.csv") if _round_of(path, oldest_kept) < oldest_kept),
        *(folder / "logs").rglob("*.log.old"),
        *_earlier_versions(folder / "models", needs.trained_versions),
        *_earlier_data(folder, needs.data_version),
    ]
    for path in paths:
        if not path.is_symlink():
            found = list(_files(path))
            newest = max((changed_at for _, changed_at in found), default=0.0)
            yield _Candidate(path, sum(size for size, _ in found), newest)


def _number(name: str) -> int:
    return int(name) if name.isdecimal() else 2**62


def _round_of(path: Path, otherwise: int) -> int:
    found = _ROUND_IN_NAME.search(path.name)
    return int(found[1]) if found else otherwise


def _earlier_versions(models: Path, used: frozenset[str]) -> Iterator[Path]:
    """Yield trained versions before the previous one: current and previous are what a round may need."""
    for home in models.glob("*"):
        versions = sorted(path.parent.name for path in home.glob("[!.]*/manifest.json"))
        current = _text(home / "current")
        end = versions.index(current) if current in versions else len(versions) - 1
        for version in versions[: max(0, end - 1)]:
            if version not in used:
                yield home / version


def _earlier_data(folder: Path, pinned: str) -> Iterator[Path]:
    """Yield data versions that are neither the newest, nor pinned, nor what a version that stays was trained on."""
    there = sorted(
        (path.name for path in (folder / "data").glob("v*") if _VERSION.fullmatch(path.name)),
        key=lambda name: [int(part) for part in name[1:].split(".")],
    )
    trained_on = {_trained_on(path) for path in (folder / "models").glob("*/*/manifest.json")}
    for version in there[:-1]:
        if version != pinned and version not in trained_on:
            yield folder / "data" / version


def _trained_on(manifest: Path) -> str:
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8")).get("data_version", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _files(path: Path) -> Iterator[tuple[int, float]]:
    if not path.is_dir() or path.is_symlink():
        with suppress(OSError):
            found = path.lstat()
            yield found.st_size, found.st_mtime
        return
    for parent, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                found = (Path(parent) / name).lstat()
                yield found.st_size, found.st_mtime
