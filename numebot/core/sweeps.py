"""A sweep: which parameters of a model are tried, in which order, and how a trial is measured."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from numebot.core.errors import ConfigError
from numebot.core.features import did_you_mean

SAMPLERS = ("tpe", "random", "grid")
SPLITS = ("walk-forward", "blocks")
METRICS = ("corr_mean", "corr_sharpe")
DEFAULT_TRIALS = 30


@dataclass(frozen=True)
class Span:
    """A range of numbers, both ends included. Whole numbers where `is_whole`; on a logarithmic scale with `log`."""

    low: float
    high: float
    step: float | None = None
    log: bool = False
    is_whole: bool = False

    def values(self) -> tuple[object, ...]:
        """Return the numbers of a range with a step (1 for whole numbers)."""
        step = self.step or 1
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        return tuple(self._number(self.low + place * step) for place in range(count))

    def draw(self, chance: random.Random) -> object:
        """Return one number by chance."""
        if self.step or (self.is_whole and not self.log):
            return chance.choice(self.values())
        if self.log:
            return self._number(math.exp(chance.uniform(math.log(self.low), math.log(self.high))))
        return chance.uniform(self.low, self.high)

    def _number(self, value: float) -> object:
        return round(value) if self.is_whole else value


Choices = tuple[object, ...]
Space = Mapping[str, Span | Choices]


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep.toml says. `trials` None is every point of a grid; `embargo` None is what the target needs."""

    space: Space
    sampler: str = "tpe"
    trials: int | None = None
    folds: int = 3
    split: str = "walk-forward"
    metric: str = "corr_mean"
    embargo: int | None = None
    every_nth_era: int = 1
    prune: bool = True
    seed: int = 0
    parameters: Mapping[str, object] = field(default_factory=dict)

    def points(self) -> list[Mapping[str, object]]:
        """Return what each trial tries, as far as that is settled beforehand: all but TPE's, which learns on the way.

        The same plan gives the same points; more trials only add to them.
        """
        if self.sampler == "grid":
            values = [each.values() if isinstance(each, Span) else each for each in self.space.values()]
            whole = [dict(zip(self.space, point, strict=True)) for point in itertools.product(*values)]
            return list(whole[: self.trials])
        count = self.trials or DEFAULT_TRIALS
        if self.sampler == "tpe":
            return [{} for _ in range(count)]
        return [self._drawn(random.Random(f"{self.seed} {number}")) for number in range(count)]

    def fingerprint(self) -> str:
        """Return what tells this plan from others; the number of trials may grow."""
        said = {name: value for name, value in vars(self).items() if name not in ("trials", "prune")}
        text = json.dumps(said, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def _drawn(self, chance: random.Random) -> Mapping[str, object]:
        return {
            name: each.draw(chance) if isinstance(each, Span) else chance.choice(each)
            for name, each in self.space.items()
        }


class TrialState(StrEnum):
    """How far a trial is."""

    WAITING = "waiting"
    """Not begun."""
    RUNNING = "running"
    """Somebody works on it, or did when the power went."""
    COMPLETE = "complete"
    """All folds are measured."""
    PRUNED = "pruned"
    """Given up after a fold that was worse than the median of the others."""
    FAILED = "failed"
    """The plugin failed with these parameters."""
    INTERRUPTED = "interrupted"
    """Killed on the way; its point is tried anew."""


@dataclass(frozen=True)
class Trial:
    """One point of a sweep. `folds` are the values after each fold, over the eras so far; the last is `value`."""

    number: int
    state: TrialState
    parameters: Mapping[str, object]
    value: float | None = None
    folds: tuple[float, ...] = ()
    error: str = ""


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """Return the complete trial of the highest value, the first among equals."""
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE and trial.value is not None]
    return max(complete, key=lambda trial: (trial.value or 0.0, -trial.number), default=None)


def spoken(parameters: Mapping[str, object]) -> str:
    """Return parameters for a line of text."""
    shown = {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in parameters.items()}
    return ", ".join(f"{name}={value}" for name, value in shown.items())


def parse_plan(content: Mapping[str, object], where: str) -> SweepPlan:
    """Return the plan that a sweep.toml describes. Raises: ConfigError with everything that is wrong in it."""
    problems: list[str] = []
    allowed = set(SweepPlan.__dataclass_fields__)
    for name in content:
        if name not in allowed:
            problems.append(f'"{name}" is unknown.{did_you_mean(name, allowed)} Allowed: {", ".join(sorted(allowed))}.')
    given: dict[str, object] = {}
    for name, choices in (("sampler", SAMPLERS), ("split", SPLITS), ("metric", METRICS)):
        if name in content:
            given[name] = _one_of(name, content[name], choices, problems)
    for name, least in (("trials", 1), ("folds", 1), ("embargo", 0), ("every_nth_era", 1), ("seed", 0)):
        if name in content:
            given[name] = _whole(name, content[name], least, problems)
    if "prune" in content:
        given["prune"] = content["prune"]
        if not isinstance(content["prune"], bool):
            problems.append(f"prune is {content['prune']!r}. Allowed: true or false.")
    space = _table("space", content.get("space", {}), problems)
    if not space:
        problems.append("[space] names no parameter; there is nothing to try.")
    is_grid = content.get("sampler") == "grid"
    given["space"] = {name: _dimension(name, value, is_grid, problems) for name, value in space.items()}
    fixed = _table("parameters", content.get("parameters", {}), problems)
    problems += [f'"{name}" stands in [parameters] and in [space].' for name in space if name in fixed]
    given["parameters"] = fixed
    if problems:
        raise ConfigError(f"{where}: " + " ".join(problems) + " Nothing was tried.")
    return SweepPlan(**given)  # type: ignore[arg-type] # each was looked at above


def _dimension(name: str, value: object, is_grid: bool, problems: list[str]) -> Span | Choices:
    if isinstance(value, list) and value:
        return tuple(value)
    if isinstance(value, Mapping) and {"low", "high"} <= set(value) <= {"low", "high", "step", "log"}:
        low, high, step, log = value["low"], value["high"], value.get("step"), value.get("log", False)
        numbers = [each for each in (low, high, step) if each is not None]
        is_whole = all(isinstance(each, int) for each in numbers)
        if all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers) and low < high:
            if log and (low <= 0 or step):
                problems.append(f"[space] {name}: with log, low has to be above 0 and there is no step.")
            elif step is not None and step <= 0:
                problems.append(f"[space] {name}: step is {step}. Allowed: more than 0.")
            elif is_grid and step is None and not is_whole:
                problems.append(f"[space] {name}: a grid needs a step, or a list of values.")
            return Span(low, high, step, bool(log), is_whole)
    problems.append(
        f"[space] {name} is {value!r}."
        " Allowed: a list of values, or {low = 1, high = 9} with low < high, and step or log = true."
    )
    return ()


def _one_of(name: str, value: object, allowed: Sequence[str], problems: list[str]) -> object:
    if value not in allowed:
        problems.append(f"{name} is {value!r}.{did_you_mean(str(value), allowed)} Allowed: {', '.join(allowed)}.")
    return value


def _whole(name: str, value: object, least: int, problems: list[str]) -> object:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        problems.append(f"{name} is {value!r}. Allowed: a whole number from {least}.")
    return value


def _table(name: str, value: object, problems: list[str]) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    problems.append(f"{name} is {value!r}. Allowed: a table, [{name}].")
    return {}
