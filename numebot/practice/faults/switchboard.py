"""The switchboard: which faults are on, and which of them strikes a request."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from numebot.practice.faults.kinds import ANY, API_KINDS, COMPANIONS, GET, PUT, STORAGE_KINDS, Fault, Kind


@dataclass
class Switched:
    """A fault that is on, with its history."""

    fault: Fault
    since: datetime
    seen: int = 0
    struck: int = 0


@dataclass(frozen=True)
class Struck:
    """What strikes one request: at most one main fault, and its companions."""

    main: Fault | None = None
    companions: tuple[Fault, ...] = ()

    @property
    def kind(self) -> Kind | None:
        """The kind of the main fault."""
        return self.main.kind if self.main is not None else None

    @property
    def late_by_s(self) -> float:
        """Seconds that the answer leaves late."""
        return sum(_or(fault.seconds, 1.0) for fault in self.companions if fault.kind is Kind.SLOW)

    @property
    def skew_s(self) -> float:
        """Seconds by which the Date header is off."""
        return sum(_or(fault.seconds, 3600.0) for fault in self.companions if fault.kind is Kind.CLOCK_SKEW)


class Faults:
    """The switchboard: which faults are on, and which of them strikes now. Safe to use from several threads."""

    def __init__(self, faults: Iterable[Fault] = (), *, now: Callable[[], datetime], seed: int = 0) -> None:
        self._now = now
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._switched: list[Switched] = []
        self.switch_on(*faults)

    def switch_on(self, *faults: Fault) -> None:
        """Add faults to those that are on; the ones switched on first are asked first."""
        with self._lock:
            self._switched += [Switched(fault, self._now()) for fault in faults]

    def replace(self, faults: Iterable[Fault]) -> None:
        """Switch everything off and these on, in one step."""
        with self._lock:
            self._switched = [Switched(fault, self._now()) for fault in faults]

    def clear(self) -> None:
        """Switch everything off."""
        self.replace(())

    def switched(self) -> tuple[Switched, ...]:
        """Return what is on (also what has struck as often as it may), with its history."""
        with self._lock:
            return tuple(Switched(each.fault, each.since, each.seen, each.struck) for each in self._switched)

    def strike(self, operations: Collection[str], document: str = "") -> Struck:
        """Decide what strikes a request of these operations, and count it; `document` is the text of a query."""
        main: Fault | None = None
        companions: list[Fault] = []
        with self._lock:
            for switched in self._switched:
                is_companion = switched.fault.kind in COMPANIONS
                if (main is not None and not is_companion) or not fits(switched.fault, operations, document):
                    continue
                if not self._strikes(switched):
                    continue
                if is_companion:
                    companions.append(switched.fault)
                else:
                    main = switched.fault
        return Struck(main, tuple(companions))

    def _strikes(self, switched: Switched) -> bool:
        fault = switched.fault
        age = self._now() - switched.since
        if age < timedelta(seconds=fault.from_s) or (
            fault.until_s is not None and age >= timedelta(seconds=fault.until_s)
        ):
            return False
        switched.seen += 1
        if switched.seen <= fault.skip or (fault.times is not None and switched.struck >= fault.times):
            return False
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return False
        switched.struck += 1
        return True


def fits(fault: Fault, operations: Collection[str], document: str = "") -> bool:
    """Whether a fault can happen to a request of these operations. A missing field hurts only who asks for it."""
    if fault.operation not in (ANY, *operations):
        return False
    if fault.kind is Kind.UNKNOWN_FIELD and fault.field is not None and fault.field not in document:
        return False
    is_storage = GET in operations or PUT in operations
    if fault.kind in STORAGE_KINDS:
        return STORAGE_KINDS[fault.kind] in operations
    return not (is_storage and fault.kind in API_KINDS)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
