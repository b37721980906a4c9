"""One visit: what is looked at, in which order, and how the facts are had. Each look is on its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numebot
from numebot.adapters import machine
from numebot.adapters.artifacts import SAFE_NAME, Artifacts
from numebot.adapters.lease import DAEMON_LOCK, holder_of
from numebot.adapters.lock_file import locked_libraries, plain_names
from numebot.adapters.registry import Registry
from numebot.adapters.registry.code import CodeFinder
from numebot.adapters.registry.learning import learns
from numebot.adapters.runner.sandbox import isolation_notes
from numebot.adapters.surroundings import installed_libraries
from numebot.adapters.units import units
from numebot.core.contract import KIND
from numebot.core.diagnosis import Point, ok, problem, unknown
from numebot.core.errors import NumebotError, PluginError
from numebot.core.ports import Clock
from numebot.core.types import Event, ModelConfig
from numebot.doctor.account import clock_point, scopes_point, way_point
from numebot.doctor.folder import database_point, disk_point, file_system_point, writable_point
from numebot.doctor.machine import isolation_point, libraries_point, memory_point, python_point
from numebot.doctor.models import contract_point, table_point, training_point, unread_table
from numebot.doctor.service import UnitState, service_point, wakeup_point

if TYPE_CHECKING:
    from numebot.adapters.numerai.client import NumeraiClient
    from numebot.adapters.store import Store

Look = Callable[[], Iterable[Point]]
LOCK = Path(numebot.__file__).parents[1] / "requirements.txt"


def seen(name: str, look: Look) -> list[Point]:
    """Return what one look finds. One that fails says so and keeps none of the others from being done."""
    try:
        return list(look())
    except NumebotError as error:
        return [problem(name, str(error), "Do what it says there, then call the doctor again.")]
    except OSError as error:
        return [problem(name, f"{error.filename or 'this machine'}: {error.strerror or error}", "Correct that.")]


def of_machine(lock: Path = LOCK) -> list[Point]:
    """Look at what needs no settings: Python, its libraries, and what holds plugins back."""
    return [
        python_point(tuple(sys.version_info[:3]), optimises=bool(sys.flags.optimize)),
        libraries_point(locked_libraries(lock), plain_names(installed_libraries())),
        isolation_point(isolation_notes()),
    ]


def of_folder(folder: Path) -> list[Point]:
    """Look at the data folder and its disk."""
    trouble = machine.writing_trouble(folder)
    return [
        writable_point(folder, trouble, is_there=folder.is_dir()),
        file_system_point(machine.file_system_of(folder)),
        disk_point(*machine.room(folder)),
    ]


def of_database(path: Path) -> tuple[Point, bool]:
    """Look at the database; the second is whether it can be read on."""
    if not path.exists():
        return ok("database", "not there yet; made by the first round or training"), False
    from numebot.adapters.store.look import look  # SQLAlchemy: not for a first visit

    state = look(path)
    return database_point(list(state.problems), state.revision, state.head), state.is_usable


def of_models(
    read: Callable[[], Registry], artifacts: Artifacts, finder: CodeFinder, breaches: Sequence[Event], default_mb: int
) -> list[Point]:
    """Look at the table of models, their trained versions and their memory."""
    try:
        registry = read()
    except NumebotError as error:
        return [*unread_table(str(error)), memory_point(machine.memory_mb(), (), default_mb)]
    usable = [one for one in registry.models if one.enabled and one.problem is None and SAFE_NAME.fullmatch(one.name)]
    versions = {one.name: _version(artifacts, one) for one in usable}
    untrained = [one.name for one in usable if versions[one.name] is None and _learns(finder, one)]
    return [
        table_point(registry.models, registry.problems, registry.notices),
        training_point(untrained, sum(version is not None for version in versions.values())),
        contract_point(breaches, versions),
        memory_point(machine.memory_mb(), usable, default_mb),
    ]


def breaches_of(store: Store) -> list[Event]:
    """Return what is known of data versions that break trained ones. Raises: LocalTrouble."""
    return store.events(kinds=(KIND,), limit=1000)


def of_service(folder: Path, store: Store | None, now: datetime, *, practice: bool) -> list[Point]:
    """Look at the units of systemd and at the daemon's last wake-up; units never play the practice tournament."""
    found = units()
    states = None if found is None else [UnitState(*one) for one in found]
    beacon = (store.noted("daemon") if store else None) or {}
    is_served = not practice and any(one.name == "numebot.service" for one in states or ())
    return [
        service_point(states),
        wakeup_point(
            is_alive=holder_of(folder, DAEMON_LOCK) is not None,
            is_served=is_served,
            finished=_time(beacon.get("finished_at")),
            due=_time(beacon.get("next_look_at")),
            now=now,
        ),
    ]


def of_network(server: NumeraiClient, clock: Clock, *, has_key: bool, tournament: int) -> list[Point]:
    """Look at the way to Numerai, at its clock, and at what the key may do; each step needs the one before."""
    from numebot.adapters.numerai.reach import server_time, way_to  # not for a visit that stays offline

    left = ["network", "clock", "scopes"]
    points = []
    try:
        way = way_to(server.transport)
        days = (way.ends_at - clock.now()).total_seconds() / 86400 if way.ends_at else None
        points.append(way_point(way.host, way.addresses, way.tls, days))
        left.pop(0)
        points.append(clock_point(clock.now(), server_time(server.transport, tournament)))
        left.pop(0)
        points.append(scopes_point(server.key_info()) if has_key else unknown("scopes", "there is no key."))
    except NumebotError as error:
        points.append(problem(left[0], str(error), "Look at the line, the router's DNS, and status pages of Numerai."))
        points += [unknown(name, "the step before it failed.") for name in left[1:]]
    return points


def without_network() -> list[Point]:
    """Return the points of a visit that stays on this machine."""
    return [unknown(name, "needs the network (--offline).") for name in ("network", "clock", "scopes")]


def _version(artifacts: Artifacts, config: ModelConfig) -> str | None:
    try:
        return artifacts.marked(config.name, config.tournament)
    except PluginError:
        return None  # the mark points nowhere: as good as never trained


def _learns(finder: CodeFinder, config: ModelConfig) -> bool:
    path = finder.file(config.code)
    return not config.is_ensemble and path is not None and bool(learns(path))


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
