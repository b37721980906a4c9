"""What a training takes: LightGBM and XGBoost from a frame, as a plain plugin feeds them, and from numebot's feeders.

    .venv/bin/python tests/benchmarks/bench_training.py [rows] [features] [trees]
    .venv/bin/python tests/benchmarks/bench_training.py full

Each way is a process of its own over the same mapped int8 file; printed are its peak resident memory (of which the
pages of the file are no necessity), its peak of own memory, processor and clock seconds, and the corr of the model on
rows that it has not seen. "full" is v5.3's size, 2,746,268 rows × 3,555 features: 9.8 GB on the disk, without the
frames, which would need far more memory than the file has.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd

from numebot.adapters.runner.processes import memory_mb
from numebot.adapters.runner.rows_file import mapped_rows
from numebot.core.staging import StagedRows
from numebot.plugin import TrainingData

FULL = (2_746_268, 3_555)
DEFAULT = (60_000, 1_000, 50)
PLAIN = ("lightgbm, frame", "xgboost, frame")
FED = ("lightgbm_dataset", "xgboost_matrix", "xgboost_matrix, in files")
AIMS = {"lightgbm_dataset": (2.5, 400), "xgboost_matrix": (2.0, 400), "xgboost_matrix, in files": (1.0, 1000)}
SHARED = {"max_depth": 5, "learning_rate": 0.01, "seed": 0}
LIGHTGBM = {
    **SHARED, "objective": "regression", "num_leaves": 31, "feature_fraction": 0.1, "deterministic": True,
    "verbosity": -1,
}  # fmt: skip
XGBOOST = {**SHARED, "colsample_bytree": 0.1, "tree_method": "hist"}
UNSEEN = 20_000
SIGNALS = 20
"""Features that the target has to do with."""


def made(rows: int, features: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 5, size=(rows, features), dtype=np.int8)


def target(matrix: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 20, len(matrix))
    score = matrix[:, :SIGNALS].astype(np.float32).sum(axis=1) + noise
    return np.digitize(score, np.quantile(score, [0.05, 0.25, 0.75, 0.95])).astype(np.float32) / 4


def write(path: Path, rows: int, features: int) -> None:
    """Write the features, and beside them what the target is made from."""
    signals = []
    with path.open("wb") as file:
        for number, start in enumerate(range(0, rows, 20_000)):
            part = made(min(20_000, rows - start), features, number)
            file.write(part.data)
            signals.append(part[:, :SIGNALS].copy())
    np.save(path.with_suffix(".npy"), target(np.concatenate(signals), 1))


def given(path: Path, rows: int, features: int) -> TrainingData:
    ids = pd.Index([f"n{row:015x}" for row in range(rows)], name="id")
    y = pd.DataFrame({"target": np.load(path.with_suffix(".npy"))}, index=ids)
    eras = pd.Series("0001", index=ids, name="era")
    names = tuple(f"feature_{number:04d}" for number in range(features))
    staged = StagedRows(path, "int8", names, y, eras, "target")
    return mapped_rows(staged, is_read_only=True, memory_bytes=None)


def fitted(way: str, data: TrainingData, trees: int) -> object:
    """Return a function that predicts."""
    if way.startswith("lightgbm"):
        import lightgbm

        rows = data.lightgbm_dataset(LIGHTGBM) if way in FED else lightgbm.Dataset(data.X, label=data.y)
        return lightgbm.train(LIGHTGBM, rows, trees).predict
    import xgboost

    if way not in FED:
        model = xgboost.XGBRegressor(n_estimators=trees, **{k: v for k, v in XGBOOST.items() if k != "seed"})
        return model.fit(data.X, data.y).predict
    matrix = data.xgboost_matrix(is_external=way.endswith("files"))
    booster = xgboost.train({**XGBOOST, "max_bin": data.xgboost_bins}, matrix, trees)
    return booster.inplace_predict


def child(way: str, path: Path, rows: int, features: int, trees: int) -> None:
    """Train one way and print what it took."""
    os.environ["TMPDIR"] = str(path.parent)
    data = given(path, rows, features)
    peak, is_over = [0.0], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.02):
            peak[0] = max(peak[0], memory_mb(os.getpid()))

    threading.Thread(target=watch, daemon=True).start()
    clock, processor = time.perf_counter(), time.process_time()
    predict = fitted(way, data, trees)
    took = time.perf_counter() - clock, time.process_time() - processor
    is_over.set()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    unseen = made(UNSEEN, features, 10**6)
    corr = np.corrcoef(predict(unseen.astype(np.float32)), target(unseen, 2))[0, 1]  # type: ignore[operator]
    print(json.dumps({"resident": resident, "own": peak[0], "clock": took[0], "cpu": took[1], "corr": float(corr)}))


def main(arguments: list[str]) -> None:
    is_full = arguments[:1] == ["full"]
    numbers = [int(text) for text in arguments[is_full:]]
    rows, features, trees = (*FULL, *numbers, 50)[:3] if is_full else (*numbers, *DEFAULT[len(numbers) :])
    size_mb = rows * features / 2**20
    print(f"{rows:,} rows × {features:,} features = {size_mb:,.0f} MB as int8, {trees} trees, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="bench-training-", dir=os.environ.get("TMPDIR")) as folder:
        path = Path(folder, "rows")
        write(path, rows, features)
        for way in FED if is_full else (*PLAIN, *FED):
            command = [sys.executable, __file__, "--child", way, str(path), str(rows), str(features), str(trees)]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            if answer.returncode:
                print(f"{way:26} ended with {answer.returncode}: {answer.stderr.strip().splitlines()[-1:]}")
                continue
            print(told(way, json.loads(answer.stdout.splitlines()[-1]), size_mb), flush=True)


def told(way: str, found: dict[str, float], size_mb: float) -> str:
    times, plus = AIMS.get(way, (0, 0))
    aim = f"  aim {times * size_mb + plus:,.0f} MB" if times else ""
    return (
        f"{way:26} resident {found['resident']:7,.0f} MB  own {found['own']:7,.0f} MB{aim:16}"
        f"  cpu {found['cpu']:7.1f} s  clock {found['clock']:7.1f} s  corr {found['corr']:.4f}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), *map(int, sys.argv[4:7]))
    else:
        main(sys.argv[1:])
