"""How large the database gets over three years of 50 models, how fast it answers, and how fast a day is written.

Everything is measured on the whole store and on half of it, in turn, so that a noisy minute hits both. Processes are
told as the clock saw them and as processor time (user + sys), which other work on the machine disturbs less.

Usage: python tests/benchmarks/bench_store.py [--fraction 1] [--folder FOLDER] [--rounds 5]
With --folder the databases stay there and need not be made again.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from time import process_time
from timeit import default_timer
from typing import NamedTuple

import big_store as made

from numebot.adapters.store import Store
from numebot.cli import COMMANDS
from numebot.core.results import Score
from numebot.core.scorecards import MetricName

ROOT = Path(__file__).parents[2]
MODEL = made.model_name(7)
MODEL_ID = made.model_id(7)
T = made.TOURNAMENT

COMMAND_LINES = ("status", "scores --last 20", f"scores {MODEL}", "ledger", f"why {{newest}} {MODEL}")
"""Measured as whole processes; {newest} is the newest round. Those that numebot does not have are left out."""

Question = Callable[[Store, int], object]
"""Asks a store with that newest round."""

QUERIES: dict[str, Question] = {
    "scores: newest of all models, 20 rounds": lambda store, newest: store.scores.newest(T, last=20),
    "scores: newest of a model, running + 20": lambda store, newest: store.scores.newest(T, model_ids=[MODEL_ID]),
    "scores: one metric of a model, all rounds": lambda store, newest: store.scores.newest(
        T, model_ids=[MODEL_ID], metric="corr60", last=10_000
    ),
    "scores: one metric of all models, 100 rounds": lambda store, newest: store.scores.newest(
        T, metric="corr60", last=100
    ),
    "scores: daily values of a model, 84 rounds": lambda store, newest: store.scores.daily(
        T, MODEL_ID, MetricName("corr60", "v1"), since_round=newest - 83
    ),
    "scores: which metrics there are": lambda store, newest: store.scores.metrics(T),
    "answers: all days of a model in a round": lambda store, newest: store.answers.scores(
        T, model=MODEL, round_number=newest - 30
    ),
    "answers: payouts of a model": lambda store, newest: store.answers.payouts(T, model=MODEL),
    "answers: what Numerai lists of a model": lambda store, newest: store.answers.listed_submissions(T, MODEL),
    "answers: the newest leaderboard": lambda store, newest: store.answers.leaderboard(T),
    "answers: the newest 100 rounds": lambda store, newest: store.answers.round_facts(T, since_round=newest - 99),
    "timeline: a model in a round": lambda store, newest: store.events(round_number=newest, model=MODEL),
    "timeline: the last alarm": lambda store, newest: store.events(kinds=("alarm", "chore-failed"), limit=1),
    "status: submissions of a round": lambda store, newest: store.submissions(T, newest),
    "status: what is not done": lambda store, newest: store.unfinished(T),
    "status: run times": lambda store, newest: store.run_times(T),
    "sync: newest days of a model": lambda store, newest: store.results.newest_days(
        T, MODEL_ID, since_round=newest - 66
    ),
}
"""What a page or a command asks. One more question: one more line."""

AIM_BYTES = 1.2e9
AIM_PROCESS_S = 0.5
AIM_SYNC_S = 5.0
AIM_QUERY_S = 0.05


class Cost(NamedTuple):
    """Seconds by the clock, and those that the processor worked."""

    clock_s: float
    processor_s: float


class Line(NamedTuple):
    """A measured thing: what it cost on the whole store and on half of it, and what it should cost at most."""

    name: str
    whole: Cost
    half: Cost
    aim_s: float


def main() -> None:
    options = _options()
    with _folder(options.folder) as folder:
        files = []
        for fraction in (options.fraction, options.fraction / 2):
            began = default_timer()
            files.append(made.store_file(folder, fraction))
            print(f"{files[-1]}: {default_timer() - began:.0f} s to make", file=sys.stderr)
        whole, half = files
        lines = [_processes(command, whole, half, options.rounds) for command in _known_commands()]
        lines += _queries(whole, half, options.rounds)
        lines += _syncs(whole, half, folder)
        sizes = [path.stat().st_size for path in files]
    _print(lines, sizes, options.fraction)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fraction", type=float, default=1.0, help="Part of three years; the half of it is made, too.")
    parser.add_argument("--folder", type=Path, help="Where the databases stay.")
    parser.add_argument("--rounds", type=int, default=5, help="How often everything is measured.")
    return parser.parse_args()


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        wanted.mkdir(parents=True, exist_ok=True)
        yield wanted
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _known_commands() -> list[str]:
    return [line for line in COMMAND_LINES if line.split()[0] in COMMANDS]


def _processes(command: str, whole: Path, half: Path, rounds: int) -> Line:
    taken: dict[Path, list[Cost]] = {whole: [], half: []}
    for measured in range(rounds + 1):
        for path, costs in taken.items():
            cost = _process(command.format(newest=made.newest_round(path)).split(), path)
            if measured:  # the first one warms the disk's cache
                costs.append(cost)
    return Line(f"numebot {command}", *map(_median, taken.values()), AIM_PROCESS_S)


def _process(arguments: Sequence[str], path: Path) -> Cost:
    environ = {"NUMERAI_DATA_FOLDER": str(path.parent), "HOME": str(path.parent), "PATH": "/usr/bin:/bin"}
    before, began = os.times(), default_timer()
    command = [sys.executable, "-m", "numebot", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    clock_s, after = default_timer() - began, os.times()
    if done.returncode:
        sys.exit(f"numebot {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return Cost(clock_s, after.children_user + after.children_system - before.children_user - before.children_system)


def _queries(whole: Path, half: Path, rounds: int) -> list[Line]:
    lines = []
    with closing(Store(f"sqlite:///{whole}")) as large, closing(Store(f"sqlite:///{half}")) as small:
        stores = {large: made.newest_round(whole), small: made.newest_round(half)}
        for name, ask in QUERIES.items():
            taken: dict[Store, list[Cost]] = {large: [], small: []}
            for measured in range(3 * rounds + 1):
                for store, newest in stores.items():
                    cost = _cost(partial(ask, store, newest))
                    if measured:
                        taken[store].append(cost)
            lines.append(Line(name, *map(_median, taken.values()), AIM_QUERY_S))
    return lines


def _cost(work: Callable[[], object]) -> Cost:
    worked, began = process_time(), default_timer()
    work()
    return Cost(default_timer() - began, process_time() - worked)


def _median(costs: Sequence[Cost]) -> Cost:
    clock, processor = zip(*costs, strict=True)
    return Cost(statistics.median(clock), statistics.median(processor))


def _syncs(whole: Path, half: Path, folder: Path) -> list[Line]:
    """Write a day into copies: what changes once cannot be measured twice."""
    costs: list[list[Cost]] = []
    for path in (whole, half):
        copy = folder / "copy.db"
        try:
            shutil.copyfile(path, copy)
            with closing(Store(f"sqlite:///{copy}")) as store:
                costs.append([_write_a_day(store, path, after, at_once=at_once) for after, at_once in _DAYS.values()])
        finally:
            for leftover in folder.glob("copy.db*"):
                leftover.unlink()
    return [Line(name, *of_day, AIM_SYNC_S) for name, of_day in zip(_DAYS, zip(*costs, strict=True), strict=True)]


_DAYS = {
    "a day's scores, written model by model": (1, True),
    "the same once more": (1, True),
    "a day's scores, metric by metric": (2, False),
}
"""Which day after the last one is written, and whether all metrics of a model are written in one transaction."""


def _write_a_day(store: Store, path: Path, after: int, *, at_once: bool) -> Cost:
    newest, now = made.newest_round(path) + after, made.now_of(path) + timedelta(days=after)
    numbers = random.Random(after)
    models = [
        [
            [
                Score(T, newest - age, made.model_id(number), metric, min(age + 1, made.DAYS), numbers.gauss(0, 0.02),
                      numbers.random(), "v1", now, submission_id=f"{number:032d}", resolves_at=now)
                for age in range(made.OPEN_ROUNDS)
            ]
            for metric in made.METRICS
        ]
        for number in range(1, made.MODELS + 1)
    ]  # fmt: skip
    batches = [list(chain.from_iterable(model)) for model in models] if at_once else list(chain.from_iterable(models))
    return _cost(lambda: [store.results.remember_scores(batch) for batch in batches])


def _print(lines: Sequence[Line], sizes: Sequence[int], fraction: float) -> None:
    rounds = round(made.ROUNDS * fraction)
    print(f"{made.MODELS} models, {rounds} rounds of {made.DAYS} days, {len(made.METRICS)} metrics, and half of it")
    whole, half = sizes
    ratio = half / whole
    print(f"size of the file: {whole / 1e9:.3f} GB, half {half / 1e9:.3f} GB ({ratio:.2f}), aim {AIM_BYTES / 1e9} GB")
    print(f"{'':<46} {'-- by the clock, ms --':^24}   {'-- of the processor, ms --':^24}")
    print(f"{'':<46} {'whole':>8} {'half':>8} {'ratio':>6}   {'whole':>8} {'half':>8} {'ratio':>6} {'aim':>6}")
    for name, whole_cost, half_cost, aim_s in lines:
        figures = [(one * 1000, other * 1000, other / one) for one, other in zip(whole_cost, half_cost, strict=True)]
        shown = "   ".join(f"{one:>8.1f} {other:>8.1f} {ratio:>6.2f}" for one, other, ratio in figures)
        over = "  OVER" if whole_cost.clock_s > aim_s else ""
        print(f"{name:<46} {shown} {aim_s * 1000:>6g}{over}")


if __name__ == "__main__":
    main()
