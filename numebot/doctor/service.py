"""What plays rounds by itself here, and when it last did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from numebot.core.diagnosis import Point, ok, problem, unknown, warning
from numebot.core.features import listed
from numebot.core.rounds import spoken

PATIENCE = timedelta(minutes=5)
"""How much later than announced a look may come."""


@dataclass(frozen=True)
class UnitState:
    """A unit of systemd as its manager describes it: "numebot.service", "active", "running", "enabled"."""

    name: str
    active: str
    sub: str
    file: str

    @property
    def is_well(self) -> bool:
        """Whether it runs, or waits for its time, and will again after a restart of the machine."""
        return self.active == "active" and self.file.startswith("enabled")


def service_point(units: Sequence[UnitState] | None) -> Point:
    """Judge the units that are installed; None where no systemd is."""
    if units is None:
        return unknown("service", "this machine does not run systemd.")
    if not units:
        return unknown("service", "not installed (scripts/install-service); rounds are played by hand or by serve.")
    sick = [f"{one.name} is {one.active} ({one.sub}, {one.file})" for one in units if not one.is_well]
    if sick:
        advice = "journalctl -u numebot -n 50 says why; then scripts/install-service"
        return problem("service", f"{listed(sick)}.", advice)
    return ok("service", ", ".join(f"{one.name} {one.sub}" for one in units))


def wakeup_point(
    *, is_alive: bool, is_served: bool, finished: datetime | None, due: datetime | None, now: datetime
) -> Point:
    """Judge the daemon by its lock, its last finished wake-up and the look that it announced.

    `is_served` is whether a service is installed, which should keep it alive.
    """
    last = f"last finished wake-up {spoken(now - finished)} ago" if finished else "no finished wake-up yet"
    if is_alive and due is not None and now - due > PATIENCE:
        words = f"the daemon lives, but its next look was due {spoken(now - due)} ago; {last}."
        return problem("wake-up", words, "It is at work or hangs: look into its log, then stop and start it.")
    if is_alive:
        return ok("wake-up", f"the daemon lives; {last}")
    if is_served:
        return problem("wake-up", f"the service is installed and no daemon lives; {last}.", "systemctl restart numebot")
    return warning("wake-up", f"no daemon runs; {last}.", "Type: numebot serve, or scripts/install-service")
