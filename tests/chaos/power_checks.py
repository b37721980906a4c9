"""What must be true of a data folder after a power cut: files are whole, and what was told to anybody is there."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from numebot.adapters.artifacts import Artifacts
from numebot.core.errors import PluginError
from numebot.core.types import STEPS, State
from tests.chaos import disk_model
from tests.chaos.replay import Sent

DATABASE = "numebot.db"


@dataclass(frozen=True)
class Told:
    """What somebody outside was told of a model, so that it has to be on the disk from then on."""

    model: str
    step: State
    filename: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Records:
    """What the database of a state says: model → (step, filename, sha256 of the CSV), path of a file → sha256."""

    models: Mapping[str, tuple[State, str | None, str | None]]
    files: Mapping[str, str]
    health: str = "ok"


LINE = re.compile(r"round \d+: (?P<model>\w+) (?P<step>predicted|checked|uploaded|submitted|confirmed)\b")
KEPT = re.compile(r"kept as version (?P<version>\S+),")
UPLOAD = re.compile(rb"PUT /\S*/(?P<model>\w+?)_submission_")


def told_by(sent: Sent) -> list[Told]:
    """Read what a message tells: the uploaded bytes, createSubmission, and the lines for the owner."""
    if sent.to != "network":
        said = sent.data.decode(errors="replace")
        kept = [Told("", State.PENDING, version=line["version"]) for line in KEPT.finditer(said)]
        return kept + [Told(line["model"], State(line["step"])) for line in LINE.finditer(said)]
    if upload := UPLOAD.match(sent.data):
        return [Told(upload["model"].decode(), State.CHECKED)]
    if b"createSubmission(" in sent.data:
        filename = json.loads(sent.data)["variables"]["filename"]
        return [Told(filename.partition("_submission_")[0], State.UPLOADED, filename)]
    return []


def torn_files(state: disk_model.State, finals: Mapping[str, set[bytes]]) -> list[str]:
    """Name the files that stand under a final name with a content that was never whole."""
    return [path for path, content in state.items() if path in finals and content not in finals[path]]


def lay_out(state: disk_model.State, folder: Path, *, only: tuple[str, ...] = ("",)) -> None:
    """Write a state to a real folder; with `only`, what has a path that begins so."""
    for path, content in state.items():
        if path.startswith(only):
            target = folder / path
            (target if content is None else target.parent).mkdir(parents=True, exist_ok=True)
            if content is not None:
                target.write_bytes(content)


def read_records(database: Path) -> Records:
    """Open a database as numebot would after the power cut; SQLite repairs it on the way."""
    if not database.exists():
        return Records({}, {})
    connection = sqlite3.connect(database)
    try:
        connection.execute("PRAGMA synchronous = OFF")  # a copy that is thrown away
        health = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "submissions" not in tables:
            return Records({}, {}, health)
        rows = connection.execute("SELECT model, step, filename, sha256 FROM submissions").fetchall()
        files = connection.execute("SELECT path, sha256 FROM data_files").fetchall()
    finally:
        connection.close()
    return Records({model: (State(step), *rest) for model, step, *rest in rows}, dict(files), health)


def complaints(state: disk_model.State, records: Records, told: Sequence[Told], folder: str) -> list[str]:
    """Say what is wrong: `state` has the paths below the owner's folder, `folder` is the absolute path of that."""
    wrong = [] if records.health == "ok" else [f"the database is damaged: {records.health}"]
    for entry in told:
        step, filename, _ = records.models.get(entry.model, (State.PENDING, None, None))
        if STEPS.index(step) < STEPS.index(entry.step):
            wrong.append(f"{entry.model} was told to be {entry.step}, and the database says {step}")
        if entry.filename not in (None, filename):
            wrong.append(f"{entry.filename} was sent, and the database says {filename}")
    for path, sha256 in records.files.items():
        wrong += _differs(state, path.removeprefix(f"{folder}/"), sha256)
    for model, (step, _, sha256) in records.models.items():
        if STEPS.index(step) >= STEPS.index(State.PREDICTED):
            wrong += _missing(state, f"/predictions/{model}.parquet")
        if STEPS.index(step) >= STEPS.index(State.CHECKED):
            (path,) = [path for path in state if f"/submissions/{model}/{model}_" in path] or ["no submission"]
            wrong += _differs(state, path, sha256)
    return wrong + _false_manifests(state)


def trained_complaints(folder: Path, told: Sequence[Told]) -> list[str]:
    """Say what is wrong with the trained versions in a data folder."""
    artifacts = Artifacts(folder)
    wrong, current = [], set()
    for home in folder.glob("models/*"):
        try:
            for version in artifacts.versions(home.name):
                artifacts.load(home.name, version)
            found = artifacts.current(home.name)
        except PluginError as error:
            wrong.append(str(error))
        else:
            current |= {found.version} if found else set()
    missing = {entry.version for entry in told if entry.version} - current
    return wrong + [f"{version} was told to be kept and is not there" for version in missing]


def _differs(state: disk_model.State, path: str, sha256: str | None) -> list[str]:
    content = state.get(path)
    found = _sha256(content) if content is not None else "not there"
    return [] if found == sha256 else [f"{path} should have the sha256 {sha256}: {found}"]


def _missing(state: disk_model.State, ending: str) -> list[str]:
    return [] if any(path.endswith(ending) for path in state) else [f"{ending} should be there"]


def _false_manifests(state: disk_model.State) -> list[str]:
    """A manifest beside a file makes it count as ready: it has to tell the truth about the file."""
    ending = ".source.json"
    wrong = []
    for path, content in state.items():
        if path.endswith(ending) and content is not None and "/." not in path:
            known, file = json.loads(content), path.removesuffix(ending)
            if known["sha256"] is not None:
                wrong += _differs(state, file, known["sha256"])
            elif len(state.get(file) or b"") != known["size_bytes"]:
                # A large file is hashed when it is remembered; until then its size has to be true.
                wrong.append(f"{file} should have {known['size_bytes']} bytes: {len(state.get(file) or b'')}")
    return wrong


_KNOWN: dict[int, tuple[bytes, str]] = {}


def _sha256(content: bytes) -> str:
    """Hash the same bytes object once: it comes back in all states. The entry keeps it alive, so the id is its own."""
    if id(content) not in _KNOWN:
        _KNOWN[id(content)] = (content, hashlib.sha256(content).hexdigest())
    return _KNOWN[id(content)][1]
