"""Sweeps with the app's parts: one process or several, the report, and the best trial as a trained version."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from numebot.adapters.children import Child, start_child
from numebot.adapters.lease import lease
from numebot.adapters.sweeps import Studies
from numebot.app.app import App
from numebot.app.daemon import child_environ
from numebot.charts.sweeps import sweep_page
from numebot.core.errors import ConfigError
from numebot.core.sweeps import SweepPlan, Trial, parse_plan
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.durable import write_whole
from numebot.sweeping import Sweep

LOCK = "sweep.lock"
STOP_S = 20.0
Say = Callable[[str], None]


def read_plan(path: Path, trials: int | None = None) -> SweepPlan:
    """Return the plan of a sweep.toml. Raises: ConfigError."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}). Nothing was tried.") from error
    plan = parse_plan(content, str(path))
    return plan if trials is None else replace(plan, trials=trials)


@contextmanager
def studies_of(app: App) -> Iterator[Studies]:
    """Yield the studies of the data folder."""
    with closing(Studies(app.data_folder)) as studies:
        yield studies


def prepare(app: App, config: ModelConfig, plan: SweepPlan) -> int:
    """Queue what is to be tried, and have the data ready for several processes. Returns how many trials wait."""
    with studies_of(app) as studies:
        waiting = studies.study(study_name(config), plan).prepare()
    if waiting:
        version = app.datasets.version(config.tournament)
        app.datasets.feature_sets(version, config.tournament)
    return waiting


def play(app: App, config: ModelConfig, plan: SweepPlan, say: Say, *, worker: int = 0) -> int:
    """Play trials in this process until none waits. Raises: as Sweep.play."""
    own = config if not worker else replace(config, name=f"{config.name}.sweep{worker}")  # a log of its own
    with studies_of(app) as studies:
        study = studies.study(study_name(config), plan, worker=worker)
        return Sweep(own, plan, study=study, datasets=app.datasets, runner=app.runner, progress=say).play()


def play_in_processes(app: App, arguments: Sequence[str], jobs: int, environ: Mapping[str, str]) -> bool:
    """Play trials in `jobs` processes, `numebot sweep ARGUMENTS --worker N`; whether all ended well."""
    own = child_environ(environ, app.loaded.home, app.overrides)
    children: list[Child] = []
    try:
        for number in range(1, jobs + 1):
            children.append(start_child(["sweep", *arguments, "--worker", str(number)], own, app.clock))
        codes: list[int | None] = [None] * jobs
        while any(code is None for code in codes):
            codes = [child.wait(0.2) if code is None else code for child, code in zip(children, codes, strict=True)]
        return not any(codes)
    finally:
        for child in children:
            child.stop(STOP_S)


@contextmanager
def alone(app: App) -> Iterator[None]:
    """Hold the sweep's lock of the data folder. Raises: Taken when another sweep is at work there."""
    with lease(app.data_folder, "sweep", app.clock, name=LOCK):
        yield


@dataclass(frozen=True)
class Findings:
    """What a sweep found so far. `parameters` are those that all trials share; `page` is where the plots are."""

    study: str
    metric: str
    parameters: Mapping[str, object]
    trials: Sequence[Trial]
    importance: Mapping[str, float]
    page: Path


def findings(app: App, config: ModelConfig, plan: SweepPlan | None) -> Findings:
    """Write the page of a plan's sweep, of the newest one without a plan, and return what it found.

    Raises: ConfigError when there is none.
    """
    with studies_of(app) as studies:
        name = study_name(config)
        study = studies.study(name, plan) if plan else studies.newest(name)
        if study is None:
            raise ConfigError(
                f"{config.name} has no sweep yet. Make one: numebot sweep {config.name} --config sweep.toml"
            )
        trials, importance = study.trials(), study.importance()
        page = app.data_folder / "sweeps" / f"{name}.html"
        write_whole(page, app.clean(sweep_page(study.name, study.metric, trials, importance)))
        return Findings(study.name, study.metric, study.parameters, trials, importance, page)


def train_best(
    app: App, config: ModelConfig, shared: Mapping[str, object], best: Trial, say: Say
) -> TrainedVersion:
    """Train a model on all training rows with a trial's parameters and the shared ones. Raises: as App.train."""
    parameters = {**config.parameters, **shared, **best.parameters}
    version = app.train(replace(config, parameters=parameters), say)
    say(f"To train the same again, its row in model_configs.csv needs these parameters: {json.dumps(parameters)}")
    return version


def study_name(config: ModelConfig) -> str:
    """Return what tells the sweeps of one model from those of others."""
    return f"{config.name}@{config.tournament}"
