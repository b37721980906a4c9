from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from numebot.adapters.datasets import Datasets
from numebot.adapters.runner.runner import Runner
from numebot.adapters.sweeps import Studies
from numebot.core.errors import ConfigError
from numebot.core.sweeps import SweepPlan, TrialState, best_of
from numebot.core.types import ModelConfig
from numebot.sweeping import Sweep
from tests.fakes import FakeDataSource, made_up_rows, parquet_bytes

ROOT = Path(__file__).parents[1]
PLUGIN = '''
from numebot.plugin import Model


class Chooser(Model):
    """Predicts one feature: the first carries the signal."""

    def __init__(self, column=0, sign=1):
        if column > 3:
            raise ValueError(f"there is no column {column}")
        self.column, self.sign = column, sign

    def fit(self, data):
        print("FIT", data.eras.min(), data.eras.max(), len(data.X))

    def predict(self, live):
        return self.sign * live.iloc[:, self.column]
'''


class Bench:
    """A sweep's surroundings below one folder."""

    def __init__(self, folder: Path, eras: int) -> None:
        (folder / "chooser.py").write_text(PLUGIN)
        rows = made_up_rows([f"{era:04d}" for era in range(1, eras + 1)], seed=10)
        files = {
            "v5.3/features.json": json.dumps({"feature_sets": {"small": list(rows.filter(like="feature"))}}).encode(),
            "v5.3/train.parquet": parquet_bytes(rows),
            "v5.3/live.parquet": parquet_bytes(made_up_rows(["X"], seed=30, targets=False)),
        }
        self.datasets = Datasets(FakeDataSource(files), folder)
        self.runner = Runner([ROOT, folder], place=folder)
        self.studies = Studies(folder)
        self.config = ModelConfig("m", "chooser.py", parameters={"sign": 1})
        self.lines: list[str] = []

    def sweep(self, plan: SweepPlan) -> Sweep:
        study = self.studies.study("m@8", plan)
        study.prepare()
        return Sweep(self.config, plan, study=study, datasets=self.datasets, runner=self.runner,
                     progress=self.lines.append)  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, eras=24)
    yield made
    made.studies.close()
    made.runner.close()


def test_the_best_parameters_are_found_on_eras_that_were_not_trained_on(bench: Bench, tmp_path: Path) -> None:
    plan = SweepPlan({"column": (1, 0, 9)}, sampler="grid", folds=2, embargo=4)
    assert bench.sweep(plan).play() == 3
    trials = bench.studies.study("m@8", plan).trials()
    best = best_of(trials)
    assert best is not None
    assert best.parameters == {"column": 0}
    assert (best.value or 0) > 0.2
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.FAILED]
    assert "there is no column 9" in trials[2].error
    assert any(line.startswith("trial 1 column=0: corr_mean 0.") for line in bench.lines)
    log = bench.runner.log_of(bench.config).read_text()
    # 24 eras: blocks of 8 at the end, with 4 left out before each
    assert "FIT 0001 0004 160" in log
    assert "FIT 0001 0012 480" in log
    assert best.folds[-1] == best.value


def test_fixed_parameters_blocks_and_every_other_era(bench: Bench) -> None:
    plan = SweepPlan({"column": (0,)}, sampler="grid", folds=3, embargo=1, split="blocks", every_nth_era=2,
                     metric="corr_sharpe", parameters={"sign": -1})  # fmt: skip
    bench.sweep(plan).play()
    (trial,) = bench.studies.study("m@8", plan).trials()
    assert (trial.value or 0) < -1
    log = bench.runner.log_of(bench.config).read_text()
    assert "FIT 0009 0023 320" in log


def test_folds_that_cannot_be_made_end_the_sweep_and_not_each_trial(bench: Bench) -> None:
    plan = SweepPlan({"column": (0, 1)}, sampler="grid", folds=30)
    with pytest.raises(ConfigError, match=r"The sweep's folds: the folds need at least 31 eras; there are 24 eras"):
        bench.sweep(plan).play()
    assert bench.studies.study("m@8", plan).prepare() == 2
    with pytest.raises(ConfigError, match=r"fold 1 of 2, .* has no era left to learn from with an embargo of 16 eras"):
        bench.sweep(SweepPlan({"column": (0,)}, sampler="grid", folds=2)).play()


def test_one_era_only_is_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path, eras=1)
    with pytest.raises(ConfigError, match=r"there are 1 era \(0001\)"):
        bench.sweep(SweepPlan({"column": (0,)}, sampler="grid")).play()
    bench.studies.close()
    bench.runner.close()
