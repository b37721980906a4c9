"""The values that cross borders: frozen, typed, without behaviour of the outside world.

Times are aware UTC datetimes, sizes are bytes, and a model is a Numerai model slot (the code behind it is a plugin).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from pathlib import Path


class Tournament(IntEnum):
    """Numerai's tournaments by their number in the API."""

    CLASSIC = 8
    """Obfuscated stock features; the daily tournament."""
    SIGNALS = 11
    """Own features on a universe of tickers."""
    CRYPTO = 12
    """Tokens."""


class RoundState(StrEnum):
    """What the server says of the current round."""

    OPEN = "open"
    """Opened, and the deadline lies ahead."""
    CLOSED = "closed"
    """The server answered, and no round takes submissions."""
    UNKNOWN = "unknown"
    """The server could not be asked. Never to be read as closed."""


@dataclass(frozen=True)
class Round:
    """One round of one tournament.

    `deadline` is the API's closeStakingTime: what arrives until then is on-time. It slides with a late opening, so it
    is read again at every wake-up. `closes_at` is the API's closeTime, the nominal opening of the next round.
    """

    tournament: int
    number: int
    opens_at: datetime
    deadline: datetime
    closes_at: datetime | None = None
    data_datestamp: int | None = None


@dataclass(frozen=True)
class RoundAnswer:
    """The server's answer to "which round is on?", with its own clock.

    `round` is the last opened round also when it is closed; None when there is none or the state is unknown.
    `server_time` comes from the Date header (resolution one second), or from our own clock where that header was not
    believed; None when there was no answer. `reason` is for a person: why it is not open, or how the clocks differ.
    """

    state: RoundState
    round: Round | None
    server_time: datetime | None = None
    reason: str = ""


class State(StrEnum):
    """Where a model stands in a round: the steps in order (`STEPS`), then the endings."""

    PENDING = "pending"
    """Nothing done yet."""
    PREDICTED = "predicted"
    """The plugin's predictions are on disk."""
    CHECKED = "checked"
    """The file that will be uploaded is on disk, legal and with a known sha256."""
    UPLOADED = "uploaded"
    """The bytes are in Numerai's storage under `filename`; createSubmission may or may not have been sent."""
    SUBMITTED = "submitted"
    """createSubmission was answered with an id. Not yet a success."""
    CONFIRMED = "confirmed"
    """Numerai lists our filename for this round as on-time. The only success."""
    FAILED = "failed"
    """A step failed; it is repeated at `next_attempt_at`."""
    REJECTED = "rejected"
    """Numerai said no; its reason is kept verbatim and nothing is retried."""
    LATE = "late"
    """Numerai lists it, but after the deadline."""
    QUEUED = "queued"
    """Uploaded after the deadline: Numerai takes it for the next round."""
    MISSED = "missed"
    """The deadline passed without a confirmed submission."""


STEPS = (State.PENDING, State.PREDICTED, State.CHECKED, State.UPLOADED, State.SUBMITTED, State.CONFIRMED)
"""The steps of the machine in order; the other states are endings or waiting."""


@dataclass(frozen=True)
class Submission:
    """The row of one (tournament, round, model) in the step machine.

    `state` is what a person sees; `step` is the last step that is durable, so a failed row knows where to go on.
    `filename` is Numerai's unique name for the uploaded bytes: the idempotency key. `inputs_sha256` is the key of what
    the predictions were made from (round, data, code, trained version): when it changes, they are made again.
    `attempts` counts failures, `refusals` those that came from Numerai's validation, `plugin_failures` those of the
    model itself. `rung` names the step of the fallback ladder that the predictions came from; None is the model's own.
    `begun_at` stands while a plugin runs: found by a later pass, it tells of a plugin that took its process with it.
    """

    tournament: int
    round_number: int
    model: str
    state: State = State.PENDING
    step: State = State.PENDING
    model_id: str | None = None
    filename: str | None = None
    submission_id: str | None = None
    sha256: str | None = None
    inputs_sha256: str | None = None
    trained_version: str | None = None
    attempts: int = 0
    refusals: int = 0
    plugin_failures: int = 0
    rung: str | None = None
    begun_at: datetime | None = None
    error: str | None = None
    next_attempt_at: datetime | None = None
    submitted_at: datetime | None = None
    confirmed_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Event:
    """One line of the timeline behind `numebot why`: what happened to a model, a round or the daemon."""

    at: datetime
    kind: str
    message: str
    tournament: int | None = None
    round_number: int | None = None
    model: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelConfig:
    """One row of model_configs.csv, with the line it stands in.

    `network` is whether its plugin may open connections; `readable` are files and folders that it may read, and run
    programs from, beside its own code and the libraries of the system.
    `retrain` is when the daemon trains it anew, blank: as the settings say.
    `problem` is why the row cannot be used, as text for a person; such a row is recorded, never a crash.
    """

    name: str
    code: str
    description: str = ""
    enabled: bool = True
    is_ensemble: bool = False
    parameters: Mapping[str, object] = field(default_factory=dict)
    tournament: int = Tournament.CLASSIC
    fallback: str = ""
    time_limit_minutes: float | None = None
    memory_limit_mb: int | None = None
    network: bool = False
    readable: tuple[Path, ...] = ()
    retrain: str = ""
    line: int = 0
    problem: str | None = None


@dataclass(frozen=True)
class KeyInfo:
    """What an API key may do, as apiTokenInfo says. No secret inside.

    `scopes` None means that the server did not tell, which is not the same as none.
    """

    account: str
    name: str
    scopes: frozenset[str] | None


@dataclass(frozen=True)
class ListedSubmission:
    """A row of latestSubmissions: what Numerai holds for a model in a round.

    `status` is on-time, late, queued, pending, none, or a word that we do not know yet.
    """

    round_number: int
    status: str
    id: str | None = None
    filename: str | None = None
    submitted_at: datetime | None = None


@dataclass(frozen=True)
class AccountModel:
    """A model slot of the account, with what Numerai lists for its newest rounds."""

    id: str
    name: str
    tournament: int
    has_pickle: bool = False
    submissions: tuple[ListedSubmission, ...] = ()


@dataclass(frozen=True)
class SubmissionRecord:
    """An upload as `submissions(modelId)` knows it; `status` and `error_info` may stay empty for ever."""

    id: str
    filename: str
    round_number: int | None = None
    selected: bool | None = None
    status: str | None = None
    error_info: str | None = None
    inserted_at: datetime | None = None


@dataclass(frozen=True)
class UploadAuthorisation:
    """Permission to PUT one file. The address is a secret: it is never shown."""

    filename: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class Download:
    """A whole, durable file.

    `sha256` is None where the caller did without; `etag` is the server's, without quotes; `is_new` is False when the
    server said "not modified".
    """

    path: Path
    sha256: str | None
    size_bytes: int
    etag: str | None = None
    is_new: bool = True


@dataclass(frozen=True)
class DataFile:
    """A downloaded file as the store remembers it. `round_number` is None for the static files of a data version."""

    name: str
    path: Path
    sha256: str
    size_bytes: int
    round_number: int | None = None
    etag: str | None = None
    fetched_at: datetime | None = None


@dataclass(frozen=True)
class TrainedVersion:
    """A trained model on disk, as its manifest describes it.

    `target` is the resolved name (e.g. target_ender_60 where the plugin said "target"): its meaning changed in place
    between data versions. `eras` is the first and last training era. `metrics` are era-wise validation figures.
    """

    model: str
    version: str
    folder: Path
    data_version: str
    features: tuple[str, ...]
    target: str
    parameters: Mapping[str, object]
    libraries: Mapping[str, str]
    eras: tuple[str, str] | None
    metrics: Mapping[str, float]
    sha256: str
    trained_at: datetime
    code: str = ""
