"""Each line of the doctor with a sound and with a broken case: facts in, a point out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from numebot.core.contract import KIND
from numebot.core.diagnosis import Mark
from numebot.core.types import Event, KeyInfo, ModelConfig
from numebot.doctor.account import clock_point, key_point, scopes_point, way_point
from numebot.doctor.folder import database_point, disk_point, file_system_point, writable_point
from numebot.doctor.machine import isolation_point, libraries_point, memory_point, python_point
from numebot.doctor.models import contract_point, table_point, training_point
from numebot.doctor.service import UnitState, service_point, wakeup_point

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
GOOD, WARNING, BAD, UNKNOWN = Mark.OK, Mark.WARNING, Mark.PROBLEM, Mark.UNKNOWN
NEEDED = frozenset({"upload_submission", "read_submission_info", "read_user_info"})
HERE = Path("/here")


def wakeup(*, alive: bool = True, served: bool = False, finished: float | None = 1, due: float | None = -1) -> object:
    """`finished` and `due` are minutes ago."""
    when = [None if minutes is None else NOW - timedelta(minutes=minutes) for minutes in (finished, due)]
    return wakeup_point(is_alive=alive, is_served=served, finished=when[0], due=when[1], now=NOW)


def breach(version: str) -> Event:
    return Event(NOW, KIND, "alpha: 3 features are gone", 8, None, "alpha", {"trained_version": version})


def unit(active: str = "active", file: str = "enabled") -> UnitState:
    return UnitState("numebot.service", active, "running", file)


CASES = {
    "python": (python_point((3, 12, 1), optimises=False), GOOD, "3.12.1"),
    "old python": (python_point((3, 10, 9), optimises=False), BAD, "too old"),
    "python -O": (python_point((3, 12, 1), optimises=True), BAD, "-O"),
    "libraries": (libraries_point({"numpy": {"2.1", "2.2"}, "colorama": ()}, {"numpy": "2.2"}), GOOD, "2 libraries"),
    "absent library": (libraries_point({"numpy": {"2.1"}}, {}), BAD, "not installed: numpy"),
    "other library": (libraries_point({"numpy": {"2.1"}}, {"numpy": "1.9"}), WARNING, "numpy 1.9 (locked: 2.1)"),
    "no lock": (libraries_point({}, {"numpy": "1.9"}), UNKNOWN, "no requirements.txt"),
    "memory": (memory_point(8000, [ModelConfig("alpha", "a")], 4096), GOOD, "8,000 MB"),
    "little memory": (memory_point(8000, [ModelConfig("alpha", "a", memory_limit_mb=9000)], 10), WARNING, "alpha"),
    "little by default": (memory_point(2000, [ModelConfig("alpha", "a")], 4096), WARNING, "alpha"),
    "memory not told": (memory_point(0, [], 4096), UNKNOWN, "does not say"),
    "isolation": (isolation_point(()), GOOD, "Landlock"),
    "no isolation": (isolation_point(["This kernel has no Landlock."]), WARNING, "no Landlock"),
    "folder": (writable_point(HERE, None, is_there=True), GOOD, "/here"),
    "folder to come": (writable_point(HERE, None, is_there=False), GOOD, "not there yet"),
    "folder not ours": (writable_point(HERE, "Permission denied", is_there=True), BAD, "Permission denied"),
    "file system": (file_system_point("ext4"), GOOD, "ext4"),
    "network folder": (file_system_point("nfs4"), BAD, "nfs4"),
    "stick": (file_system_point("vfat"), WARNING, "owners"),
    "memory disk": (file_system_point("tmpfs"), WARNING, "restart"),
    "file system not told": (file_system_point(None), UNKNOWN, "does not say"),
    "disk": (disk_point(10**11, 10**12), GOOD, "100.0 GB free"),
    "little disk": (disk_point(10**10, 10**12), WARNING, "training data"),
    "full disk": (disk_point(10**8, 10**12), BAD, "0.1 GB free"),
    "database": (database_point([], "0003", "0003"), GOOD, "whole"),
    "older database": (database_point([], "0002", "0003"), GOOD, "becomes 0003"),
    "newer database": (database_point([], "0009", "0003"), BAD, "newer numebot"),
    "damaged database": (database_point(["page 4 is never used"], None, "0003"), BAD, "page 4"),
    "models": (table_point([ModelConfig("alpha", "a")], (), ()), GOOD, "1 enabled of 1"),
    "no model": (table_point([ModelConfig("alpha", "a", enabled=False, problem="odd")], (), ()), WARNING, "no model"),
    "bad row": (table_point([ModelConfig("alpha", "a", problem="line 2: odd")], (), ()), BAD, "line 2: odd"),
    "row without name": (table_point([ModelConfig("alpha", "a")], ["line 3: no name"], ()), BAD, "line 3"),
    "odd column": (table_point([ModelConfig("alpha", "a")], (), ["a column stak"]), WARNING, "a column stak"),
    "trained": (training_point((), 2), GOOD, "2 enabled"),
    "not trained": (training_point(["alpha"], 0), BAD, "never trained: alpha"),
    "contract": (contract_point([breach("old")], {"alpha": "new"}), GOOD, "no trained version"),
    "contract of others": (contract_point([breach("old")], {"beta": None}), GOOD, "no trained version"),
    "broken contract": (contract_point([breach("new")], {"alpha": "new"}), WARNING, "3 features are gone"),
    "service": (service_point([unit()]), GOOD, "running"),
    "failed service": (service_point([unit("failed")]), BAD, "numebot.service is failed"),
    "service not at boot": (service_point([unit(file="disabled")]), BAD, "disabled"),
    "no service": (service_point([]), UNKNOWN, "not installed"),
    "no systemd": (service_point(None), UNKNOWN, "does not run systemd"),
    "wake-up": (wakeup(), GOOD, "last finished wake-up 1 min ago"),
    "overdue wake-up": (wakeup(due=20), BAD, "due 20 min ago"),
    "no daemon": (wakeup(alive=False), WARNING, "no daemon runs"),
    "dead service": (wakeup(alive=False, served=True, finished=None), BAD, "no finished wake-up yet"),
    "key": (key_point(".secret", None, (), HERE), GOOD, "from .secret"),
    "no key": (key_point(None, None, (), HERE), BAD, "there is none"),
    "half a key": (key_point(None, ".secret line 1: half", (), HERE), BAD, "half"),
    "open key": (key_point(".secret", None, [".secret can be read by others"], HERE), WARNING, "others"),
    "scopes": (scopes_point(KeyInfo("me", "bot", NEEDED)), GOOD, '"bot" of me'),
    "wide key": (scopes_point(KeyInfo("me", "bot", NEEDED | {"stake"})), WARNING, "stake"),
    "narrow key": (scopes_point(KeyInfo("me", "bot", frozenset({"read_user_info"}))), BAD, "upload_submission"),
    "scopes not told": (scopes_point(KeyInfo("me", "bot", None)), WARNING, "unknown"),
    "network": (way_point("numer.ai", ["1.2.3.4"], "TLSv1.3", 60.0), GOOD, "numer.ai is 1.2.3.4, TLSv1.3"),
    "proxy": (way_point("numer.ai", [], "", None), GOOD, "proxy"),
    "old certificate": (way_point("numer.ai", ["1.2.3.4"], "TLSv1.3", 1.5), WARNING, "1.5 days"),
    "clock": (clock_point(NOW + timedelta(seconds=2), NOW), GOOD, "agrees"),
    "clock ahead": (clock_point(NOW + timedelta(seconds=20), NOW), WARNING, "20 s ahead"),
    "clock behind": (clock_point(NOW - timedelta(hours=1), NOW), BAD, "3,600 s behind"),
    "clock not told": (clock_point(NOW, None), WARNING, "no time"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_point_says_how_it_is_and_what_to_do(case: str) -> None:
    point, mark, words = CASES[case]
    assert (point.mark, words in point.words) == (mark, True), point
    assert bool(point.advice) == (mark in (WARNING, BAD)), "what is wrong comes with what to do"
