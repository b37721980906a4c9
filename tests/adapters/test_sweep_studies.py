from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from numebot.adapters.sweeps import Asked, Studies, Study
from numebot.core.errors import LocalTrouble
from numebot.core.sweeps import Span, SweepPlan, TrialState

GRID = SweepPlan({"depth": (2, [3, 4]), "rate": Span(0.1, 0.2, 0.1)}, sampler="grid")
TPE = SweepPlan({"x": Span(0.0, 1.0)}, sampler="tpe", trials=12)


@pytest.fixture
def studies(tmp_path: Path) -> Iterator[Studies]:
    opened = Studies(tmp_path)
    yield opened
    opened.close()


def taken(study: Study) -> Asked:
    asked = study.next()
    assert asked is not None
    return asked


def test_each_point_of_a_grid_is_played_once(studies: Studies) -> None:
    study = studies.study("m@8", GRID)
    assert study.prepare() == 4
    while (asked := study.next()) is not None:
        study.complete(asked, float(str(asked.parameters["rate"])))
    found = [(str(trial.parameters["depth"]), trial.parameters["rate"]) for trial in study.trials()]
    assert sorted(found) == [("2", 0.1), ("2", 0.2), ("[3, 4]", 0.1), ("[3, 4]", 0.2)]
    assert study.prepare() == 0
    assert study.importance()["rate"] > 0.9


def test_what_a_killed_process_was_at_is_tried_anew_and_nothing_twice(studies: Studies, tmp_path: Path) -> None:
    study = studies.study("m@8", GRID)
    study.prepare()
    study.complete(taken(study), 0.5)
    lost = taken(study)  # and the power goes
    again = Studies(tmp_path)
    study = again.study("m@8", GRID)
    assert study.prepare() == 3
    while (asked := study.next()) is not None:
        study.complete(asked, 0.1)
    states = [trial.state for trial in study.trials()]
    assert states.count(TrialState.COMPLETE) == 4
    assert states.count(TrialState.INTERRUPTED) == 1
    complete = [str(trial.parameters) for trial in study.trials() if trial.state is TrialState.COMPLETE]
    assert len(set(complete)) == 4
    assert str(lost.parameters) in complete
    again.close()


def test_more_trials_add_to_a_sweep_and_another_plan_begins_one(studies: Studies) -> None:
    study = studies.study("m@8", TPE)
    assert study.prepare() == 12
    study.fail(taken(study), "too deep")
    assert studies.study("m@8", replace(TPE, trials=15)).prepare() == 14
    assert study.trials()[0].error == "too deep"
    assert studies.newest("other@8") is None
    studies.study("m@8", replace(TPE, seed=1, parameters={"n": 3})).prepare()
    newest = studies.newest("m@8")
    assert newest is not None
    assert (newest.name != study.name, newest.parameters, newest.metric) == (True, {"n": 3}, "corr_mean")


def test_tpe_learns_where_the_good_ones_are(studies: Studies) -> None:
    study = studies.study("m@8", replace(TPE, trials=22))
    study.prepare()
    while (asked := study.next()) is not None:
        study.complete(asked, -((float(str(asked.parameters["x"])) - 0.3) ** 2))
    late = [float(str(trial.parameters["x"])) for trial in study.trials()[16:]]
    assert sum(abs(x - 0.3) for x in late) / len(late) < 0.2


def test_a_trial_below_the_median_after_a_fold_is_hopeless(studies: Studies) -> None:
    study = studies.study("m@8", TPE)
    study.prepare()
    for value in (0.1, 0.2, 0.3, 0.4, 0.5):
        asked = taken(study)
        assert not study.is_hopeless(asked, 0, value)
        study.complete(asked, value)
    asked = taken(study)
    assert study.is_hopeless(asked, 0, 0.05)
    study.prune(asked)
    assert study.trials()[5].state is TrialState.PRUNED
    assert study.trials()[5].folds == (0.05,)
    asked = taken(studies.study("m@8", replace(TPE, prune=False)))
    assert not studies.study("m@8", replace(TPE, prune=False)).is_hopeless(asked, 0, 0.05)


def test_two_processes_never_take_the_same_trial(studies: Studies, tmp_path: Path) -> None:
    study = studies.study("m@8", GRID)
    study.prepare()
    other = Studies(tmp_path)
    second = other.study("m@8", GRID, worker=2)
    numbers = [taken(study).number, taken(second).number, taken(study).number, taken(second).number]
    assert sorted(numbers) == [0, 1, 2, 3]
    assert (study.next(), second.next()) == (None, None)
    other.close()


def test_a_broken_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "sweeps.db").write_bytes(b"no database" * 1000)
    broken = Studies(tmp_path)
    with pytest.raises(LocalTrouble, match=r"sweeps.db cannot be used \(file is not a database\)"):
        broken.study("m@8", GRID)
    broken.close()
