"""One numebot with its parts: settings → adapters → stories, each built once.

Heavy libraries (pandas, lightgbm, xgboost, numerapi) load with the parts that need them, so `status` and the other
quick commands never wait for them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from numebot.adapters.clock import SystemClock
from numebot.adapters.housekeeping import BACKUPS, backup_path, backups
from numebot.adapters.lease import DAEMON_LOCK, lease, place_of, shared_lease
from numebot.adapters.registry import Registry, read_registry
from numebot.adapters.settings import ApiKey, LoadedSettings, Settings, missing_key_message, passwords_in
from numebot.core.errors import AccessDenied, ConfigError
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.redaction import redact

if TYPE_CHECKING:
    from numebot.adapters.artifacts import Artifacts
    from numebot.adapters.datasets import Datasets, KeptFiles
    from numebot.adapters.numerai.client import NumeraiClient
    from numebot.adapters.runner.runner import Runner
    from numebot.adapters.store import Store
    from numebot.kit.checking import Checker
    from numebot.kit.replaying import Replayer
    from numebot.pipeline import Tools
    from numebot.results import ResultsTools
    from numebot.training import TrainingWishes

PG_RESTORE = "`pg_restore --clean --if-exists --no-owner --single-transaction --dbname=ADDRESS FILE`."


class App:
    """One numebot with its parts. Each is made on first use; what must be closed is closed by `close`."""

    def __init__(
        self, loaded: LoadedSettings, key: ApiKey | None, *, warnings: Sequence[str] = (), crash_at: str = ""
    ) -> None:
        self.loaded = loaded
        self.settings: Settings = loaded.settings
        self.warnings = (*loaded.warnings, *warnings)
        self.clock = SystemClock()
        self.progress: Callable[[str, int, int | None], None] | None = None
        """Hears of every download: name, bytes so far, bytes in all. Set before the server is first used."""
        self._key = key
        self._crash_at = crash_at
        self.overrides: Mapping[str, object] = {}
        """Settings that were made for this run, as variables: a child needs the same ones."""
        self.is_interrupted = False
        """Set by a signal; the next step of a round does not begin then, whatever swallowed the exception."""
        self._closing = ExitStack()

    def close(self) -> None:
        """Give back what was opened, last first."""
        self._closing.close()

    @property
    def data_folder(self) -> Path:
        """Where everything lies that numebot writes."""
        return self.settings.paths.data_folder

    @property
    def database_file(self) -> Path:
        """Where the database lies, unless it is on a server."""
        return self.data_folder / "numebot.db"

    @property
    def key(self) -> ApiKey:
        """The API key. Raises: AccessDenied when there is none, saying where to put one."""
        if self._key is None:
            raise AccessDenied(missing_key_message(self.loaded.home))
        return self._key

    @property
    def has_key(self) -> bool:
        """Whether there is an API key."""
        return self._key is not None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen in any output."""
        of_database = passwords_in(self.settings.store.url)
        return (self._key.public_id, self._key.secret_key, *of_database) if self._key else of_database

    def clean(self, text: str) -> str:
        """Return `text` without secrets: it may come from a plugin or a library."""
        return redact(text, self.secrets)

    @cached_property
    def registry(self) -> Registry:
        """The rows of model_configs.csv. Raises: ConfigError when the file cannot be read at all."""
        return read_registry(
            self.settings.paths.model_configs,
            home=self.loaded.home,
            plugins_folder=self.settings.models.plugins_folder,
        )

    @cached_property
    def store(self) -> Store:
        """The database, which must not belong to another server. Raises: ConfigError, LocalTrouble."""
        from numebot.adapters.store import Store  # what is not used is not loaded, here and below

        url = self.settings.store.url or f"sqlite:///{self.database_file}"
        store = Store(
            url,
            busy_timeout_s=self.settings.store.busy_timeout_s,
            before_upgrade=lambda schema: backup_path(self.data_folder, self.clock.now(), before_upgrade_from=schema),
        )
        self._closing.callback(store.close)
        store.require_server(self.server_name)
        return store

    def restore(self, backup: Path | None) -> tuple[Path, Path]:
        """Put a backup, by default the newest that is whole, in the place of the database.

        Return the backup and the new name of what was replaced. Nobody else may be at work in the data folder.
        Raises: ConfigError, Taken, Damaged, LocalTrouble; nothing is changed then.
        """
        from numebot.adapters.store.restore import restore

        if self.settings.store.url:
            raise ConfigError(f"A PostgreSQL is restored by its own program: stop numebot, then type {PG_RESTORE}")
        chosen = backup or self.newest_whole_backup()
        if chosen is None:
            raise ConfigError(f"{self.data_folder / BACKUPS}: holds no backup that is whole. Nothing was changed.")
        kept = self.database_file.with_name(f"{self.database_file.name}.replaced-{self.clock.now():%Y%m%dT%H%M%SZ}")
        with (
            lease(self.data_folder, "restore", self.clock, name=DAEMON_LOCK),
            lease(self.data_folder, "restore", self.clock),
        ):
            restore(chosen, self.database_file, kept=kept, server=self.server_name)
        return chosen, kept

    def newest_whole_backup(self) -> Path | None:
        """Return the newest backup in the data folder that can be restored."""
        from numebot.adapters.store.restore import newest_whole

        return newest_whole(path for path in backups(self.data_folder) if path.suffix == ".db")

    def what_to_restore(self) -> str:
        """Return a sentence for the owner of a damaged database."""
        if self.settings.store.url:
            return ""
        best = self.newest_whole_backup()
        if best is None:
            return (
                f" There is no backup in {self.data_folder / BACKUPS} that is whole. Moved away, numebot begins anew "
                "and takes over what Numerai holds."
            )
        return f" The newest backup that is whole is {best}: stop numebot, then type `numebot db restore`."

    @contextmanager
    def at_work(self, purpose: str, *, wait_s: float = 0.0) -> Iterator[None]:
        """Hold the lease of the data folder and of the database for the length of the block.

        Raises: Taken when another numebot is at work and did not end within `wait_s` seconds; LocalTrouble.
        """
        lasts = timedelta(minutes=self.settings.daemon.pass_minutes + 5)
        with (
            lease(self.data_folder, purpose, self.clock, wait_s=wait_s),
            shared_lease(self.store, purpose, self.clock, lasts=lasts, place=place_of(self.data_folder)),
        ):
            yield

    @property
    def server_name(self) -> str:
        """What tells one tournament server from another."""
        return urlsplit(self.settings.api.url).hostname or self.settings.api.url

    @cached_property
    def server(self) -> NumeraiClient:
        """The tournament server; public questions work without a key."""
        from numebot.adapters.numerai.api_settings import ApiSettings
        from numebot.adapters.numerai.client import NumeraiClient

        api = self.settings.api
        return NumeraiClient(
            ApiSettings(
                url=api.url,
                public_id=self._key.public_id if self._key else None,
                secret_key=self._key.secret_key if self._key else None,
                connect_timeout_s=api.connect_timeout_s,
                read_timeout_s=api.read_timeout_s,
                total_timeout_s=api.total_timeout_s,
                download_timeout_s=api.download_timeout_minutes * 60,
                max_download_bytes=int(api.max_download_gb * 1e9),
                allowed_hosts=api.allowed_hosts,
                proxy=api.proxy or None,
            ),
            self.clock,
            progress=self.progress,
        )

    @cached_property
    def datasets(self) -> Datasets:
        """Numerai's files on this machine."""
        from numebot.adapters.datasets import Datasets
        from numebot.adapters.datasets.parquet import available_memory_bytes

        part = self.settings.models.max_memory_fraction
        return Datasets(
            self.server,
            self.data_folder,
            pinned_version=self.settings.data.version,
            expect_new_ids=self.settings.data.expect_new_ids,
            memory_probe=lambda: int(available_memory_bytes() * part),
        )

    @cached_property
    def artifacts(self) -> Artifacts:
        """The trained versions on this machine."""
        from numebot.adapters.artifacts import Artifacts

        return Artifacts(self.data_folder)

    @cached_property
    def runner(self) -> Runner:
        """What runs plugins, each call in a process of its own."""
        from numebot.adapters.datasets.parquet import available_memory_bytes
        from numebot.adapters.runner.asking import DefaultLimits
        from numebot.adapters.runner.runner import Runner

        wishes = self.settings.models
        limits = DefaultLimits(
            wishes.default_time_limit_minutes,
            wishes.default_memory_limit_mb,
            wishes.training_time_limit_minutes,
            wishes.training_memory_limit_mb,
        )
        private = [wishes.plugins_folder] if wishes.plugins_folder else []
        runner = Runner(
            [self.loaded.home, *private],
            place=self.data_folder,
            limits=limits,
            available_memory_bytes=lambda: int(available_memory_bytes() * wishes.max_memory_fraction),
            clean=self.clean,
        )
        self._closing.callback(runner.close)
        return runner

    @cached_property
    def _kept(self) -> KeptFiles:
        from numebot.adapters.datasets import KeptFiles
        from numebot.adapters.datasets.parquet import available_memory_bytes

        part = self.settings.models.max_memory_fraction
        return KeptFiles(self.data_folder, memory_probe=lambda: int(available_memory_bytes() * part))

    @cached_property
    def checker(self) -> Checker:
        """What checks plugins."""
        from numebot.kit.checking import Checker

        return Checker(self.runner, self.artifacts, self._kept)

    @cached_property
    def replayer(self) -> Replayer:
        """What predicts past rounds again."""
        from numebot.adapters.predictions import PredictionFiles
        from numebot.kit.replaying import Replayer

        files = PredictionFiles(self.data_folder)
        return Replayer(self.runner, self.artifacts, self._kept, files, self.store, self.clock, clean=self.clean)

    def train(
        self,
        config: ModelConfig,
        progress: Callable[[str], None],
        *,
        wishes: TrainingWishes | None = None,
        show: Callable[[str, int, int | None], None] = lambda what, done, of: None,
    ) -> TrainedVersion:
        """Train one model and remember the version. No key is needed: the data are public. Raises as `train_model`."""
        from numebot.training import TrainingWishes, train_model

        wishes = replace(wishes or TrainingWishes(), promotion_margin=self.settings.models.promotion_margin)

        self.store.claim_for(self.server_name)
        version = train_model(
            config,
            datasets=self.datasets,
            artifacts=self.artifacts,
            runner=self.runner,
            now=self.clock.now,
            progress=progress,
            wishes=wishes,
            show=show,
        )
        self.store.remember_version(version)
        for file in self.datasets.static_files():
            self.store.remember_file(file, now=self.clock.now())
        return version

    @cached_property
    def round_tools(self) -> Tools:
        """What a pass over a round needs. Raises: AccessDenied without a key."""
        from numebot.app.round_tools import round_tools

        return round_tools(self)

    def results_tools(self, progress: Callable[[str, int, int | None], None] | None = None) -> ResultsTools:
        """Return what a sync of the results needs; `progress` hears how far it is. Raises: AccessDenied without a key.

        Numerai's limits are kept within one of these.
        """
        from numebot.adapters.numerai.results import NumeraiResults
        from numebot.adapters.numerai.standing import NumeraiStanding
        from numebot.results import ResultsTools

        _ = self.key
        self.store.claim_for(self.server_name)
        return ResultsTools(
            server=self.server,
            results=NumeraiResults(self.server.transport),
            figures=NumeraiStanding(self.server.transport),
            store=self.store.results,
            standing=self.store.standing,
            record=self.store.record,
            clock=self.clock,
            clean=self.clean,
            progress=progress or (lambda part, done, of: None),
        )

    def at_border(self, border: str) -> None:
        """Stop between two durable changes: when the owner wants to, and where a test of the recovery wants a kill."""
        if self.is_interrupted:
            raise KeyboardInterrupt
        if border == self._crash_at:
            os.kill(os.getpid(), signal.SIGKILL)
