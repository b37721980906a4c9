"""What the practice server remembers between restarts: one JSON file, written whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from numebot.core.errors import ConfigError
from numebot.durable import write_whole

STATE_FILE = "state.json"


class Purpose(StrEnum):
    """What an upload authorisation is for."""

    SUBMISSION = "submissions"
    """Live predictions."""
    DIAGNOSTICS = "diagnostics"
    """Validation predictions."""
    PICKLE = "pickles"
    """A model upload."""


class Verdict(StrEnum):
    """What the validator said of a submission or a diagnostics file."""

    PENDING = "pending"
    """Not looked at yet."""
    VALID = "valid"
    """Accepted."""
    INVALID = "invalid"
    """Refused; `error` says why."""


@dataclass(frozen=True)
class Anchor:
    """The first round that was really played, and the rhythm since; durations in minutes."""

    number: int
    opens_at: datetime
    window_minutes: float
    period_minutes: float
    open_late_minutes: float


@dataclass(frozen=True)
class ApiKey:
    """A key of the practice account. The secret is no secret: it opens nothing but this server."""

    name: str
    public_id: str
    secret: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class ModelSlot:
    """A model of the account. `stake_nmr` is play money, as a decimal string."""

    id: str
    name: str
    tournament: int
    inserted_at: datetime
    stake_nmr: str = "0"
    webhook: str | None = None
    pickle_id: str | None = None
    bio: str | None = None
    link_url: str | None = None
    link_text: str | None = None
    archived_at: datetime | None = None


@dataclass(frozen=True)
class Upload:
    """A granted upload authorisation: the unique filename and what it may become."""

    filename: str
    purpose: Purpose
    model_id: str
    tournament: int
    granted_at: datetime

    @property
    def key(self) -> str:
        """The storage key under which the bytes arrive."""
        return f"{self.purpose}/{self.filename}"


@dataclass(frozen=True, kw_only=True)
class JudgedEntry:
    """An uploaded file that was turned into something and is judged at `validates_at`."""

    id: str
    model_id: str
    tournament: int
    filename: str
    sha256: str
    inserted_at: datetime
    validates_at: datetime
    verdict: Verdict = Verdict.PENDING
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class SubmissionEntry(JudgedEntry):
    """One created submission. `round_number` is the round that was current at `inserted_at`."""

    round_number: int
    size_bytes: int
    is_late: bool = False
    rows: int | None = None
    accepted: int | None = None
    source: str | None = None
    trigger_id: str | None = None
    data_datestamp: int | None = None
    remote: str = ""


@dataclass(frozen=True, kw_only=True)
class DiagnosticsEntry(JudgedEntry):
    """One diagnostics run; the metrics are computed from the stored file when asked for."""


@dataclass(frozen=True)
class PickleEntry:
    """An uploaded model. It is kept and can be assigned, but nothing here ever runs it."""

    id: str
    filename: str
    model_id: str | None
    tournament: int
    inserted_at: datetime
    data_version_id: str | None = None
    docker_image_id: str | None = None


@dataclass(frozen=True)
class TriggerEntry:
    """A webhook or pickle trigger that was asked for. Nothing is called."""

    id: str
    model_id: str
    pickle_id: str | None
    inserted_at: datetime


@dataclass
class State:
    """Everything that survives a restart. `saved_at` is practice time: the clock never falls behind it."""

    saved_at: datetime
    anchor: Anchor
    keys: list[ApiKey] = field(default_factory=list)
    models: dict[str, ModelSlot] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    submissions: dict[str, SubmissionEntry] = field(default_factory=dict)
    diagnostics: dict[str, DiagnosticsEntry] = field(default_factory=dict)
    pickles: dict[str, PickleEntry] = field(default_factory=dict)
    triggers: dict[str, TriggerEntry] = field(default_factory=dict)
    email_preferences: dict[str, bool] = field(default_factory=dict)


_ADAPTER = TypeAdapter(State)


def load_state(folder: Path) -> State | None:
    """Return the remembered state of `folder`, None at the first start.

    Raises: ConfigError when the file is there and not readable as a state.
    """
    path = folder / STATE_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _ADAPTER.validate_json(content)
    except ValidationError as error:
        raise ConfigError(
            f"{path}: not a state of the practice tournament ({error.error_count()} problems, the first: "
            f"{error.errors()[0]['msg']}). Move the file away to begin a new tournament."
        ) from error


def save_state(state: State, folder: Path) -> None:
    """Write `state` durably. Raises: LocalTrouble."""
    write_whole(folder / STATE_FILE, _ADAPTER.dump_json(state, indent=1))
