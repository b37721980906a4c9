"""What a pass over a round works with, put together. Loads pandas and the rest, which only a pass needs."""

from __future__ import annotations

from datetime import timedelta

from numebot.adapters.predictions import PredictionFiles
from numebot.app.app import App
from numebot.pipeline import Tools
from numebot.steps.confirming import Confirmer, Watch
from numebot.steps.journal import Journal
from numebot.steps.ladder import Ladder
from numebot.steps.predicting import Predictor
from numebot.steps.roster import Roster
from numebot.steps.safety_net import NetTools
from numebot.steps.submitting import Patience, Submitter


def round_tools(app: App) -> Tools:
    """Return what a pass over a round needs. Raises: AccessDenied without a key."""
    _ = app.key
    app.store.claim_for(app.server_name)
    wishes = app.settings.submission
    patience = Patience(wishes.attempts, wishes.retry_s, wishes.settle_s)
    watch = Watch(wishes.confirm_timeout_s, wishes.confirm_poll_s)
    journal = Journal(app.store, app.clock, clean=app.clean, at_border=app.at_border)
    app.server.transport.on_repeat = journal.tries.overheard
    files = PredictionFiles(app.data_folder)
    ladder = Ladder(app.runner, app.artifacts, files, app.datasets, app.store)
    predictor = Predictor(ladder, files, app.clock)
    net = None
    if app.settings.schedule.safety_net:
        net_journal = Journal(app.store.nets, app.clock, clean=app.clean, at_border=app.at_border)
        net_submitter = Submitter(app.server, net_journal, app.clock, patience)
        net = NetTools(app.store, app.store.nets, net_journal, predictor, net_submitter)
    return Tools(
        server=app.server,
        store=app.store,
        datasets=app.datasets,
        journal=journal,
        predictor=predictor,
        submitter=Submitter(app.server, journal, app.clock, patience),
        confirmer=Confirmer(app.server, journal, app.clock, watch),
        runner=app.runner,
        clock=app.clock,
        deadline_margin=timedelta(seconds=wishes.deadline_margin_s),
        net=net,
        roster=lambda tournament: _roster(app, tournament),
    )


def _roster(app: App, tournament: int) -> Roster:
    rows = [row for row in app.registry.models if row.tournament == tournament]
    enabled = tuple(row.name for row in rows if row.enabled)
    return Roster(enabled, tuple(row.name for row in rows if not row.enabled))
