"""Which tournaments a scheduled sync is worth its questions for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from numebot.app.app import App
from numebot.core.chores import next_key
from numebot.core.scoring import RESULTS_CHORE
from numebot.core.types import Tournament
from numebot.steps.sync_watch import sync_outlook


def due_tournaments(app: App, say: Callable[[str], None]) -> Sequence[Tournament]:
    """Return the tournaments with something new, and note for the daemon when to look again.

    Raises: AccessDenied without a key; LocalTrouble.
    """
    every = timedelta(hours=app.settings.daemon.results_hours)
    tools = app.results_tools()
    due = []
    look_again_in = every
    for tournament in app.settings.tournament.play:
        outlook = sync_outlook(tools.figures, tools.standing, tools.clock, tournament, every=every)
        look_again_in = min(look_again_in, outlook.look_again_in)
        words = "nothing new can be there" if outlook.reason is None else outlook.reason
        say(f"{tournament.name.lower()}: {words}.")
        if outlook.reason is not None:
            due.append(tournament)
    app.store.note(next_key(RESULTS_CHORE), {"at": (app.clock.now() + look_again_in).isoformat()})
    return due
