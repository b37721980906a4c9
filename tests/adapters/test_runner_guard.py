"""Nothing that a plugin raises, or changes in the process, reaches the models after it."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from numebot.adapters.runner.runner import Runner
from numebot.core.errors import PluginError, Unavailable
from numebot.core.types import ModelConfig, TrainedVersion
from tests.fakes import made_up_rows

ROOT = Path(__file__).parents[2]
SOUND = ModelConfig("sound", "models.feature_mean")


class FakeLive:
    def features(self, wanted: object, trained: TrainedVersion | None = None) -> tuple[str, ...]:
        return tuple(str(name) for name in self.frame(wanted).columns)

    def frame(self, wanted: object, trained: TrainedVersion | None = None) -> pd.DataFrame:
        return made_up_rows(["X"], targets=False).drop(columns=["era", "data_type"])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("numebot_plugin_", "bad_")):
            del sys.modules[name]


@pytest.fixture
def runner(folder: Path) -> Runner:
    return Runner([ROOT, folder])


def plugin(folder: Path, body: str, *, before: str = "") -> ModelConfig:
    """Write a plugin; `body` stands inside the class, `before` in front of it."""
    head = "import numpy as np\nfrom numebot.plugin import Model\n"
    predict = "" if "def predict" in body else "    def predict(self, live):\n        return live.mean(axis=1)\n"
    inside = textwrap.indent(textwrap.dedent(body), "    ")
    (folder / "bad.py").write_text(f"{head}{textwrap.dedent(before)}\nclass Bad(Model):\n{predict}{inside}\n")
    return ModelConfig("bad", "bad.py")


def predicting(folder: Path, statements: str) -> ModelConfig:
    return plugin(folder, "def predict(self, live):\n" + textwrap.indent(textwrap.dedent(statements), "    "))


def refusal_of(runner: Runner, config: ModelConfig) -> str:
    """Predict with a bad plugin, and with a sound one after it; return what was said of the first."""
    with pytest.raises(PluginError) as refusal:
        runner.predict(config, None, FakeLive())
    assert len(runner.predict(SOUND, None, FakeLive())) == 40
    words = str(refusal.value)
    words.encode()
    assert words.isprintable()
    assert len(words) <= 2_001
    return words


RAISED = {
    "raise ValueError('bad \\udcff name')": r"bad \udcff name",
    "raise ValueError('a\\0b')": "ValueError: ab",
    "raise ValueError('\\x1b[31mred\\x1b]0;title\\x07')": "ValueError: red",
    "raise ValueError('x' * 5_000_000)": "ValueError: xxx",
    "raise GeneratorExit": "GeneratorExit",
    "raise StopIteration": "StopIteration",
    "raise KeyboardInterrupt": "bad.py line 6: KeyboardInterrupt",
    "import asyncio\nraise asyncio.CancelledError": "CancelledError",
    "class Own(BaseException): pass\nraise Own('gone')": "bad.py line 7: Own: gone",
    "class Mute(Exception):\n    def __str__(self): raise RuntimeError\nraise Mute": "Mute: (its text cannot be had",
    "class Odd(Exception):\n    @property\n    def __notes__(self): raise RuntimeError\nraise Odd('x')": "Odd: x",
    "raise SyntaxError('x', (5, 1, 1, 'x'))": "bad.py line 6: SyntaxError",
    "raise ExceptionGroup('two', [ValueError(1), KeyError(2)])": "ExceptionGroup: two (2 sub-exceptions)",
    "from numebot.core.errors import PluginError\nraise PluginError('own\\n\\udcff\\x07 words')": r"own \udcff words",
    "return self.predict(live)": "RecursionError",
    "return [10**400] * len(live)": "int too large to convert to float",
    "class Odd(list):\n    def __array__(self, *_, **__): raise SystemExit(0)\nreturn Odd()": "SystemExit: 0",
    "import pandas as pd\nreturn pd.Series(1.0, pd.Index([[1]] * len(live), dtype=object))": "unhashable type: 'list'",
}


@pytest.mark.parametrize("statements", RAISED)
def test_whatever_predict_raises_concerns_one_model(runner: Runner, folder: Path, statements: str) -> None:
    assert RAISED[statements] in refusal_of(runner, predicting(folder, statements))


ATTRIBUTES = {
    "@property\ndef feature_set(self): raise RuntimeError('boom')": "description of bad.py failed at bad.py line 8",
    "@property\ndef scale(self): raise SystemExit(0)": "bad.py line 8: SystemExit: 0",
    "@property\ndef target(self): raise GeneratorExit": "bad.py line 8: GeneratorExit",
    "scale = np.array([1, 2])": "Bad.scale is array([1, 2]). Allowed:",
    "feature_set = 'small\\udcff'": "Bad.feature_set is 'small",
    "def __init__(self): raise KeyError('\\udcff')": "Bad() failed at bad.py line 7: KeyError",
    "def __init__(self): self.scale = type('Odd', (), {'__repr__': lambda self: 1 / 0})()": "ZeroDivisionError",
}


@pytest.mark.parametrize("body", ATTRIBUTES)
def test_attributes_that_raise_or_make_no_sense_concern_one_model(runner: Runner, folder: Path, body: str) -> None:
    assert ATTRIBUTES[body] in refusal_of(runner, plugin(folder, body))


def test_a_metaclass_that_raises_concerns_one_model(runner: Runner, folder: Path) -> None:
    before = """
        from abc import ABCMeta
        class Meta(ABCMeta):
            def __call__(cls, *args): raise KeyError('made')
            @property
            def __signature__(cls): raise RuntimeError('no signature')
    """
    path = folder / "bad.py"
    config = plugin(folder, "x = 1", before=before)
    path.write_text(path.read_text().replace("Bad(Model)", "Bad(Model, metaclass=Meta)"))
    assert "no signature" in refusal_of(runner, config)


@pytest.mark.parametrize("statement", ["raise RuntimeError('init')", "import sys; sys.exit(0)", "raise GeneratorExit"])
def test_a_package_whose_init_raises_concerns_one_model(runner: Runner, folder: Path, statement: str) -> None:
    (folder / "bad_package").mkdir()
    (folder / "bad_package/__init__.py").write_text(f"{statement}\n")
    (folder / "bad_package/inside.py").write_text("")
    words = refusal_of(runner, ModelConfig("bad", "bad_package.inside"))
    assert words.startswith("loading of bad_package.inside failed at bad_package/__init__.py line 1: ")


def test_a_plugin_file_that_cannot_be_read_concerns_one_model(runner: Runner, folder: Path) -> None:
    unreadable = Path("/proc/self/mem")
    if not unreadable.is_file():
        pytest.skip("needs a file that nobody can read, and this system has no /proc/self/mem")
    (folder / "bad.py").symlink_to(unreadable)
    assert "/mem cannot be read (Input/output error)" in refusal_of(runner, ModelConfig("bad", "bad.py"))
    assert "File name too long" in refusal_of(runner, ModelConfig("bad", "x" * 300 + ".py"))


@pytest.mark.parametrize("make", ["folder", "loop"])
def test_what_is_no_file_is_called_what_it_is(runner: Runner, folder: Path, make: str) -> None:
    place = folder / "bad.py"
    if make == "folder":
        place.mkdir()
    else:
        place.symlink_to(place)
    words = refusal_of(runner, ModelConfig("bad", "bad.py"))
    assert words.startswith('"bad.py" is a folder' if make == "folder" else '"bad.py" is a link that leads to no file')
    assert "Did you mean" not in words


def test_trouble_with_the_data_is_not_called_the_plugins(runner: Runner) -> None:
    class Gone(FakeLive):
        def frame(self, wanted: object, trained: TrainedVersion | None = None) -> pd.DataFrame:
            raise Unavailable("the live file is not there yet")

    with pytest.raises(Unavailable):
        runner.predict(SOUND, None, Gone())


def test_the_log_gets_the_traceback_in_plain_text(runner: Runner, folder: Path) -> None:
    config = predicting(folder, "raise ValueError('\\x1b[2J\\udcff' + 'x' * 5_000_000)")
    refusal_of(runner, config)
    log = runner.log_of(config).read_text()
    assert "Bad.predict failed\nTraceback (most recent call last):" in log
    assert "raise ValueError(" in log
    assert "\x1b" not in log
    assert len(log) < 25_000


CHANGES = """
import logging, os, random, signal, sys, warnings
logging.basicConfig(force=True, level=logging.DEBUG)
logging.disable(logging.CRITICAL)
os.chdir('/')
os.environ.clear()
warnings.simplefilter('error')
signal.signal(signal.SIGINT, signal.SIG_IGN)
np.seterr(all='raise')
random.seed(1)
np.random.seed(1)
sys.path.clear()
sys.stdout = sys.stderr = sys.stdin = sys.excepthook = None
"""


def surroundings() -> dict[str, object]:
    return {
        "folder": Path.cwd(),
        "environment": (id(os.environ), dict(os.environ)),
        "streams": (sys.stdin, sys.stdout, sys.stderr, sys.excepthook),
        "path": list(sys.path),
        "warnings": (list(warnings.filters), warnings.showwarning),
        "logging": (list(logging.getLogger().handlers), logging.root.manager.disable),
        "signals": (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)),
        "numpy": np.geterr(),
        "random": (random.getstate(), np.random.mtrand.get_bit_generator().state["state"]["key"].tolist()),
    }


@pytest.mark.parametrize("end", ["return live.mean(axis=1)", "raise ValueError('hunter22')"])
def test_what_a_plugin_changes_around_itself_reaches_nobody(runner: Runner, folder: Path, end: str) -> None:
    before = surroundings()
    config = predicting(folder, CHANGES + end)
    if "raise" in end:
        assert "ValueError: hunter22" in refusal_of(runner, config)
    else:
        assert len(runner.predict(config, None, FakeLive())) == 40
    assert surroundings() == before
