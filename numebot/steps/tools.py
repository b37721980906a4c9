"""What a pass works with, and what the owner asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from numebot.adapters.datasets import Datasets
from numebot.adapters.runner.runner import Runner
from numebot.adapters.store import Store
from numebot.core.ports import Clock, TournamentServer
from numebot.core.types import Round
from numebot.steps.confirming import Confirmer
from numebot.steps.journal import Journal
from numebot.steps.live_files import LiveFiles
from numebot.steps.predicting import Predictor
from numebot.steps.roster import Roster
from numebot.steps.safety_net import NetTools
from numebot.steps.submitting import Submitter


@dataclass(frozen=True)
class Tools:
    """What a pass works with; built in app.py."""

    server: TournamentServer
    store: Store
    datasets: Datasets
    journal: Journal
    predictor: Predictor
    submitter: Submitter
    confirmer: Confirmer
    runner: Runner
    clock: Clock
    deadline_margin: timedelta
    net: NetTools | None = None
    """Uploads after the deadline, for the next round; None unless the owner wants them."""
    roster: Callable[[int], Roster] = lambda tournament: Roster()
    """The rows of the table of a tournament, played or not."""

    def live_files(self, round_: Round) -> LiveFiles:
        """Return the files of a round, which come when they are first asked for."""
        return LiveFiles(self.datasets, self.store, self.clock, round_)


@dataclass(frozen=True)
class Wishes:
    """What the owner asked of this pass."""

    dry_run: bool = False
    force: bool = False
    only_due: bool = False
    """Leave alone what is to be tried later; a hand-started pass tries everything now."""
    play: str = "all"
    """Which rounds to enter: "all", or "weekend"."""
