"""Calls into plugins: what each may see and take is put together here, and each is run in a process of its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

from numebot.adapters.runner.asking import DefaultLimits
from numebot.adapters.runner.nursery import Nursery, shared_nursery
from numebot.adapters.runner.pool import Call, Pool
from numebot.adapters.runner.requests import Kind, Limits, Outcome, Request, Task
from numebot.adapters.runner.sandbox import allowed_below, isolation_notes
from numebot.adapters.runner.scratch import Scratch
from numebot.core.errors import NumebotError, PluginError
from numebot.core.types import ModelConfig
from numebot.durable import write_whole

logger = logging.getLogger(__name__)

LOGS = "logs"
SCRATCH = "scratch"


class Calls:
    """Makes and runs calls. The arguments are those of the runner."""

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        place: Path | None = None,
        limits: DefaultLimits | None = None,
        available_memory_bytes: Callable[[], int] | None = None,
        nursery: Nursery | None = None,
        clean: Callable[[str], str] = str,
    ) -> None:
        self._folders = tuple(folder.resolve() for folder in folders)
        self._place = place
        self._probe = available_memory_bytes or _machine_bytes
        self._pool = Pool(nursery or shared_nursery(), self.available_mb)
        self._clean = clean
        self._scratch: Scratch | None = None
        self.limits = limits or DefaultLimits()

    def close(self) -> None:
        """Remove the scratch files."""
        if self._scratch:
            self._scratch.close()
        self._scratch = None

    def log_of(self, config: ModelConfig) -> Path:
        """Return where what a model's plugin prints is kept."""
        return (self._place or self.files.folder) / LOGS / f"{config.name}.log"

    @property
    def files(self) -> Scratch:
        """The scratch folder, made when it is first needed."""
        if self._scratch is None:
            self._scratch = Scratch(self._place / SCRATCH if self._place else None)
        return self._scratch

    def available_mb(self) -> float:
        """Return the memory that plugins may take together, in MB of 2**20 bytes."""
        return self._probe() / 2**20

    def run(
        self, calls: Iterable[Call], *, is_stopped: Callable[[], bool] = lambda: False
    ) -> Generator[Call, None, None]:
        """Yield the calls as they end, each with its result; all of them end soon after `is_stopped` says yes."""
        _say_what_is_not_isolated()
        with closing(self._pool.run(calls, is_stopped=is_stopped)) as ended:
            for call in ended:
                _note(call)
                self._clean_log(call.request.log)
                yield call

    def _clean_log(self, path: Path | None) -> None:
        """Take secrets out of what a plugin printed: the process that wrote it down knows none."""
        if path is None or not path.exists():
            return
        text = path.read_text("utf-8", "replace")
        if (cleaned := self._clean(text)) != text:
            write_whole(path, cleaned)

    def succeeded(self, call: Call) -> Outcome:
        """Run one call and return its outcome. Raises: PluginError when it did not end well; what its answer raised."""
        for ended in self.run([call]):
            return require_done(ended.result)
        raise AssertionError("one call has one end")

    def request(
        self,
        task: Task,
        config: ModelConfig,
        parameters: Mapping[str, object],
        stack: ExitStack,
        *,
        trained: Path | None = None,
        limits: Limits | None = None,
    ) -> Request:
        """Return a request; its scratch folder lives as long as `stack`. `trained`: the folder of a version."""
        readable, listed = self._allowed(config)
        return Request(
            task=task,
            model=config.name,
            code=config.code,
            folders=self._folders,
            parameters=parameters,
            scratch=stack.enter_context(self.files.call_folder()),
            limits=limits or self.limits.of(config),
            trained=trained,
            readable=(*readable, *config.readable, self.files.data, *([trained] if trained else [])),
            listed=listed,
            network=config.network,
            log=self.log_of(config),
        )

    def _allowed(self, config: ModelConfig) -> tuple[list[Path], tuple[Path, ...]]:
        readable: list[Path] = []
        listed: list[Path] = []
        place = Path(config.code.partition(":")[0])
        own = [place.parent] if place.is_absolute() else []
        for number, folder in enumerate((*self._folders, *own)):
            read, names = allowed_below(folder, is_private=number > 0)
            readable += read
            listed += names
        return readable, tuple(listed)


def require_done(result: Outcome | NumebotError | None) -> Outcome:
    """Return the outcome of a call that ended well. Raises: PluginError when it did not; what its answer raised."""
    if isinstance(result, NumebotError):
        raise result
    assert result is not None, "a call that ended has a result"
    if result.kind is not Kind.DONE:
        raise PluginError(result.words)
    return result


@cache
def _say_what_is_not_isolated() -> None:
    for note in isolation_notes():
        logger.warning("%s", note)


def _note(call: Call) -> None:
    if isinstance(call.result, Outcome):
        request, result = call.request, call.result
        words = "%s: %s took %.2f s and %.0f MB (%s)"
        logger.debug(words, request.model, request.task, result.seconds, result.peak_mb, result.kind)


def _machine_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
