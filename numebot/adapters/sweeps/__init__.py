"""Sweeps on disk, kept by Optuna in a database of its own beside numebot's: sweeps.db.

Optuna's tables change with Optuna; numebot's own database is not to be upgraded with them. Several processes may work
on one study; what a killed one was at is tried anew.
"""

from __future__ import annotations

from numebot.adapters.sweeps.studies import Asked, Studies, Study

__all__ = ["Asked", "Studies", "Study"]
