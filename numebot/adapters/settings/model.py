"""What can be set: one frozen model, one class per section. Defaults stand here and, commented, in config/numebot.toml.

Each field's description says what is allowed, in words that finish the sentence "… is not".
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from numebot.adapters.settings.addresses import has_host, is_host_name, is_loopback, is_postgresql
from numebot.core.openings import parse_opening
from numebot.core.retraining import ALLOWED as RETRAIN_ALLOWED
from numebot.core.retraining import parse_retraining
from numebot.core.types import Tournament

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _number(default: float, what: str, *, low: float, high: float) -> Any:
    return Field(default, ge=low, le=high, description=f"{what} ({low:g} to {high:g})")


def _seconds(default: float, *, low: float, high: float) -> Any:
    return _number(default, "a number of seconds", low=low, high=high)


def _whole(default: int, *, low: int, high: int) -> Any:
    return Field(default, ge=low, le=high, description=f"a whole number ({low} to {high})")


class Section(BaseModel):
    """One [section]: frozen, unknown keys refused, and every value also understood as the text of a variable."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _take_plain_forms(cls, value: object, info: ValidationInfo) -> object:
        """Refuse true and false as numbers, and split the text "a, b" where a list is wanted."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and annotation is not bool:
            raise ValueError
        if not isinstance(value, str):
            return value
        if _CONTROL.search(value):
            raise ValueError("holds a line break or another control character")
        return _list_in(value) if str(annotation).startswith("tuple[") else value.strip()


class Paths(Section):
    """Where things lie; relative paths are relative to home."""

    data_folder: Path = Field(default=Path(), validate_default=True, description="the path of a folder")
    model_configs: Path = Field(default=Path(), validate_default=True, description="the path of a file")
    practice_folder: Path = Field(default=Path(), validate_default=True, description="the path of a folder")

    @field_validator("data_folder", "model_configs", "practice_folder", mode="before")
    @classmethod
    def _place(cls, value: object, info: ValidationInfo) -> object:
        """Put the default in, the home folder in front, and refuse the wrong kind of thing at that place."""
        home: Path = (info.context or {}).get("home", Path())
        default = {
            "data_folder": user_data_path("numebot") / "numerai_data",
            "model_configs": Path("model_configs.csv"),
            "practice_folder": user_data_path("numebot") / "practice",
        }[info.field_name or ""]
        is_folder = info.field_name != "model_configs"
        if value in ("", Path()):
            return home / default
        if not isinstance(value, str | Path) or _CONTROL.search(str(value)):
            raise ValueError
        try:
            path = home / Path(value).expanduser()
        except RuntimeError as error:
            raise ValueError(f"cannot be used: {error}") from error
        if is_folder and path.is_file():
            raise ValueError("is a file; it must be a folder, existing or new")
        if not is_folder and path.is_dir():
            raise ValueError("is a folder; it must be a CSV file")
        return path


class TournamentSection(Section):
    """Which tournaments are played."""

    play: tuple[Tournament, ...] = Field(
        default=(Tournament.CLASSIC,), min_length=1, description="a list of one or more of classic, signals, crypto"
    )

    @field_validator("play", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        """Turn names into numbers; numbers of the API are taken too."""
        value = _list_in(value) if isinstance(value, str) else value
        if not isinstance(value, list | tuple):
            return value
        by_name = {tournament.name.lower(): tournament for tournament in Tournament}
        numbers = [by_name.get(str(one).strip().lower(), one) for one in value]
        return tuple(dict.fromkeys(numbers))


class Api(Section):
    """Numerai's server and the limits of talking to it."""

    url: str = Field(
        default="https://api-tournament.numer.ai", description="an https address (http only on this machine)"
    )
    connect_timeout_s: float = _seconds(5, low=0.1, high=120)
    read_timeout_s: float = _seconds(20, low=0.1, high=600)
    total_timeout_s: float = _seconds(60, low=0.1, high=3600)
    allowed_hosts: tuple[str, ...] = Field(default=(), description="a list of host names such as numer.ai")
    proxy: str = Field(default="", repr=False, description="empty or the http(s) address of a proxy")
    max_download_gb: float = _number(20, "a number of gigabytes", low=0.001, high=10_000)
    download_timeout_minutes: float = _number(60, "a number of minutes", low=0.1, high=1440)

    @field_validator("url")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        """Take https anywhere and http on this machine: the API key travels in a header."""
        parts = urlsplit(value)
        if not has_host(value) or parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("would send the API key unencrypted; use https (http is only for this machine)")
        return value.rstrip("/")

    @field_validator("proxy")
    @classmethod
    def _proxy_address(cls, value: str) -> str:
        if value and not has_host(value):
            raise ValueError
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.strip().lower().rstrip(".") for name in value)
        if not all(is_host_name(name) for name in names):
            raise ValueError
        return names


class Schedule(Section):
    """When to look, and which rounds to enter."""

    play: Literal["all", "weekend"] = Field(default="all", description="all or weekend")
    openings: tuple[str, ...] = Field(
        default=("Tue-Sat 12:00", "Tue-Sat 13:00", "Sat 18:00"),
        description='a list of days and times in UTC such as "Tue-Sat 12:00"',
    )
    poll_seconds: float = _seconds(60, low=1, high=600)
    idle_seconds: float = _seconds(300, low=1, high=3600)
    safety_net: bool = Field(default=False, description="true or false")
    retrain: str = Field(default="never", description=RETRAIN_ALLOWED)

    @field_validator("retrain")
    @classmethod
    def _time_to_train(cls, value: str) -> str:
        parse_retraining(value)
        return value

    @field_validator("openings")
    @classmethod
    def _days_and_times(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for text in value:
                parse_opening(text)
        except ValueError as error:
            raise ValueError(f"cannot be used: {error}") from error
        return value


class Daemon(Section):
    """How the daemon works."""

    pass_minutes: float = _number(45, "a number of minutes", low=0.1, high=1440)
    wakeup_seconds: float = _seconds(600, low=5, high=3600)
    stop_seconds: float = _seconds(8, low=0, high=15)
    keep_awake: bool = Field(default=True, description="true or false")
    results_hours: float = _number(6, "a number of hours", low=0.1, high=168)


class Housekeeping(Section):
    """What is backed up, and what stays on the disk."""

    backup_at: str = Field(
        default="03:30", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time in UTC, HH:MM"
    )
    keep_backups: int = _whole(7, low=1, high=1000)
    keep_rounds: int = _whole(60, low=5, high=10_000)
    disk_budget_gb: float = _number(0, "a number of gigabytes", low=0, high=1_000_000)


class Data(Section):
    """Numerai's data files."""

    version: str = Field(
        default="", pattern=r"^(v[0-9]+(\.[0-9]+){0,3})?$", description='empty or a version such as "v5.3"'
    )
    expect_new_ids: bool = Field(default=True, description="true or false")


class Submission(Section):
    """Uploading, confirming and trying again."""

    deadline_margin_s: float = _seconds(120, low=0, high=3600)
    settle_s: float = _seconds(15, low=0, high=600)
    confirm_timeout_s: float = _seconds(120, low=1, high=3600)
    confirm_poll_s: float = _seconds(3, low=0.1, high=300)
    attempts: int = _whole(3, low=1, high=100)
    retry_s: float = _seconds(5, low=0, high=3600)


class Store(Section):
    """The database."""

    url: str = Field(
        default="",
        repr=False,
        description='empty or an address such as "postgresql://user:password@host/numebot", where a special character '
        "in the password is percent-encoded",
    )
    busy_timeout_s: float = _seconds(10, low=0, high=600)

    @field_validator("url")
    @classmethod
    def _of_postgresql(cls, value: str) -> str:
        if value and not is_postgresql(value):
            raise ValueError
        return re.sub("^postgres:", "postgresql:", value)


class Models(Section):
    """The plugins."""

    plugins_folder: Path | None = Field(default=None, description="empty or the path of a folder that exists")
    max_memory_fraction: float = _number(0.8, "a part of the memory", low=0.05, high=1)
    default_time_limit_minutes: float = _number(10, "a number of minutes", low=0.05, high=7 * 1440)
    default_memory_limit_mb: int = _whole(4096, low=256, high=100_000_000)
    training_time_limit_minutes: float = _number(1440, "a number of minutes", low=0.05, high=60 * 1440)
    training_memory_limit_mb: int = _whole(0, low=0, high=100_000_000)
    promotion_margin: float = _number(0.005, "a difference of correlations", low=0, high=2)

    @field_validator("plugins_folder", mode="before")
    @classmethod
    def _existing_folder(cls, value: object, info: ValidationInfo) -> object:
        if value in ("", None):
            return None
        if not isinstance(value, str | Path) or _CONTROL.search(str(value)):
            raise ValueError
        try:
            folder = (info.context or {}).get("home", Path()) / Path(value).expanduser()
        except RuntimeError as error:
            raise ValueError(f"cannot be used: {error}") from error
        if not folder.is_dir():
            raise ValueError(f"is not a folder that exists (looked for {folder})")
        return folder


class Practice(Section):
    """The tournament on this machine."""

    scale: Literal["tiny", "small", "full"] = Field(default="small", description="tiny, small or full")
    window_minutes: float = _number(60, "a number of minutes", low=0.05, high=1440)
    seed: int = _whole(1, low=0, high=2**32 - 1)


class Log(Section):
    """What is said on the way."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR"
    )

    @field_validator("level", mode="before")
    @classmethod
    def _upper_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value


class Settings(BaseModel):
    """Every setting of numebot, read once and then passed on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paths: Paths = Field(default_factory=Paths)
    tournament: TournamentSection = Field(default_factory=TournamentSection)
    api: Api = Field(default_factory=Api)
    schedule: Schedule = Field(default_factory=Schedule)
    daemon: Daemon = Field(default_factory=Daemon)
    housekeeping: Housekeeping = Field(default_factory=Housekeeping)
    data: Data = Field(default_factory=Data)
    submission: Submission = Field(default_factory=Submission)
    store: Store = Field(default_factory=Store)
    models: Models = Field(default_factory=Models)
    practice: Practice = Field(default_factory=Practice)
    log: Log = Field(default_factory=Log)


SECRET_KEYS = frozenset({"store.url"})
"""Settings that may hold a password: never shown as they are."""


def conflicts(settings: Settings) -> list[tuple[str, str]]:
    """Return (key, what is wrong) for values that are fine alone but not together."""
    api, submission = settings.api, settings.submission
    total, confirm = ("api.total_timeout_s", api.total_timeout_s), submission.confirm_timeout_s
    at_least = (
        (*total, "api.connect_timeout_s", api.connect_timeout_s),
        (*total, "api.read_timeout_s", api.read_timeout_s),
        ("submission.confirm_timeout_s", confirm, "submission.confirm_poll_s", submission.confirm_poll_s),
    )
    return [
        (key, f"{value:g} is less than {smaller_key} ({smaller:g}); it must be at least as much.")
        for key, value, smaller_key, smaller in at_least
        if value < smaller
    ]


def _list_in(text: str) -> list[object]:
    """Read "a, b" or a JSON list, as variables spell lists."""
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return list(json.loads(text))
    except ValueError:
        raise ValueError from None  # without JSON's words: the allowed form is said instead
