"""What the hardened service forbids: numebot's and its plugins' work under the same filter, without systemd."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine_tools import needs

SKIP = 77  # the exit code of a script that cannot test anything here
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

# How a child process is confined: its own user and network namespaces, and Landlock.
CONFINE = """
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
EPERM, CREATE_RULESET, CLONE_NEWUSER, CLONE_NEWNET = 1, 444, 0x10000000, 0x40000000
assert libc.syscall(CREATE_RULESET, None, 0, 1) > 0 or ctypes.get_errno() != EPERM, "Landlock"
assert libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 or sys.argv[2] == "no namespaces", "namespaces"
assert libc.mount(b"none", b"/mnt", b"tmpfs", 0, None) == -1 and ctypes.get_errno() == EPERM, "mounted"
"""

# The filter of SystemCallFilter=, set as systemd sets it; what is not named is refused with EPERM.
FILTER = """
import ctypes, sys

REFUSE, ALLOW = 0x00050001, 0x7FFF0000
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(seccomp.seccomp_init(REFUSE))
for name in sys.argv[1].split():
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    assert number < 0 or seccomp.seccomp_rule_add(context, ALLOW, number, 0) == 0, name
assert seccomp.seccomp_load(context) == 0
"""


def lines(key: str) -> list[str]:
    found = [line.partition("=")[2] for line in HARDENING.read_text().splitlines() if line.startswith(f"{key}=")]
    assert found, key
    return found


def run(script: str, folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-c", script, *arguments]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode == SKIP:
        pytest.skip(answer.stderr)
    assert answer.returncode == 0, answer.stderr


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
def test_models_databases_and_children_work_under_the_filter(allowed: set[str], tmp_path: Path) -> None:
    run(FILTER + WORK, tmp_path, " ".join(allowed))


def test_child_processes_can_be_confined_under_the_filter(allowed: set[str], tmp_path: Path) -> None:
    has_namespaces = subprocess.run(["unshare", "--user", "--net", "true"], capture_output=True, check=False)
    run(FILTER + CONFINE, tmp_path, " ".join(allowed), "no namespaces" if has_namespaces.returncode else "namespaces")


def test_child_processes_can_be_ended_and_filtered_further(allowed: set[str]) -> None:
    wanted = {"kill", "pidfd_open", "prctl", "seccomp", "setpgid", "setsid", "wait4", "landlock_restrict_self"}
    assert wanted - allowed == set()


def test_what_no_plugin_needs_is_forbidden(allowed: set[str]) -> None:
    forbidden = {"mount", "reboot", "init_module", "bpf", "ptrace", "setuid", "chroot", "clock_settime", "swapon"}
    assert forbidden & allowed == set()


def test_plugins_may_be_put_into_user_and_network_namespaces_and_no_others() -> None:
    assert lines("RestrictNamespaces") == ["user net"]


# PR_SET_MDWE: the kernel's own form of MemoryDenyWriteExecute=yes.
REFUSE_CODE = f"""
import ctypes, sys

if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.stderr.write("this kernel is older than 6.3 and has no PR_SET_MDWE")
    sys.exit({SKIP})
"""


@pytest.mark.slow
def test_the_standard_libraries_would_do_without_writable_code(tmp_path: Path) -> None:
    """The comment in hardening.conf says so."""
    run(REFUSE_CODE + WORK, tmp_path)
