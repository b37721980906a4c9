"""How long a round's predictions take: plugins in processes of their own, in a plain loop, in a fresh Python each.

    .venv/bin/python tests/benchmarks/bench_runner.py [models]

25 LightGBM and 25 XGBoost models of 300 trees predict 7,000 rows of 780 features. Each way is a process of its own,
timed from its start to its end, and each runs at the low priority that plugins have.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from numebot.adapters.runner.asking import PredictionRequest
from numebot.adapters.runner.runner import Runner
from numebot.core.types import ModelConfig, TrainedVersion

ROOT = Path(__file__).parents[2]
ROWS, FEATURES, TREES = 7_000, 780, 300
CODES = ("models.example_lightgbm", "models.example_xgboost")
PARAMETERS = {"n_estimators": TREES}
FRESH_SAMPLE = 6
"""How many fresh processes are timed; the others would take as long."""


class Live:
    """A live file on disk."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "live.parquet"

    def features(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> tuple[str, ...]:
        return trained.features if trained else ()

    def frame(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> pd.DataFrame:
        return pd.read_parquet(self.path)


def names() -> tuple[str, ...]:
    return tuple(f"feature_{number:04d}" for number in range(FEATURES))


def versions(folder: Path, count: int) -> Iterator[tuple[ModelConfig, TrainedVersion]]:
    for number in range(count):
        code = CODES[number % 2]
        name = f"{code.rpartition('.')[2]}-{number}"
        place = folder / "models" / name
        trained = TrainedVersion(
            name, "1", place, "v5.3", names(), "target", PARAMETERS, {}, None, {}, "", datetime(2026, 1, 1, tzinfo=UTC)
        )
        yield ModelConfig(name, code, parameters=PARAMETERS), trained


def prepare(folder: Path, count: int) -> None:
    from numebot.plugin import TrainingData

    generator = np.random.default_rng(0)
    ids = pd.Index([f"n{row:015x}" for row in range(ROWS)], name="id")
    frame = pd.DataFrame(generator.integers(0, 5, (ROWS, FEATURES), dtype=np.int8), index=ids, columns=names())
    frame.to_parquet(folder / "live.parquet")
    target = pd.DataFrame({"target": (frame.iloc[:, 0] + generator.normal(0, 2, ROWS)).rank(pct=True)})
    runner = Runner([ROOT])
    data = TrainingData(frame, target, pd.Series("0001", index=ids), "target")
    fitted = {code: runner.train(ModelConfig("x", code, parameters=PARAMETERS), data) for code in CODES}
    for config, trained in versions(folder, count):
        fitted[config.code].save(trained.folder)
    runner.close()


def isolated(folder: Path, count: int) -> None:
    runner = Runner([ROOT], place=folder / "data")
    live = Live(folder)
    wanted = list(versions(folder, count))
    next(iter(runner.predict_many([PredictionRequest(*wanted[0], live)])))
    start = time.perf_counter()
    found = list(runner.predict_many([PredictionRequest(config, trained, live) for config, trained in wanted]))
    print(f"INSIDE {time.perf_counter() - start:.3f}")
    assert all(isinstance(each, pd.Series) and len(each) == ROWS for _, each in found)
    runner.close()


def looped(folder: Path, count: int, first: int = 0) -> None:
    import importlib

    os.setpriority(os.PRIO_PROCESS, 0, 5)
    frame = Live(folder).frame("")
    start = time.perf_counter()
    for config, trained in list(versions(folder, count))[first:]:
        module = importlib.import_module(config.code)
        plugin = next(thing for name, thing in vars(module).items() if name.startswith("Example"))
        model = plugin(**PARAMETERS)
        model.load(trained.folder)
        assert len(model.predict(frame)) == ROWS
    print(f"INSIDE {time.perf_counter() - start:.3f}")


def timed(way: str, folder: Path, *arguments: int) -> tuple[float, float, float]:
    """Return seconds from start to end, seconds without the start, and seconds of processors."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, __file__, way, str(folder), *map(str, arguments)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    whole, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    inside = float(answer.stdout.split("INSIDE")[1])
    return whole, inside, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(count: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="bench-runner-"))
    try:
        prepare(folder, 2 * count)
        print(f"{count} models × {ROWS:,} rows × {FEATURES} features, {TREES} trees, {os.cpu_count()} processors")
        best: dict[str, float] = {}
        for _ in range(3):
            for way, number in (("isolated", count), ("looped", count), ("isolated", 2 * count)):
                whole, inside, processors = timed(way, folder, number)
                print(f"  {way:9} {number:4} models {whole:7.2f} s, inside {inside:6.2f} s, cpu {processors:.2f} s")
                key = f"{way} {number}"
                best[key] = min(whole, best.get(key, whole))
                best[f"inside {key}"] = min(inside, best.get(f"inside {key}", inside))
        fresh = [timed("looped", folder, number + 1, number)[0] for number in range(FRESH_SAMPLE)]
        best["fresh"] = min(fresh) * count
        print(f"  fresh     {count:4} models {best['fresh']:7.2f} s ({FRESH_SAMPLE} timed, the quickest times {count})")
        isolated_s, loop_s = best[f"isolated {count}"], best[f"looped {count}"]
        print(f"isolated / loop: {isolated_s / loop_s:.2f} (aim: at most 1.0)")
        print(f"isolated / loop without start: {best[f'inside isolated {count}'] / best[f'inside looped {count}']:.2f}")
        print(f"fresh / isolated: {best['fresh'] / isolated_s:.1f} (aim: at least 8)")
        growth = best[f"inside isolated {2 * count}"] / best[f"inside isolated {count}"]
        print(f"{2 * count} models / {count} models, without start: {growth:.2f} (aim: 2)")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["isolated", folder, count]:
            isolated(Path(folder), int(count))
        case ["looped", folder, count, *first]:
            looped(Path(folder), int(count), *map(int, first))
        case [count]:
            main(int(count))
        case _:
            main(50)
