from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import numebot.plugin
from numebot.core.errors import CheckFailed, PluginError
from numebot.core.predictions import aligned
from numebot.plugin import Model, TrainingData, check_model, made_up_training, needs_training, require_model

IDS = pd.Index(["n1", "n2", "n3"], name="id")


class Steady(Model):
    """Keeps the contract."""

    def predict(self, live: pd.DataFrame) -> object:
        return live.iloc[:, 0] + 0.1 * live.iloc[:, 1]


class Learner(Steady):
    def fit(self, data: TrainingData) -> None:
        self.mean = float(data.y.mean()) + len(data.features)

    def predict(self, live: pd.DataFrame) -> object:
        return live.iloc[:, 0].to_numpy() * self.mean


class Forgetful(Learner):
    def save(self, folder: Path) -> None:
        (folder / "empty").touch()

    def load(self, folder: Path) -> None:
        self.mean = 0.0


class ChangesInput(Steady):
    def predict(self, live: pd.DataFrame) -> object:
        live["feature_00"] = 0
        return live.sum(axis=1)


class ChangesTraining(Learner):
    def fit(self, data: TrainingData) -> None:
        super().fit(data)
        data.X.iloc[0, 0] = 99


class Random(Steady):
    def predict(self, live: pd.DataFrame) -> object:
        return np.random.default_rng().random(len(live))


class Sorts(Steady):
    def predict(self, live: pd.DataFrame) -> object:
        return np.sort(live.iloc[:, 0].to_numpy())


class Gaps(Steady):
    def predict(self, live: pd.DataFrame) -> object:
        return (live.iloc[:, 0] / 0.0 * 0.0).where(live.iloc[:, 0] > 1)


class Constant(Steady):
    def predict(self, live: pd.DataFrame) -> object:
        return np.full(len(live), 0.5)


class Unscaled(Steady):
    scale = None


class Raises(Steady):
    def predict(self, live: pd.DataFrame) -> object:
        raise KeyError("feature_unknown")


class Short(Steady):
    def predict(self, live: pd.DataFrame) -> object:
        return np.zeros(len(live) - 1)


class Leaves(Steady):
    def predict(self, live: pd.DataFrame) -> object:
        sys.exit("\x1b[2Jdone \udcff")


class Mute(Steady):
    def predict(self, live: pd.DataFrame) -> object:
        class Wordless(BaseException):
            def __str__(self) -> str:
                raise RuntimeError

        raise Wordless


class NeedsArguments(Steady):
    def __init__(self, depth: int) -> None:
        self.depth = depth


@pytest.mark.parametrize("model", [Steady, Learner, Learner(), NeedsArguments(3)])
def test_a_model_that_keeps_the_contract_has_no_finding(model: type[Model] | Model) -> None:
    assert check_model(model) == []
    require_model(model)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Forgetful, "saving: after save and load"),
        (ChangesInput, "input: predict changed"),
        (ChangesTraining, "input: fit changed"),
        (Random, "repeatable: "),
        (Sorts, "order: "),
        (Gaps, "predictions are NaN or infinite"),
        (Constant, "spread: all predictions are 0.5"),
        (Unscaled, "scale: with scale = None"),
        (Raises, "error: KeyError: 'feature_unknown'"),
        (Leaves, r"error: SystemExit: done \\udcff"),
        (Mute, r"error: Wordless: \(its text cannot be had: __str__ raised RuntimeError\)"),
        (Short, r"predict: predict returned an array of shape \(96,\) for 97 rows"),
        (NeedsArguments, "error: TypeError: .*depth"),
    ],
)
def test_each_breach_of_the_contract_is_named(model: type[Model], words: str) -> None:
    assert any(re.search(words, finding) for finding in check_model(model))
    with pytest.raises(CheckFailed, match=f"{model.__name__} does not keep the plugin contract"):
        require_model(model)


def test_a_model_is_checked_on_its_own_features_and_the_callers_data() -> None:
    class Listed(Learner):
        feature_set = ("feature_b", "feature_a")
        target = ("target_x", "target_y")

        def fit(self, data: TrainingData) -> None:
            assert data.features == ["feature_b", "feature_a"]
            assert data.targets.columns.tolist() == ["target_x", "target_y"]
            super().fit(data)

        def save(self, folder: Path) -> None:
            (folder / "mean").write_text(repr(self.mean))

        def load(self, folder: Path) -> None:
            self.mean = float((folder / "mean").read_text())

    assert check_model(Listed) == []
    training = made_up_training(Steady())
    live = training.X.iloc[:30, ::-1]
    assert check_model(Learner, live=live, training=training) == []


def test_only_a_fit_of_its_own_makes_a_model_need_training() -> None:
    assert needs_training(Learner)
    assert needs_training(Learner())
    assert not needs_training(Steady)


def test_made_up_targets_are_distributed_like_numerais() -> None:
    shares = made_up_training(Steady()).y.value_counts(normalize=True).sort_index()
    assert shares.index.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert np.allclose(shares, [0.05, 0.2, 0.5, 0.2, 0.05], atol=0.02)


def test_a_pickle_of_another_class_is_not_taken(tmp_path: Path) -> None:
    Learner().save(tmp_path)
    with pytest.raises(PluginError, match=r"model.pickle holds a Learner, not a Steady"):
        Steady().load(tmp_path)


@pytest.mark.parametrize(
    "answer",
    [
        pd.Series([3.0, 1.0, 2.0], index=["n3", "n1", "n2"]),
        pd.Series([3, 1, 2], index=["n3", "n1", "n2"], dtype="Int64"),
        pd.DataFrame({"prediction": [3.0, 1.0, 2.0]}, index=["n3", "n1", "n2"]),
        np.array([1.0, 2.0, 3.0], dtype=np.float32),
        np.array([[1], [2], [3]]),
        [1, 2, 3],
    ],
)
def test_a_series_is_aligned_by_index_and_an_array_by_position(answer: object) -> None:
    found = aligned(answer, IDS)
    assert found.tolist() == [1.0, 2.0, 3.0]
    assert found.index.equals(IDS)
    assert found.dtype == np.float64


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (pd.Series([1.0, 2.0], index=["n1", "n2"]), r"a Series with 1 ids missing \(n3\), for 3 live ids"),
        (pd.Series([1.0, 2.0, 3.0]), r"3 ids missing .* 3 ids that are not live \(0, 1, 2\).* Give the Series index="),
        (pd.Series([1.0] * 4, index=["n1", "n2", "n3", "n3"]), r"1 repeated ids \(n3\)"),
        (np.zeros(2), r"an array of shape \(2,\) for 3 rows"),
        (np.zeros((3, 2)), r"shape \(3, 2\)"),
        (0.5, r"shape \(\)"),
        (None, "a NoneType that is not one number per row"),
        (pd.DataFrame({"a": [1], "b": [2]}), "a DataFrame that is not"),
        (["high", "low", "low"], "a list that is not one number per row"),
        (pd.Series(["high", "low", "low"], index=IDS), "a Series that is not one number per row"),
        ("abc", "a str that is not"),
    ],
)
def test_an_answer_that_does_not_fit_the_ids_is_refused(answer: object, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        aligned(answer, IDS)


def test_gaps_pass_the_alignment_for_the_checks_to_name() -> None:
    found = aligned(pd.Series([None, 1.0, np.inf], index=IDS, dtype=object), IDS)
    assert found.isna().tolist() == [True, False, False]


def example_of_the_guide() -> str:
    guide = inspect.getdoc(numebot.plugin) or ""
    blocks = re.findall(r"(?:^    .*\n|^\n)+", guide, flags=re.MULTILINE)
    return textwrap.dedent(next(block for block in blocks if "class RidgeModel" in block))


def test_the_example_of_the_guide_keeps_the_contract(tmp_path: Path) -> None:
    (tmp_path / "ridge_model.py").write_text(example_of_the_guide())
    script = (
        "from ridge_model import RidgeModel\n"
        "from numebot.plugin import check_model, needs_training\n"
        "assert needs_training(RidgeModel)\n"
        "print(check_model(RidgeModel), check_model(RidgeModel(alpha=50)))\n"
    )
    root = Path(__file__).parents[1]
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{root}"},
    )
    assert (answer.stderr, answer.stdout) == ("", "[] []\n")


def test_given_rows_bring_their_own_features() -> None:
    live = pd.DataFrame({"x": [0.0, 1.0, 2.0], "y": [3.0, 1.0, 4.0]}, index=IDS)
    assert check_model(Learner, live=live) == []


def test_what_was_learned_is_checked_as_it_is(tmp_path: Path) -> None:
    class NeverAgain(Learner):
        def fit(self, data: TrainingData) -> None:
            raise AssertionError("it was trained already")

    learned = NeverAgain()
    learned.mean = 2.0
    vars(sys.modules[__name__])["NeverAgain"] = NeverAgain  # a pickle looks it up there
    NeverAgain.__qualname__ = "NeverAgain"
    learned.save(tmp_path)
    assert check_model(NeverAgain, learned=tmp_path) == []
    assert "it was trained already" in check_model(NeverAgain)[0]
