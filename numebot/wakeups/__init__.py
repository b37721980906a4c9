"""What the daemon does at each wake-up: look, do what is missing, say when to look again. Light: no pandas in here."""

from numebot.wakeups.lookout import Look, Lookout
from numebot.wakeups.wakeups import WakeUps, WakeUpTools
from numebot.wakeups.work import Work

__all__ = ["Look", "Lookout", "WakeUpTools", "WakeUps", "Work"]
