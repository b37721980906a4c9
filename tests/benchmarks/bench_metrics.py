"""How much faster many models are scored at once than by calling numerai-tools era by era.

    .venv/bin/python tests/benchmarks/bench_metrics.py [eras]

10 models × 1.1 million rows × 200 eras, ids as Numerai's. Both sides use one thread, and their CPU seconds are
counted: other programs disturb those least. numerai-tools takes all 10 models of an era in one call. Every result is
compared; neutralisation (400 features) on a tenth of the eras, of which each takes as long.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from numerai_tools import scoring as numerai

from numebot.core.metrics import EraTable, neutralised
from numebot.core.metrics.ranks import gaussian_rows

MODELS, ROWS_PER_ERA, FEATURES = 10, 5_500, 400
TARGETS = np.array([0.0, 0.25, 0.5, 0.75, 1.0], dtype=np.float64)


class Data:
    """Predictions of some models, with a meta model, over many eras."""

    def __init__(self, eras: int) -> None:
        random = np.random.default_rng(7)
        count = eras * ROWS_PER_ERA
        ids = pd.Index([f"n{number:015x}" for number in random.integers(0, 16**15, count)], name="id")
        self.eras = pd.Series(np.repeat([f"{era:04d}" for era in range(1, eras + 1)], ROWS_PER_ERA), index=ids)
        self.target = pd.Series(random.choice(TARGETS, p=[0.05, 0.2, 0.5, 0.2, 0.05], size=count), ids, name="target")
        signal = random.normal(size=(count, MODELS)) + 0.05 * self.target.to_numpy()[:, None]
        self.predictions = pd.DataFrame(signal, ids, columns=[f"model_{number}" for number in range(MODELS)])
        self.meta = pd.Series(random.random(count), ids, name="meta")
        self.parts = [slice(at, at + ROWS_PER_ERA) for at in range(0, count, ROWS_PER_ERA)]


def timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def told(name: str, wanted: float, own: tuple[float, np.ndarray], theirs: tuple[float, np.ndarray]) -> bool:
    ratio, apart = theirs[0] / own[0], float(np.abs(own[1] - theirs[1]).max())
    is_good = ratio >= wanted and apart <= 1e-10
    words = f"{ratio:6.1f} × (wanted {wanted:.0f} ×), apart {apart:.0e}"
    print(f"{name:24} numebot {own[0]:7.2f} s   numerai-tools {theirs[0]:7.2f} s   {words}   {'' if is_good else 'NO'}")
    return is_good


def neutralisations(eras: int) -> tuple[Callable[[], np.ndarray], Callable[[], np.ndarray]]:
    random = np.random.default_rng(8)
    features = random.integers(0, 5, size=(eras, ROWS_PER_ERA, FEATURES), dtype=np.int8)
    rows = random.normal(size=(eras, MODELS, ROWS_PER_ERA))
    frames = [(pd.DataFrame(part.T), pd.DataFrame(matrix)) for part, matrix in zip(rows, features, strict=True)]

    def own() -> np.ndarray:
        return np.stack([neutralised(part, matrix).T for part, matrix in zip(rows, features, strict=True)])

    def theirs() -> np.ndarray:
        return np.stack([numerai.neutralize(*pair).to_numpy() for pair in frames])

    return own, theirs


def where_the_time_goes(data: Data) -> None:
    """Print what no way of scoring can do without: the sort."""
    values = np.ascontiguousarray(data.predictions.to_numpy().T)
    took_s, _ = timed(lambda: np.stack([np.argsort(values[:, part], axis=1)[:, 0] for part in data.parts]))
    whole_s, _ = timed(lambda: np.stack([gaussian_rows(values[:, part])[:, 0] for part in data.parts]))
    print(f"\nThe limit: numpy's argsort of the predictions takes {took_s:.2f} s, all of our ranking {whole_s:.2f} s.")


def main(eras: int) -> bool:
    data = Data(eras)
    print(f"{MODELS} models × {len(data.eras):,} rows × {eras} eras, CPU seconds of one thread")

    def theirs(score: Callable[[slice], pd.Series]) -> np.ndarray:
        return np.stack([score(part).to_numpy() for part in data.parts])

    def table() -> EraTable:
        return EraTable(data.predictions, data.target, data.eras)

    good = told(
        "numerai_corr", 25,
        timed(lambda: table().corr().to_numpy()),
        timed(lambda: theirs(lambda part: numerai.numerai_corr(data.predictions[part], data.target[part]))),
    )  # fmt: skip
    good &= told(
        "mmc", 10,
        timed(lambda: table().contribution(data.meta).to_numpy()),
        timed(lambda: theirs(lambda part: numerai.correlation_contribution(
            data.predictions[part], data.meta[part], data.target[part]))),
    )  # fmt: skip
    own, reference = neutralisations(max(1, eras // 10))
    good &= told(f"neutralise, {max(1, eras // 10)} eras", 3, timed(own), timed(reference))
    where_the_time_goes(data)
    return good


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
