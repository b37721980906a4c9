"""What a plugin's process is asked to do, and how much it may take for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Task(StrEnum):
    """What can be asked of a plugin."""

    DESCRIBE = "describe"
    """Say what it is: feature set, targets, scale."""
    PREDICT = "predict"
    """Load what it learned and predict."""
    FIT = "fit"
    """Learn, and save what was learned."""
    CHECK = "check"
    """Go through check_model."""


@dataclass(frozen=True)
class Limits:
    """What one call may take: seconds on the clock, megabytes (2**20 bytes) of memory, processes and threads' owners.

    `time_name` and `memory_name` are what a person changes to allow more.
    """

    time_s: float = 600.0
    memory_mb: int = 4096
    processes: int = 64
    time_name: str = "time_limit_minutes"
    memory_name: str = "memory_limit_mb"


@dataclass(frozen=True)
class Request:
    """One call into a plugin. It is pickled on its way into the child, never on the way back.

    `scratch` is the only folder that the child may write to. `trained` is where a trained version lies. `readable` are
    folders and files it may read beside its libraries; of `listed` folders it learns the names and reads top-level
    Python files. `processors` are the numbers of those it may use.
    """

    task: Task
    model: str
    code: str
    folders: tuple[Path, ...]
    parameters: Mapping[str, object]
    scratch: Path
    limits: Limits
    trained: Path | None = None
    readable: tuple[Path, ...] = ()
    listed: tuple[Path, ...] = ()
    network: bool = False
    processors: tuple[int, ...] = ()
    log: Path | None = None


class Kind(StrEnum):
    """How a call ended."""

    DONE = "done"
    """The plugin's process answered; what it wrote is still to be checked."""
    FAILED = "failed"
    """The plugin failed by itself."""
    SCARCE = "scarce"
    """It ran out of time or memory: it may do better alone."""
    LOST = "lost"
    """The process that watched it is gone."""


@dataclass(frozen=True)
class Outcome:
    """How a call ended, in words where it failed, with what it took.

    `is_clean` is False when something that the plugin started could not be ended.
    """

    kind: Kind
    words: str = ""
    answer: Mapping[str, object] = field(default_factory=dict)
    seconds: float = 0.0
    peak_mb: float = 0.0
    is_clean: bool = True
