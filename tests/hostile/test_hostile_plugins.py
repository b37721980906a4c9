"""Plugins that do their worst, in real processes, together with sound ones that must not notice."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pytest

from numebot.adapters.runner.asking import DefaultLimits, PredictionRequest
from numebot.adapters.runner.landlock import abi
from numebot.adapters.runner.nursery import Nursery
from numebot.adapters.runner.processes import descendants
from numebot.adapters.runner.runner import Runner
from numebot.core.errors import NumebotError, PluginError
from numebot.core.types import ModelConfig, TrainedVersion
from tests.fakes import made_up_rows

PLUGINS = Path(__file__).parent / "plugins"
CANARY = "canary-7f3a"
needs_landlock = pytest.mark.skipif(abi() == 0, reason="needs a kernel with Landlock (Linux 5.13, lsm=landlock)")

IN_A_HURRY = {"hang": 0.03, "hang_deaf": 0.03, "garbage": 0.1}
"""Minutes for those that are waited for."""
WITH_LITTLE_MEMORY = {"allocate_steadily": 400, "allocate_in_children": 600, "allocate_200_gb": 1024}

WORDS = {
    "segfault": "its process crashed with SIGSEGV (Segmentation fault). Last words: ",
    "abort": "its process crashed with SIGABRT (Aborted). Last words: assertion failed in libmodel.so",
    "exit_zero": "its process ended with exit code 0 before it gave an answer.",
    "exit_at_import": "its process ended with exit code 0 before it gave an answer.",
    "hang": "limit time_limit_minutes 0.03",
    "hang_deaf": "limit time_limit_minutes 0.03",
    "allocate_200_gb": "Its limit is 1,024 MB (memory_limit_mb).",
    "allocate_steadily": "memory_limit_mb",
    "allocate_in_children": "MB, limit memory_limit_mb 600",
    "fork_bomb": "processes; 64 are allowed",
    "wrong_length": "predict returned an array of shape (39,) for 40 rows of live data.",
    "garbage": "its process wrote a message of 4,294,967,295 bytes where answers belong",
    "half_a_message": "its process",
    "close_all": "its process",
    "print_gigabytes": "ValueError: done with printing",
    "forge_pickle": "a file of predictions that cannot be read.",
    "forge_link": "its process left no file of predictions",
    "forge_pipe": "its process left a file of predictions that is none",
    "forge_huge": "its process left a file of predictions that is none (536,870,912 bytes).",
}
HARMLESS = ("escape", "not_a_number", "constant", "mutate", "fill_scratch", "loud_threads", "own_environment")


class FakeLive:
    def __init__(self) -> None:
        self.rows = made_up_rows(["X"], targets=False).drop(columns=["era", "data_type"])

    def features(self, wanted: object, trained: TrainedVersion | None = None) -> tuple[str, ...]:
        return tuple(self.rows.columns)

    def frame(self, wanted: object, trained: TrainedVersion | None = None) -> pd.DataFrame:
        return self.rows


class Home:
    """An owner's folder with secrets, and a runner whose private plugins are the hostile ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = folder / ".secret"
        self.live = FakeLive()
        for name in (".secret", ".env", "model_configs.csv"):
            (folder / name).write_text(CANARY)
            (folder / name).chmod(0o600)
        self.runner = Runner([folder, PLUGINS], place=folder / "data", limits=DefaultLimits(1))

    def config(self, name: str, **more: object) -> ModelConfig:
        parameters = {key: str(value) for key, value in more.items() if key != "network"}
        return ModelConfig(
            name,
            f"{name}.py",
            parameters=parameters,
            time_limit_minutes=IN_A_HURRY.get(name),
            memory_limit_mb=WITH_LITTLE_MEMORY.get(name),
            network=bool(more.get("network")),
        )

    def predict(self, name: str, **more: object) -> pd.Series:
        return self.runner.predict(self.config(name, **more), None, self.live)

    def refusal_of(self, name: str, **more: object) -> str:
        with pytest.raises(PluginError) as refusal:
            self.predict(name, **more)
        return str(refusal.value)

    def log(self, name: str) -> str:
        return self.runner.log_of(self.config(name)).read_text()

    def survivors(self) -> list[int]:
        """Processes below the watching ones, which have nothing to do now."""
        return [process for process in descendants(os.getpid()) if depth(process) > 2]


def depth(process: int) -> int:
    """How many generations a process is away from this one."""
    for generation in range(50):
        if process in (os.getpid(), 0):
            return generation
        try:
            process = int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            return 0
    raise AssertionError


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("home"))
    yield made
    made.runner.close()


@pytest.fixture(scope="module")
def results(home: Home) -> Mapping[str, pd.Series | NumebotError]:
    """All of them in one batch, as a pass runs its models, with a sound one at each end and in the midst."""
    names = ["sound", *WORDS, "sound", *HARMLESS, "sound"]
    requests = [PredictionRequest(home.config(name), None, home.live) for name in names]
    done = list(home.runner.predict_many(requests))
    assert len(done) == len(names)
    sound = [found for request, found in done if request.config.name == "sound"]
    assert all(isinstance(found, pd.Series) and found.equals(home.live.rows.mean(axis=1)) for found in sound)
    return {request.config.name: found for request, found in done}


@pytest.mark.parametrize("name", WORDS)
def test_what_it_did_is_said_in_words(results: Mapping[str, pd.Series | NumebotError], name: str) -> None:
    found = results[name]
    assert isinstance(found, PluginError)
    assert WORDS[name] in str(found)
    assert str(found).isprintable()


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_is_let_be(results: Mapping[str, pd.Series | NumebotError], name: str) -> None:
    found = results[name]
    assert isinstance(found, pd.Series)
    assert len(found) == 40


def test_no_process_is_left(home: Home, results: object) -> None:
    assert home.survivors() == []


def test_a_changed_frame_was_the_plugins_own(home: Home, results: Mapping[str, pd.Series]) -> None:
    assert results["mutate"].tolist() == list(range(40))
    assert results["mutate"].index.equals(home.live.rows.index)
    assert home.live.rows.to_numpy().any()


def test_a_gigabyte_of_output_leaves_a_small_log_with_its_end(home: Home, results: object) -> None:
    log = home.log("print_gigabytes")
    assert len(log) < 300_000
    assert "bytes left out" in log
    assert "done with printing" in log


def test_nothing_of_the_call_stays_on_disk(home: Home, results: object) -> None:
    assert list((home.folder / "data" / "scratch").glob("run-*/call-*")) == []


def test_its_environment_holds_nothing_of_the_owners(
    home: Home, results: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAI_SECRET_KEY", CANARY)
    line = next(line for line in home.log("own_environment").splitlines() if line.startswith("ENVIRONMENT"))
    for name in ("NUMERAI", "NOTIFY_SOCKET", "CREDENTIALS", "KEY", "USER", "PYTEST"):
        assert name not in line
    assert "scratch" in line


def test_a_time_out_is_tried_once_more_alone(home: Home) -> None:
    requests = [PredictionRequest(home.config(name), None, home.live) for name in ("hang", "sound")]
    order = [request.config.name for request, _ in home.runner.predict_many(requests)]
    assert order == ["sound", "hang"]


@needs_landlock
@pytest.mark.parametrize("name", [".secret", ".env", "model_configs.csv", "/etc/shadow", "/root"])
def test_it_reads_no_secret(home: Home, name: str) -> None:
    words = home.refusal_of("read_file", path=home.folder / name)
    assert "Permission denied" in words
    assert CANARY not in words


@needs_landlock
@pytest.mark.parametrize(
    "name", [".secret", "new", "data/numebot.db", "data/scratch/new", "/tmp/numebot-hostile", "/dev/shm/hostile"]
)
def test_it_writes_nowhere_else(home: Home, name: str) -> None:
    assert "Permission denied" in home.refusal_of("write_file", path=home.folder / name)
    assert home.secret.read_text() == CANARY


def test_it_changes_no_mode(home: Home) -> None:
    home.predict("change_mode", path=home.secret)
    assert home.secret.stat().st_mode & 0o777 == 0o600


def test_it_sees_nothing_of_the_processes_above(home: Home) -> None:
    home.predict("read_parents")
    log = home.log("read_parents")
    assert "REFUSED" in log
    assert "READ" not in log


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_it_opens_no_connection_unless_its_row_says_so(home: Home, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert "PermissionError" in home.refusal_of("connect_tcp", port=port)
    assert "PermissionError" in home.refusal_of("send_udp", port=port)
    assert len(home.predict("connect_tcp", port=port, network=True)) == 40


def test_it_does_not_end_the_process_that_watches_it(home: Home) -> None:
    words = home.refusal_of("kill_parent")
    assert "PermissionError" in words or "the process that watched it was killed" in words
    assert len(home.predict("sound")) == 40
    assert home.survivors() == []


def test_an_edit_counts_at_the_next_call(tmp_path: Path, home: Home) -> None:
    runner = Runner([tmp_path])
    config = ModelConfig("edited", "edited.py")
    for factor in (1, 2):
        sound = (PLUGINS / "sound.py").read_text()
        (tmp_path / "edited.py").write_text(sound.replace("axis=1)", f"axis=1) * {factor}"))
        expected = home.live.rows.mean(axis=1) * factor
        assert runner.predict(config, None, home.live).tolist() == expected.tolist()
    runner.close()


KILLED = """
import sys
from pathlib import Path
from numebot.adapters.runner.runner import Runner
from numebot.core.types import ModelConfig
from tests.hostile.test_hostile_plugins import FakeLive
runner = Runner([Path(folder) for folder in sys.argv[1:3]], place=Path(sys.argv[1]))
runner.predict(ModelConfig("hang_deaf", "hang_deaf.py", time_limit_minutes=60), None, FakeLive())
"""


def test_when_numebot_is_killed_its_plugins_end(tmp_path: Path) -> None:
    patience = threading.Event()
    root = PLUGINS.parents[2]
    numebot = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), str(PLUGINS)], cwd=root)
    while len(below := descendants(numebot.pid)) < 3:  # the server, the watching process, the plugin's
        assert numebot.poll() is None
        patience.wait(0.05)
    numebot.kill()
    numebot.wait()
    for _ in range(1200):
        left = [process for process in below if Path(f"/proc/{process}").exists() and not is_zombie(process)]
        if not left:
            break
        patience.wait(0.05)
    assert left == []


def is_zombie(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_where_forking_is_not_safe_each_call_is_a_python_of_its_own(home: Home) -> None:
    nursery = Nursery(forks=False)
    runner = Runner([home.folder, PLUGINS], nursery=nursery)
    assert len(runner.predict(home.config("sound"), None, home.live)) == 40
    with pytest.raises(PluginError, match="SIGSEGV"):
        runner.predict(home.config("segfault"), None, home.live)
    runner.close()
    nursery.close()


def test_threads_may_ask_at_the_same_time(home: Home) -> None:
    found: list[pd.Series] = []
    threads = [threading.Thread(target=lambda: found.append(home.predict("sound"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(each) for each in found] == [40] * 3
