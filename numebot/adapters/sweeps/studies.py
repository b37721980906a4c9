"""Studies: the trials of a sweep, what to try next, and what has been learned. The only door to Optuna."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from sqlalchemy.exc import SQLAlchemyError

from numebot.core.errors import LocalTrouble
from numebot.core.sweeps import Span, SweepPlan, Trial, TrialState
from numebot.durable import make_folder

FILE = "sweeps.db"
BUSY_TIMEOUT_S = 60
TRIALS_BEFORE_PRUNING = 4
_STATES = {
    optuna.trial.TrialState.WAITING: TrialState.WAITING,
    optuna.trial.TrialState.RUNNING: TrialState.RUNNING,
    optuna.trial.TrialState.COMPLETE: TrialState.COMPLETE,
    optuna.trial.TrialState.PRUNED: TrialState.PRUNED,
    optuna.trial.TrialState.FAIL: TrialState.FAILED,
}


@dataclass(frozen=True)
class Asked:
    """A trial to be played."""

    number: int
    parameters: Mapping[str, object]
    trial: Any


class Study:
    """One plan for one model. Raises everywhere: LocalTrouble when the file cannot be read or written."""

    def __init__(self, study: Any, plan: SweepPlan | None) -> None:
        self._study = study
        self._plan = plan

    @property
    def name(self) -> str:
        """The model and the plan's fingerprint."""
        return str(self._study.study_name)

    @property
    def metric(self) -> str:
        """What its values are."""
        return str(self._study.user_attrs.get("metric", "value"))

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters that all its trials share."""
        found: dict[str, object] = json.loads(self._study.user_attrs.get("parameters", "{}"))
        return found

    def trials(self) -> list[Trial]:
        """Return all trials, oldest first."""
        with _words():
            return [_as_trial(frozen) for frozen in self._study.get_trials(deepcopy=False)]

    def prepare(self) -> int:
        """Queue the points that nobody has tried yet, and return how many wait. Nobody else may be at work.

        What was running is from a process that is gone: its point waits again.
        """
        assert self._plan is not None, "only a study with a plan is prepared"
        with _words():
            for frozen in self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
                self._end(frozen.number, "interrupted", "yes")
            tried = {
                frozen.user_attrs.get("point")
                for frozen in self._study.get_trials(deepcopy=False)
                if "interrupted" not in frozen.user_attrs
            }
            for number, point in enumerate(self._plan.points()):
                if number not in tried:
                    self._study.enqueue_trial(self._written(point), user_attrs={"point": number})
            return len(self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,)))

    def next(self) -> Asked | None:
        """Take the next trial that waits; None when none does."""
        assert self._plan is not None, "only a study with a plan is played"
        with _words():
            if not self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,)):
                return None
            trial = self._study.ask({name: _distribution(each) for name, each in self._plan.space.items()})
            if "point" not in trial.user_attrs:
                # Another process took the last one between our two looks.
                self._end(trial.number, "interrupted", "surplus")
                return None
            return Asked(trial.number, self._read(trial.params), trial)

    def is_hopeless(self, asked: Asked, fold: int, value: float) -> bool:
        """Note the value after a fold; whether it is below the median of the others after the same fold."""
        assert self._plan is not None, "only a study with a plan is played"
        with _words():
            asked.trial.report(value, fold)
            return self._plan.prune and bool(asked.trial.should_prune())

    def complete(self, asked: Asked, value: float) -> None:
        """Note the value of a trial."""
        with _words():
            self._study.tell(asked.number, value)

    def prune(self, asked: Asked) -> None:
        """Note that a trial was given up."""
        with _words():
            self._study.tell(asked.number, state=optuna.trial.TrialState.PRUNED)

    def fail(self, asked: Asked, error: str) -> None:
        """Note that the plugin failed, and why."""
        with _words():
            self._end(asked.number, "error", error[:1000])

    def importance(self) -> Mapping[str, float]:
        """Return how much of the differences each parameter explains, most first; nothing while too little is known."""
        complete = [trial for trial in self.trials() if trial.state is TrialState.COMPLETE]
        varied = [name for name in (complete[0].parameters if complete else {}) if _is_varied(complete, name)]
        if len(complete) < 4 or len({trial.value for trial in complete}) < 2 or not varied:
            return {}
        if len(varied) == 1:
            return {varied[0]: 1.0}
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=32, seed=0)
        found = optuna.importance.get_param_importances(self._study, evaluator=evaluator, params=varied)
        return {name: float(share) for name, share in found.items()}

    def _end(self, number: int, why: str, words: str) -> None:
        frozen = self._study.get_trials(deepcopy=False)[number]
        self._study._storage.set_trial_user_attr(frozen._trial_id, why, words)
        self._study.tell(number, state=optuna.trial.TrialState.FAIL)

    def _written(self, point: Mapping[str, object]) -> dict[str, object]:
        assert self._plan is not None, "see above"
        space = self._plan.space
        return {name: value if isinstance(space[name], Span) else json.dumps(value) for name, value in point.items()}

    def _read(self, found: Mapping[str, object]) -> dict[str, object]:
        return {name: _value(value) for name, value in found.items()}


class Studies:
    """The studies in `folder`/sweeps.db."""

    def __init__(self, folder: Path) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._path = folder / FILE
        self._storage: Any = None

    def close(self) -> None:
        """Give the file back."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()
            self._storage = None

    def study(self, model: str, plan: SweepPlan, *, worker: int = 0) -> Study:
        """Return the study of a plan, made when it is new. `worker` tells processes apart that work on it together."""
        with _words():
            study = optuna.create_study(
                storage=self._opened(),
                study_name=f"{model}/{plan.fingerprint()}",
                direction="maximize",
                load_if_exists=True,
                sampler=optuna.samplers.TPESampler(seed=plan.seed + 1000 * worker, constant_liar=True),
                pruner=optuna.pruners.MedianPruner(n_startup_trials=TRIALS_BEFORE_PRUNING, n_warmup_steps=0),
            )
            if "metric" not in study.user_attrs:
                study.set_user_attr("metric", plan.metric)
                study.set_user_attr("parameters", json.dumps(dict(plan.parameters)))
            return Study(study, plan)

    def newest(self, model: str) -> Study | None:
        """Return the study of a model that was begun last."""
        if not self._path.exists():
            return None
        with _words():
            names = [name for name in optuna.get_all_study_names(self._opened()) if name.rpartition("/")[0] == model]
            if not names:
                return None
            studies = [optuna.load_study(study_name=name, storage=self._opened()) for name in names]
            return Study(max(studies, key=lambda study: study._study_id), None)

    def _opened(self) -> Any:
        if self._storage is None:
            make_folder(self._path.parent)
            self._storage = optuna.storages.RDBStorage(
                f"sqlite:///{self._path}", engine_kwargs={"connect_args": {"timeout": BUSY_TIMEOUT_S}}
            )
        return self._storage


def _as_trial(frozen: Any) -> Trial:
    state = _STATES[frozen.state]
    if "interrupted" in frozen.user_attrs:
        state = TrialState.INTERRUPTED
    folds = tuple(float(value) for _, value in sorted(frozen.intermediate_values.items()))
    return Trial(
        frozen.number,
        state,
        {name: _value(value) for name, value in frozen.params.items()},
        float(frozen.value) if state is TrialState.COMPLETE else None,
        folds,
        str(frozen.user_attrs.get("error", "")),
    )


def _value(written: object) -> object:
    """Return what a parameter is: choices are kept as JSON, so that lists may be chosen from, numbers as they are."""
    return json.loads(written) if isinstance(written, str) else written


def _distribution(each: Span | tuple[object, ...]) -> BaseDistribution:
    if not isinstance(each, Span):
        return CategoricalDistribution([json.dumps(value) for value in each])
    if each.is_whole:
        return IntDistribution(int(each.low), int(each.high), log=each.log, step=int(each.step or 1))
    return FloatDistribution(each.low, each.high, log=each.log, step=each.step)


def _is_varied(trials: list[Trial], name: str) -> bool:
    return len({json.dumps(trial.parameters.get(name)) for trial in trials}) > 1


@contextmanager
def _words() -> Iterator[None]:
    """Turn what the database says into words of ours."""
    try:
        yield
    except (optuna.exceptions.StorageInternalError, SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error.__cause__ or error
        raise LocalTrouble(
            f"{FILE} cannot be used ({cause}). Free the disk, or move the file away to begin new sweeps."
        ) from error
