"""What the hardened service forbids, and what numebot and its plugins do. No systemd runs here: names are compared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine_tools import needs

HARDENING = Path(__file__).parents[1] / "config" / "hardening.conf"

# What a plugin's child process does: models in threads, a database, a socket, limits, a child of its own.
WORK = """
import resource, signal, socket, sqlite3, subprocess, sys
import lightgbm, numpy, pandas, pyarrow, pyarrow.parquet, xgboost

x, y = numpy.random.default_rng(1).random((400, 5), dtype=numpy.float32), numpy.arange(400) % 2
lightgbm.train({"verbose": -1, "num_threads": 2}, lightgbm.Dataset(x, y), 3)
xgboost.train({"nthread": 2}, xgboost.DMatrix(x, y), 3)
pandas.DataFrame(x).rename(columns=str).to_parquet("x.parquet")
pyarrow.parquet.read_table("x.parquet", memory_map=True)
with sqlite3.connect("numebot.db") as db:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE rounds (number INTEGER)")
db.close()
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    pass
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
subprocess.run([sys.executable, "-c", ""], check=True, start_new_session=True)
"""

# How a child process is ended and confined; tests elsewhere do it, a trace of WORK does not show it.
CONFINING = {"kill", "pidfd_open", "prctl", "seccomp", "setpgid", "setsid", "unshare", "wait4"} | {
    f"landlock_{name}" for name in ("create_ruleset", "add_rule", "restrict_self")
}

# SQLite, as root alone, gives new files to the owner of the database, and does not mind being refused.
REFUSED = {"fchown"}


def lines(key: str) -> list[str]:
    found = [line.partition("=")[2] for line in HARDENING.read_text().splitlines() if line.startswith(f"{key}=")]
    assert found, key
    return found


@pytest.fixture(scope="module")
def allowed() -> set[str]:
    """The system calls that the filter lets through, by the list of this machine's systemd."""
    analyze = needs("systemd-analyze", "systemd")

    def members(name: str) -> set[str]:
        if not name.startswith("@"):
            return {name}
        answer = subprocess.run([analyze, "syscall-filter", name], capture_output=True, text=True, check=True)
        inside = [line.strip() for line in answer.stdout.splitlines()[1:]]
        return set().union(*(members(each) for each in inside if each and not each.startswith("#")))

    calls = members("@default")
    for words in lines("SystemCallFilter"):
        named = set().union(*(members(name) for name in words.removeprefix("~").split()))
        calls = calls - named if words.startswith("~") else calls | named
    return calls


@pytest.mark.slow
def test_models_databases_and_children_call_nothing_that_is_forbidden(allowed: set[str], tmp_path: Path) -> None:
    strace = needs("strace", "strace")
    counts = tmp_path / "counts"
    subprocess.run([strace, "-f", "-qq", "-c", "-o", counts, sys.executable, "-c", WORK], cwd=tmp_path, check=True)
    called = {line.split()[-1] for line in counts.read_text().splitlines()}
    called = {name for name in called if name.isidentifier()} - {"syscall", "total"}
    assert {"openat", "mmap", "connect", "execve", "prlimit64"} <= called
    assert called - allowed - REFUSED == set()


def test_child_processes_can_be_confined_and_ended(allowed: set[str]) -> None:
    assert CONFINING - allowed == set()


def test_what_no_plugin_needs_is_forbidden(allowed: set[str]) -> None:
    forbidden = {"mount", "reboot", "init_module", "bpf", "ptrace", "setuid", "chroot", "clock_settime", "swapon"}
    assert forbidden & allowed == set()


def test_plugins_may_be_put_into_user_and_network_namespaces_and_no_others() -> None:
    assert lines("RestrictNamespaces") == ["user net"]


# PR_SET_MDWE: the kernel's own form of MemoryDenyWriteExecute=yes
REFUSE = "import ctypes, sys\nif ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):\n    sys.exit(77)\n"


@pytest.mark.slow
def test_the_standard_libraries_would_do_without_writable_code(tmp_path: Path) -> None:
    """The comment in hardening.conf says so."""
    answer = subprocess.run(
        [sys.executable, "-c", REFUSE + WORK], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if answer.returncode == 77:
        pytest.skip("this kernel is older than 6.3 and has no PR_SET_MDWE")
    assert answer.returncode == 0, answer.stderr
