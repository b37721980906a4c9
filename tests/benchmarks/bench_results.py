"""How long the database takes for a day's scores of many models, and how large it gets.

Writes one score per model, open round and metric for each of several days, as daily syncs do, the oldest round leaving
and a new one coming every day. Usage: python tests/benchmarks/bench_results.py [days] [models]
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from timeit import default_timer

from numebot.adapters.store import Store
from numebot.core.results import Score
from numebot.core.types import AccountModel

OPEN_ROUNDS = 64
METRICS = ("v2_corr20", "corr60", "mmc", "mmc60", "bmc", "fnc_v3", "corr_w_meta_model", "season_score")
START = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
ROWS_OF_THREE_YEARS = 19_000_000


def scores_of(model: str, day: int, numbers: random.Random) -> list[Score]:
    """Return a model's scores of a day: each open round is a day older than the one after it."""
    return [
        Score(8, 1000 + day - age, model, metric, age, numbers.gauss(0, 0.02), numbers.random(), "v1",
              START + timedelta(days=day), submission_id=f"submission-{model}-{day - age:08d}-0000")
        for age in range(1, OPEN_ROUNDS + 1)
        for metric in METRICS
    ]  # fmt: skip


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    models = [f"00000000-0000-0000-0000-{number:012d}" for number in range(count)]
    numbers = random.Random(1)
    taken: list[float] = []
    again: list[float] = []
    rows = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "numebot.db"
        store = Store(f"sqlite:///{path}")
        store.results.remember_listed(8, [AccountModel(model, model[-6:], 8) for model in models], now=START)
        empty_bytes = path.stat().st_size
        for day in range(days):
            batches = [scores_of(model, day, numbers) for model in models]
            for seconds in (taken, again):
                began = default_timer()
                changed = sum(store.results.remember_scores(batch) for batch in batches)
                seconds.append(default_timer() - began)
                rows += changed
        began = default_timer()
        read = store.answers.scores(8, model=models[0][-6:])
        query_s = default_timer() - began
        store.close()
        size_bytes = path.stat().st_size - empty_bytes
    per_row = size_bytes / rows
    print(f"{count} models × {OPEN_ROUNDS} rounds × {len(METRICS)} metrics: {rows // days:,} rows a day, {days} days")
    print(f"a day's sync, written          {statistics.median(taken):8.2f} s (slowest {max(taken):.2f} s)")
    print(f"the same once more             {statistics.median(again):8.2f} s")
    print(f"all {len(read):,} scores of one model {query_s:8.2f} s")
    print(f"size                           {size_bytes / 1e6:8.1f} MB, {per_row:.1f} bytes per row")
    print(f"three years, 19 million rows   {per_row * ROWS_OF_THREE_YEARS / 1e9:8.2f} GB")


if __name__ == "__main__":
    main()
