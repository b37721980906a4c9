"""Plugins that use several threads or processes, in real processes of theirs; and the semaphores that they get."""

from __future__ import annotations

import _multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from numebot.adapters.runner import semaphores
from numebot.adapters.runner.landlock import abi
from numebot.adapters.runner.runner import Runner
from numebot.adapters.runner.semaphores import PipeSemaphore
from numebot.core.errors import PluginError
from numebot.core.types import ModelConfig
from tests.fakes import RoundInMemory

needs_landlock = pytest.mark.skipif(abi() == 0, reason="needs a kernel with Landlock (Linux 5.13, lsm=landlock)")

PLUGIN = """
import multiprocessing
import os
import numpy as np
from numebot.plugin import Model


class Workers(Model):
    feature_set = "all"

    def predict(self, live):
        {body}
"""

BODIES = {
    "forest": """
        from sklearn.ensemble import RandomForestRegressor
        target = live.iloc[:, 0] + live.mean(axis=1)
        return RandomForestRegressor(n_estimators=8, n_jobs=2).fit(live, target).predict(live)""",
    "lightgbm": """
        from lightgbm import LGBMRegressor
        model = LGBMRegressor(n_estimators=5, n_jobs=2, min_child_samples=2, verbose=-1)
        return model.fit(live, live.mean(axis=1)).predict(live)""",
    "loky": """
        from joblib import Parallel, delayed
        return np.array(Parallel(n_jobs=2, backend="loky")(delayed(abs)(one) for one in range(len(live))))""",
    "forked": """
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return np.array(pool.map(abs, range(len(live))))""",
    "spawned": """
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            return np.array(pool.map(abs, range(len(live))))""",
    "shared_memory": """
        from multiprocessing.shared_memory import SharedMemory
        one = SharedMemory(create=True, size=100)
        other = SharedMemory(name=one.name)
        one.buf[7] = 5
        assert other.buf[7] == 5
        other.close(), one.close(), one.unlink()
        return live.mean(axis=1)""",
}

MANAGER = """
        with multiprocessing.Manager() as manager:
            return np.array(list(manager.list(range(len(live)))))"""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    # Not in pytest's own folder: the address of a Unix socket has room for a hundred letters.
    with tempfile.TemporaryDirectory(prefix="nb") as folder:
        yield from made_in(Path(folder).resolve())


def made_in(home: Path) -> Iterator[Runner]:
    for name, body in BODIES.items():
        (home / f"{name}.py").write_text(PLUGIN.format(body=body.strip()))
    (home / "manager.py").write_text(PLUGIN.format(body=MANAGER.strip()))
    made = Runner([home], place=home / "data")
    yield made
    made.close()


@needs_landlock
@pytest.mark.parametrize("name", BODIES)
@pytest.mark.slow
def test_it_predicts_without_a_trace_outside_of_its_folder(tmp_path: Path, runner: Runner, name: str) -> None:
    before = set(os.listdir("/dev/shm"))
    live = RoundInMemory(tmp_path / "round")
    found = runner.predict(ModelConfig(name, f"{name}.py"), None, live)
    assert found.notna().all()
    assert found.nunique() > 2
    left = set(os.listdir("/dev/shm")) - before
    assert not [one for one in left if one.startswith(("sem.mp", "sem.loky", "psm", "loky", "joblib"))]


@needs_landlock
def test_workers_with_sockets_need_a_row_that_allows_them(tmp_path: Path, runner: Runner) -> None:
    live = RoundInMemory(tmp_path / "round")
    with pytest.raises(PluginError, match=r"Workers\.predict failed at manager\.py line 12"):
        runner.predict(ModelConfig("manager", "manager.py"), None, live)
    allowed = ModelConfig("manager", "manager.py", network=True)
    assert len(runner.predict(allowed, None, live)) == len(live.rows)


@pytest.fixture(params=["theirs", "ours"])
def semaphore(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make semaphores of both makes: kind (0 recursive, 1 not), value, largest value."""
    monkeypatch.setattr(PipeSemaphore, "place", str(tmp_path))
    make: Any = PipeSemaphore if request.param == "ours" else _multiprocessing.SemLock
    return lambda *numbers: make(*numbers, f"/numebot-{os.getpid()}-{request.param}", True)


def test_a_semaphore_is_had_as_often_as_its_value(semaphore: Any) -> None:
    made = semaphore(1, 2, 2)
    assert (made.acquire(), made.acquire(False), made.acquire(False)) == (True, True, False)
    assert (made.acquire(True, 0.05), made._is_zero(), made._count()) == (False, True, 2)
    made.release()
    assert (made._get_value(), made._is_zero()) == (1, False)
    made.release()
    with pytest.raises(ValueError, match="released too many times"):
        made.release()
    assert (made.kind, made.maxvalue, made.name) == (1, 2, None)


def test_a_recursive_lock_belongs_to_a_thread(semaphore: Any) -> None:
    made = semaphore(0, 1, 1)
    found = []

    def try_it() -> None:
        found.append(made.acquire(False))
        with pytest.raises(AssertionError, match="not owned by thread"):
            made.release()

    with made:
        assert made.acquire(False)
        assert (made._count(), made._is_mine()) == (2, True)
        made.release()
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    assert found == [False]
    assert (made._count(), made._get_value()) == (0, 1)


def test_who_waits_gets_it_when_it_is_given_back(semaphore: Any) -> None:
    made = semaphore(1, 0, 5)
    thread = threading.Thread(target=made.release)
    thread.start()
    assert made.acquire(True, 60)
    thread.join()


def test_by_its_name_it_is_the_same_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PipeSemaphore, "place", str(tmp_path))
    first = PipeSemaphore(1, 1, 1, "/one", False)
    second = PipeSemaphore._rebuild(first.handle, 1, 1, "/one")
    assert (second.acquire(False), first.acquire(False)) == (True, False)
    with pytest.raises(FileExistsError):
        PipeSemaphore(1, 1, 1, "/one", False)
    with pytest.raises(ValueError, match="not a name"):
        PipeSemaphore(1, 1, 1, "/../escape", False)
    with pytest.raises(RuntimeError, match="forked"):
        PipeSemaphore._rebuild(0, 1, 1, None)


def test_every_python_that_a_plugin_starts_has_them(tmp_path: Path) -> None:
    script = (
        "import pathlib, subprocess, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from numebot.adapters.runner import semaphores\n"
        f"semaphores.set_up(pathlib.Path({str(tmp_path)!r}))\n"
        "print(subprocess.run([sys.executable, '-c', 'import multiprocessing as m; print(m.Lock()._semlock)'],"
        " capture_output=True, text=True).stdout)\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "PipeSemaphore" in answer.stdout
    assert (tmp_path / semaphores.FOLDER / semaphores.STARTUP / "sitecustomize.py").is_file()
