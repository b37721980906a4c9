"""What can be made to go wrong, when it does, and what a client sees of it."""

from numebot.practice.faults.kinds import Fault, Kind
from numebot.practice.faults.switchboard import Faults

__all__ = ["Fault", "Faults", "Kind"]
