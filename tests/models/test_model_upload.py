"""Pickles as they are made for Numerai, loaded in a real child process."""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from numebot.adapters.runner.runner import Runner
from numebot.core.errors import PluginError
from numebot.core.types import ModelConfig
from numebot.pickle_origin import OURS, Origin, is_of_another_python, origin_of
from tests.fakes import RoundInMemory

ROOT = Path(__file__).parents[2]


@pytest.fixture
def live(tmp_path: Path) -> RoundInMemory:
    return RoundInMemory(tmp_path / "round")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner([ROOT], place=tmp_path / "place")
    yield runner
    runner.close()


def by_value(function: object) -> bytes:
    """Pickle a function of this module as a notebook does: with its code."""
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        content: bytes = cloudpickle.dumps(function)
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    return content


def row(tmp_path: Path, content: bytes, **parameters: Any) -> ModelConfig:
    path = tmp_path / "predict.pkl"
    path.write_bytes(content)
    found = {"path": str(path), "sha256": hashlib.sha256(content).hexdigest(), **parameters}
    return ModelConfig("rpica", "models.model_upload", parameters=found, readable=(path,))


def learned() -> LinearRegression:
    rows = np.arange(20.0).reshape(10, 2)
    return LinearRegression().fit(rows, rows.sum(axis=1))


def make_one() -> Callable[[pd.DataFrame], pd.DataFrame]:
    model = learned()
    names = ["feature_0", "feature_1"]

    def predict(live_features: pd.DataFrame) -> pd.DataFrame:
        assert live_features.index.name == "id"
        assert "era" in live_features  # the whole file
        return pd.DataFrame({"any name": model.predict(live_features[names].to_numpy())}, index=live_features.index)

    return predict


def make_two() -> Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]:
    def predict(live_features: pd.DataFrame, live_benchmark_models: pd.DataFrame) -> pd.DataFrame:
        return (live_benchmark_models["v52_lgbm"] * 2).to_frame("prediction").iloc[::-1]

    return predict


def test_one_parameter_gets_the_whole_live_file(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    found = runner.predict(row(tmp_path, by_value(make_one())), None, live)
    expected = live.rows["feature_0"].astype(float) + live.rows["feature_1"]
    assert np.allclose(found, expected)


def test_two_parameters_get_the_benchmark_models_too(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    found = runner.predict(row(tmp_path, by_value(make_two())), None, live)
    assert found.tolist() == (live.benchmarks["v52_lgbm"] * 2).tolist()


def test_what_is_not_the_pinned_pickle_is_not_loaded(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return print, ("it ran",)

    config = row(tmp_path, pickle.dumps(Evil()), sha256="0" * 64)
    with pytest.raises(PluginError, match="and its row pins 0000"):
        runner.predict(config, None, live)
    assert not runner.log_of(config).exists()


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        ({"a": 1}, r"holds a dict\. Allowed: a function"),
        (lambda: None, "its function has 0 parameters"),
        (lambda a, b, c: None, "its function has 3 parameters"),
        (lambda live: 3, "the function returned a int"),
        (lambda live: live.iloc[:5, 2:3], "35 ids missing"),
        (lambda live: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_does_not_keep_numerais_contract_is_told(
    tmp_path: Path, runner: Runner, live: RoundInMemory, thing: object, words: str
) -> None:
    with pytest.raises(PluginError, match=words):
        runner.predict(row(tmp_path, by_value(thing)), None, live)


def test_no_pickle_and_a_missing_one_are_told(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    with pytest.raises(PluginError, match=r"predict.pkl: no pickle, or a broken one"):
        runner.predict(row(tmp_path, b"\x80\x05\x95half of it"), None, live)
    config = row(tmp_path, b"")
    (tmp_path / "predict.pkl").unlink()
    with pytest.raises(PluginError, match="cannot be read"):
        runner.predict(config, None, live)


def test_another_python_is_refused_before_it_runs(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    content = by_value(make_two())
    with pytest.raises(PluginError, match=rf"It was written by Python 3\.10, and this is Python {OURS}"):
        runner.predict(row(tmp_path, content, python="3.10"), None, live)
    (code,) = origin_of(content).codes
    foreign = content.replace(code, b"\x7c\x00" * (len(code) // 2))  # LOAD_FAST first, as up to 3.10
    with pytest.raises(PluginError, match="It was written by another version of Python"):
        runner.predict(row(tmp_path, foreign), None, live)


def test_a_missing_library_and_another_scikit_learn_are_told(
    tmp_path: Path, runner: Runner, live: RoundInMemory
) -> None:
    strange = pickle.dumps(learned()).replace(b"linear_model", b"linear_modem").replace(b"sklearn", b"sklearm")
    with pytest.raises(PluginError, match="It imports sklearm, not installed here"):
        runner.predict(row(tmp_path, strange), None, live)
    version = origin_of(by_value(make_one())).scikit_learn.encode()
    old = by_value(make_one()).replace(version, b"0" * len(version))
    with pytest.raises(PluginError, match=r"fitted with scikit-learn 0+, and .* accept_versions"):
        runner.predict(row(tmp_path, old), None, live)


def test_our_own_bytecode_is_ours() -> None:
    def outer() -> Callable[[], object]:
        inside = 3

        def inner() -> Iterator[int]:
            yield inside

        return inner

    for function in (make_one, make_one(), make_two, outer, outer(), by_value, RoundInMemory.frame, lambda: 1):
        assert not is_of_another_python(function.__code__.co_code)
    assert is_of_another_python(b"\x7c\x00\x53\x00")
    assert is_of_another_python(bytes([255, 0]) * 3)


def test_what_a_pickle_names_is_found() -> None:
    found = origin_of(by_value(make_one()))
    assert {"cloudpickle.cloudpickle", "sklearn.linear_model._base"} <= found.modules
    assert found.problems() == []
    assert origin_of(pickle.dumps(np.int64, protocol=0)).modules == {"numpy"}
    path = Origin(frozenset(), (b"\x7c\x00\x53\x00",), python="3.8").problems()
    assert "It was written by Python 3.8, and" in path[0]
