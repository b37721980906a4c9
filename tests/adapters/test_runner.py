from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from numebot.adapters.artifacts import Artifacts, TrainingRecord
from numebot.adapters.runner.fitted import FittedPlugin
from numebot.adapters.runner.runner import Runner
from numebot.core.errors import PluginError
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.plugin import TrainingData
from tests.fakes import made_up_rows

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 2, 13, tzinfo=UTC)


class FakeLive:
    """Live rows in memory."""

    def __init__(self) -> None:
        self.rows = made_up_rows(["X"], targets=False).drop(columns=["era", "data_type"])
        self.asked: list[object] = []

    def features(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> tuple[str, ...]:
        return tuple(self.rows.columns) if isinstance(wanted, str) else tuple(wanted)

    def frame(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> pd.DataFrame:
        self.asked.append((wanted, trained))
        return self.rows if isinstance(wanted, str) else self.rows[list(wanted)]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path, modules = list(sys.path), set(sys.modules)
    (tmp_path / "plugins").mkdir()
    yield tmp_path / "plugins"
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("numebot_plugin_", "mine")) or name == "models.private_one":
            del sys.modules[name]


@pytest.fixture
def runner(folder: Path) -> Runner:
    return Runner([ROOT, folder])


def write(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "from numebot.plugin import Model\nimport numpy as np\nimport pandas as pd\n"
    path.write_text(head + textwrap.dedent(body))


SUM = """
class Sum(Model):
    def __init__(self, factor=1.0, offset=0):
        self.factor = factor

    def predict(self, live):
        return live.sum(axis=1) * self.factor
"""

LEARNER = """
class Learner(Model):
    feature_set = ["feature_1", "feature_0"]
    scale = None

    def __init__(self, weight=1.0):
        self.weight = weight

    def fit(self, data):
        self.mean = float(data.y.mean()) * self.weight

    def predict(self, live):
        return (live.iloc[:, 0] * 0 + self.mean).to_numpy()
"""


def row(code: str, **parameters: object) -> ModelConfig:
    return ModelConfig("rpica", code, parameters=parameters)


def training_data() -> TrainingData:
    rows = made_up_rows(["0001", "0002"])
    return TrainingData(rows[["feature_1", "feature_0"]], rows[["target"]], rows["era"], "target")


def keep(artifacts: Artifacts, plugin: FittedPlugin, code: str, **parameters: object) -> TrainedVersion:
    record = TrainingRecord("v5.3", ("feature_1", "feature_0"), "target", parameters, {}, None, {}, code, "")
    return artifacts.keep("rpica", record, save=plugin.save, now=NOW)


def test_a_shipped_plugin_is_found_by_its_module_name(runner: Runner) -> None:
    live = FakeLive()
    found = runner.predict(row("models.feature_mean", feature_set="all"), None, live)
    assert found.tolist() == live.rows.mean(axis=1).tolist()
    assert live.asked == [("all", None)]
    plugin = runner.describe(row("models.example_xgboost:ExampleXgboost"))
    assert (plugin.feature_set, plugin.targets, plugin.scale) == ("small", ("target",), "rank")
    assert plugin.needs_training
    assert plugin.source == ROOT / "models/example_xgboost.py"


@pytest.mark.parametrize("code", ["mine.py", "deep/er/mine.py", "deep/er/mine.py:Sum"])
def test_a_plugin_is_found_by_its_path_in_a_private_folder(runner: Runner, folder: Path, code: str) -> None:
    write(folder / code.partition(":")[0], SUM)
    live = FakeLive()
    assert runner.predict(row(code, factor=2.0), None, live).tolist() == (live.rows.sum(axis=1) * 2).tolist()


def test_an_absolute_path_and_a_plain_module_name_work(runner: Runner, folder: Path) -> None:
    write(folder / "mine_alone.py", SUM)
    for code in (str(folder / "mine_alone.py"), "mine_alone", "mine_alone:Sum"):
        assert len(runner.predict(row(code), None, FakeLive())) == 40


def test_a_private_models_folder_joins_the_shipped_one(runner: Runner, folder: Path) -> None:
    write(folder / "models/private_one.py", SUM)
    assert runner.describe(row("models.private_one")).source == folder / "models/private_one.py"
    assert runner.describe(row("models.feature_mean")).source == ROOT / "models/feature_mean.py"


def test_shipped_plugins_are_found_from_another_home(folder: Path) -> None:
    assert Runner([folder]).describe(row("models.example_lightgbm")).needs_training


def test_a_plugin_may_import_what_lies_beside_it(runner: Runner, folder: Path) -> None:
    (folder / "mine_helper.py").write_text("FACTOR = 3\n")
    write(folder / "mine.py", "from mine_helper import FACTOR\n" + SUM.replace("factor=1.0", "factor=FACTOR"))
    live = FakeLive()
    assert runner.predict(row("mine.py"), None, live).tolist() == (live.rows.sum(axis=1) * 3).tolist()


def test_a_changed_file_is_read_again(runner: Runner, folder: Path) -> None:
    write(folder / "mine.py", SUM)
    before = runner.code_sha256(row("mine.py"))
    write(folder / "mine.py", SUM.replace("1.0", "5.0"))
    assert runner.code_sha256(row("mine.py")) != before
    live = FakeLive()
    assert runner.predict(row("mine.py"), None, live).tolist() == (live.rows.sum(axis=1) * 5).tolist()


NOT_LOADABLE = {
    "blank": ("  ", "", "model_code is blank"),
    "no such module": ("models.example_xgbost", "", 'does not exist. Did you mean "models.example_xgboost"?'),
    "no such package": ("modles.example_xgboost", "", '"modles.example_xgboost" does not exist.'),
    "no such file": ("mne.py", SUM, "does not exist below"),
    "no such file, a near one": ("mne.py", SUM, 'Did you mean "mine.py"?'),
    "neither": ("models/mine", "", "neither a module name (package.module) nor a path that ends in .py"),
    "syntax error": ("mine.py", "\ndef predict(:\n", "mine.py line 5: SyntaxError"),
    "missing library": ("mine.py", "\nimport torch_absent\n", "line 5: ModuleNotFoundError: No module named 'torch"),
    "raises at import": ("mine.py", "\n1 / 0\n", "import of mine.py failed at mine.py line 5: ZeroDivisionError"),
    "leaves at import": ("mine.py", "\nimport sys\nsys.exit(3)\n", "mine.py line 6: SystemExit: 3"),
    "two classes": ("mine.py", SUM + LEARNER, "it holds 2 plugins, Sum, Learner. Say which one: mine.py:Sum"),
    "no class": ("mine.py", "\nclass Sum:\n    pass\n", "it holds no subclass of numebot.plugin.Model"),
    "no predict": ("mine.py", "\nclass Sum(Model):\n    pass\n", "Sum has no method predict"),
    "wrong class": ("mine.py:Summ", SUM, 'there is no class Summ. Did you mean "Sum"?'),
    "class of another kind": ("mine.py:Other", "\nclass Other:\n    pass\n", "Other is not a subclass of"),
    "constructor raises": (
        "mine.py",
        SUM.replace("self.factor = factor", "raise ValueError('no GPU')"),
        "Sum() failed at mine.py line 7: ValueError: no GPU",
    ),
    "scale": ("mine.py", SUM.replace("(Model):", "(Model):\n    scale = 'log'"), "Sum.scale is 'log'. Allowed:"),
    "features": ("mine.py", SUM.replace("(Model):", "(Model):\n    feature_set = 5"), "Sum.feature_set is 5. Allowed"),
}


@pytest.mark.parametrize("name", NOT_LOADABLE)
def test_a_plugin_that_cannot_be_loaded_says_why(runner: Runner, folder: Path, name: str) -> None:
    code, body, words = NOT_LOADABLE[name]
    if body:
        write(folder / "mine.py", body)
    with pytest.raises(PluginError) as refusal:
        runner.describe(row(code))
    assert words in str(refusal.value)


def test_a_class_that_was_only_imported_is_not_the_plugin(runner: Runner, folder: Path) -> None:
    write(folder / "mine.py", "from models.feature_mean import FeatureMean\n\nclass Mine(FeatureMean):\n    pass\n")
    assert runner.describe(row("mine.py")).source == folder / "mine.py"
    assert runner.describe(row("mine.py:FeatureMean")).source == ROOT / "models/feature_mean.py"


def test_a_parameter_that_does_not_exist_names_those_that_do(runner: Runner, folder: Path) -> None:
    write(folder / "mine.py", SUM)
    with pytest.raises(PluginError) as refusal:
        runner.describe(row("mine.py", facter=2))
    assert str(refusal.value) == (
        'parameters: "facter" is no parameter of Sum. Did you mean "factor"? Allowed: factor, offset.'
    )
    with pytest.raises(PluginError, match=r'"depth" is no parameter of FeatureMean. Allowed: feature_set'):
        runner.describe(row("models.feature_mean", depth=3))


def test_a_broken_plugin_stops_no_other(runner: Runner, folder: Path) -> None:
    write(folder / "mine.py", "\nclass Bad(Model):\n    def predict(self, live):\n        return live['no'] + 1\n")
    for _ in range(2):
        with pytest.raises(PluginError, match=r"Bad.predict failed at mine.py line 7: KeyError: 'no'"):
            runner.predict(row("mine.py"), None, FakeLive())
        assert len(runner.predict(row("models.feature_mean"), None, FakeLive())) == 40


@pytest.mark.parametrize("leaving", ["raise SystemExit", "import sys; sys.exit('done')", "raise MemoryError", "quit()"])
def test_a_plugin_that_leaves_does_not_take_numebot_along(runner: Runner, folder: Path, leaving: str) -> None:
    write(folder / "mine.py", f"\nclass Bad(Model):\n    def predict(self, live):\n        {leaving}\n")
    with pytest.raises(PluginError, match=r"Bad.predict failed at .* (SystemExit|MemoryError)"):
        runner.predict(row("mine.py"), None, FakeLive())


def test_an_interrupt_from_outside_passes(runner: Runner) -> None:
    class Interrupted(FakeLive):
        def frame(self, wanted: str | Sequence[str], trained: TrainedVersion | None = None) -> pd.DataFrame:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.predict(row("models.feature_mean"), None, Interrupted())
    assert len(runner.predict(row("models.feature_mean"), None, FakeLive())) == 40


@pytest.mark.parametrize(
    "mutation", ["live.iloc[:, 0] = 9", "live.drop(live.index, inplace=True)", "live.to_numpy()[:] = 9"]
)
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_a_plugin_cannot_disturb_the_frame_of_the_next_one(runner: Runner, folder: Path, mutation: str) -> None:
    body = f"""
class Vandal(Model):
    def predict(self, live):
        rows = len(live)
        try:
            {mutation}
        except ValueError:  # newer pandas gives read-only arrays
            pass
        return np.arange(rows)
"""
    write(folder / "mine.py", body)
    live = FakeLive()
    before = live.rows.copy(deep=True)
    runner.predict(row("mine.py"), None, live)
    assert live.rows.equals(before)


def test_wrong_answers_are_the_plugins_fault(runner: Runner, folder: Path) -> None:
    write(folder / "mine.py", "\nclass Short(Model):\n    def predict(self, live):\n        return np.zeros(3)\n")
    with pytest.raises(PluginError, match=r"an array of shape \(3,\) for 40 rows"):
        runner.predict(row("mine.py"), None, FakeLive())


def test_a_trained_version_survives_on_disk_and_comes_back(runner: Runner, folder: Path, tmp_path: Path) -> None:
    write(folder / "mine.py", LEARNER)
    artifacts = Artifacts(tmp_path)
    kept = keep(artifacts, runner.train(row("mine.py", weight=2.0), training_data()), "mine.py", weight=2.0)
    trained = runner.version_for(row("mine.py"), artifacts)
    assert trained is not None
    assert trained.version == kept.version
    live = FakeLive()
    # Another process has not imported the plugin yet when it unpickles.
    for name in [name for name in sys.modules if name.startswith("numebot_plugin_mine")]:
        del sys.modules[name]
    found = Runner([ROOT, folder]).predict(row("mine.py", weight=2.0), trained, live)
    assert np.allclose(found, float(training_data().y.mean()) * 2)
    assert live.asked == [(("feature_1", "feature_0"), trained)]
    assert runner.scale_of(row("mine.py")) is None


def test_other_parameters_than_those_of_the_training_wait_for_the_next_one(
    runner: Runner, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder / "mine.py", LEARNER)
    trained = keep(
        Artifacts(tmp_path), runner.train(row("mine.py", weight=2.0), training_data()), "mine.py", weight=2.0
    )
    runner.predict(row("mine.py", weight=2.0), trained, FakeLive())
    assert caplog.text == ""
    found = runner.predict(row("mine.py", weight=7.0), trained, FakeLive())
    assert np.allclose(found, float(training_data().y.mean()) * 2)
    assert "was trained with other parameters" in caplog.text


def test_a_model_that_is_not_trained_says_what_to_type(runner: Runner, folder: Path, tmp_path: Path) -> None:
    write(folder / "mine.py", LEARNER)
    with pytest.raises(PluginError, match=r"mine.py is not trained yet. Train it: numebot train rpica"):
        runner.version_for(row("mine.py"), Artifacts(tmp_path))
    with pytest.raises(PluginError, match="numebot train rpica"):
        runner.predict(row("mine.py"), None, FakeLive())
    assert runner.version_for(row("models.feature_mean"), Artifacts(tmp_path)) is None


def test_a_training_that_fails_names_the_line(runner: Runner, folder: Path) -> None:
    write(folder / "mine.py", LEARNER.replace("float(data.y.mean())", "data.nothing"))
    with pytest.raises(PluginError, match=r"Learner.fit failed at mine.py line 13: AttributeError"):
        runner.train(row("mine.py"), training_data())


def test_a_trained_file_that_cannot_be_loaded_concerns_the_model_alone(
    runner: Runner, folder: Path, tmp_path: Path
) -> None:
    write(folder / "mine.py", LEARNER)
    trained = keep(Artifacts(tmp_path), runner.train(row("mine.py"), training_data()), "mine.py")
    (trained.folder / "model.pickle").write_bytes(b"\x80\x05nonsense")
    with pytest.raises(PluginError, match=r"Learner.load failed at .*UnpicklingError"):
        runner.predict(row("mine.py"), trained, FakeLive())


COUNTED = """
class Counted(Model):
    def __init__(self, scale="rank", names=None):
        print("BUILT")
        self.scale = scale
        (names or []).append("changed")

    def predict(self, live):
        return live.mean(axis=1)
"""


def built(runner: Runner) -> int:
    return runner.log_of(row("mine.py")).read_text().count("BUILT")


def ask_everything(runner: Runner, config: ModelConfig, tmp_path: Path) -> str | None:
    assert runner.version_for(config, Artifacts(tmp_path)) is None
    runner.code_sha256(config)
    runner.predict(config, None, FakeLive())
    return runner.scale_of(config)


def test_a_plugin_is_built_once_to_be_described_and_once_to_predict(
    runner: Runner, folder: Path, tmp_path: Path
) -> None:
    write(folder / "mine.py", COUNTED)
    assert ask_everything(runner, row("mine.py"), tmp_path) == "rank"
    assert built(runner) == 2
    # Other parameters are another plugin; so is another file.
    assert ask_everything(runner, row("mine.py", scale=None), tmp_path) is None
    assert built(runner) == 4
    write(folder / "mine.py", COUNTED.replace('scale="rank"', "scale=None"))
    assert ask_everything(runner, row("mine.py"), tmp_path) is None
    assert built(runner) == 6


def test_a_constructor_cannot_change_the_parameters_of_its_row(runner: Runner, folder: Path) -> None:
    write(folder / "mine.py", COUNTED)
    config = row("mine.py", names=["kept"])
    runner.describe(config)
    assert config.parameters == {"names": ["kept"]}


def test_a_plugin_whose_file_is_deleted_meanwhile_ends_the_pass_in_order(
    runner: Runner, folder: Path, tmp_path: Path
) -> None:
    write(folder / "mine.py", SUM)
    config = row("mine.py")
    before = runner.code_sha256(config)
    ask_everything(runner, config, tmp_path)
    (folder / "mine.py").unlink()
    assert (runner.scale_of(config), runner.code_sha256(config)) == ("rank", before)
    with pytest.raises(PluginError, match="does not exist"):
        runner.predict(config, None, FakeLive())


def test_an_edit_of_the_same_length_within_a_second_is_noticed(
    runner: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for code in ("mine.py", "mine_alone"):
        place = folder / f"{code.removesuffix('.py')}.py"
        for factor in (1.0, 5.0):
            write(place, SUM.replace("1.0", str(factor)))
            os.utime(place, (1_800_000_000, 1_800_000_000 + factor))  # a module is compiled anew when its time differs
            if code == "mine.py":
                os.utime(place, (1_800_000_000, 1_800_000_000))
            live = FakeLive()
            assert runner.predict(row(code), None, live).tolist() == (live.rows.sum(axis=1) * factor).tolist()


def test_the_scale_is_that_of_the_training_as_the_predictions_are(runner: Runner, folder: Path, tmp_path: Path) -> None:
    learner = LEARNER.replace("weight=1.0):", "weight=1.0, scale=None):\n        self.scale = scale")
    write(folder / "mine.py", learner)
    trained = keep(Artifacts(tmp_path), runner.train(row("mine.py"), training_data()), "mine.py", scale=None)
    config = row("mine.py", scale="rank")
    runner.predict(config, trained, FakeLive())
    assert runner.scale_of(config, trained) is None
    assert runner.scale_of(config) == "rank"
