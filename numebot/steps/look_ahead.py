"""Predictions in the making: several models' plugins run at once while the pass uploads what is done already."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType

import pandas as pd

from numebot.adapters.runner.asking import PredictionRequest
from numebot.adapters.runner.runner import Runner
from numebot.core.errors import NumebotError
from numebot.core.ports import Clock

_LOOK_S = 1.0


@dataclass(frozen=True, eq=False)
class Wanted:
    """A prediction that a model waits for. Those with the same `key` are made once."""

    model: str
    request: PredictionRequest
    key: str


@dataclass(eq=False)
class _Work:
    models: list[str]
    request: PredictionRequest
    began_s: float | None = None
    took_s: float = 0.0
    found: pd.Series | NumebotError | None = None


class LookAhead:
    """Runs plugins beside the pass, which takes what they give in its own time. End it with `with` or `close`.

    A thread hands the plugins' processes on; the pass alone writes to the database and speaks to Numerai.
    """

    def __init__(self, runner: Runner, clock: Clock, wanted: Sequence[Wanted]) -> None:
        """Start with all that is `wanted`, in this order, as many at a time as the machine allows."""
        self._runner = runner
        self._clock = clock
        works: dict[object, _Work] = {}
        for one in wanted:
            config = one.request.config
            # What ends at the limits of one may well stay within those of the other.
            same = (one.key, config.time_limit_minutes, config.memory_limit_mb)
            works.setdefault(same, _Work([], one.request)).models.append(one.model)
        self._works = {work.request: work for work in works.values()}
        self._by_model = {model: work for work in works.values() for model in work.models}
        self._news = threading.Condition()
        self._begun: list[str] = []
        self._is_stopped = False
        self._broken: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="look-ahead", daemon=True)
        if works:
            self._thread.start()

    def __enter__(self) -> LookAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs."""
        self._is_stopped = True
        if self._thread.is_alive():
            self._thread.join()

    def newly_begun(self) -> list[str]:
        """Return the models whose plugins were started since the last question."""
        with self._news:
            begun, self._begun = self._begun, []
            return begun

    def is_made_here(self, model: str) -> bool:
        """Whether the predictions of a model come from here."""
        return model in self._by_model

    def first_done(self, models: Iterable[str]) -> str | None:
        """Return the first of `models` whose plugin has ended; None while all of them are at it."""
        with self._news:
            return next((model for model in models if self._is_done(model)), None)

    def wait(self) -> None:
        """Come back when something happened, or after a moment."""
        with self._news:
            if not self._begun and self._broken is None:
                self._news.wait(_LOOK_S)

    def twin_of(self, model: str) -> str | None:
        """Return the model for which the plugin ran, when that is another one."""
        first = self._by_model[model].models[0]
        return None if first == model else first

    def took_s(self, model: str) -> float:
        """Return how many seconds its plugin's process took."""
        return self._by_model[model].took_s

    def take(self, model: str) -> pd.Series:
        """Return a model's predictions once they are there. Raises: as `Runner.predict`."""
        work = self._by_model[model]
        with self._news:
            while not self._is_done(model):
                self._news.wait(_LOOK_S)
        if work.found is None:
            raise RuntimeError("the plugins could not be run") from self._broken
        if isinstance(work.found, NumebotError):
            raise work.found
        return work.found

    def _is_done(self, model: str) -> bool:
        work = self._by_model.get(model)
        return work is not None and (work.found is not None or self._broken is not None)

    def _run(self) -> None:
        try:
            asked = self._runner.predict_many(
                list(self._works), began=self._note_begun, is_stopped=lambda: self._is_stopped
            )
            for request, found in asked:
                self._note_found(self._works[request], found)
        except NumebotError as error:
            # No process could be started: that is every model's trouble.
            for work in self._works.values():
                if work.found is None:
                    self._note_found(work, error)
        except BaseException as error:  # noqa: BLE001 # told in the pass, which would wait for ever
            with self._news:
                self._broken = error
                self._news.notify_all()

    def _note_begun(self, request: PredictionRequest) -> None:
        work = self._works[request]
        with self._news:
            work.began_s = self._clock.monotonic()
            self._begun += work.models
            self._news.notify_all()

    def _note_found(self, work: _Work, found: pd.Series | NumebotError) -> None:
        with self._news:
            work.found = found
            work.took_s = self._clock.monotonic() - work.began_s if work.began_s is not None else 0.0
            self._news.notify_all()
