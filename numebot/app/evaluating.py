"""What the command `evaluate` asks of an app: one evaluation, with or without Numerai's diagnostics."""

from __future__ import annotations

from collections.abc import Callable

from numebot.adapters.numerai.diagnostics import NumeraiDiagnostics
from numebot.app.app import App
from numebot.core.account import slot_problem
from numebot.core.errors import ConfigError, PluginError
from numebot.core.evaluation import Evaluation
from numebot.core.payouts import NotKnown, PayoutTerms, payout_terms
from numebot.core.types import ModelConfig
from numebot.diagnosing import Patience, diagnosed
from numebot.evaluation import Bench, evaluate_model
from numebot.redaction import redact

ROUNDS_LOOKED_THROUGH = 20
"""The newest rounds may come without settings: so many are looked through for the newest ones that have some."""

Progress = Callable[[str], None]


def evaluate(
    app: App, config: ModelConfig, *, target: str | None, diagnostics: bool, progress: Progress
) -> Evaluation:
    """Evaluate one model. Only diagnostics need a key.

    Raises: as evaluate_model and diagnosed; AccessDenied or ConfigError before any work when diagnostics are wanted
    and the account has no such model.
    """
    if config.problem is not None:
        raise PluginError(config.problem)
    told: Progress = lambda line: progress(redact(line, app.secrets))  # noqa: E731 # one line, used twice
    model_id = _slot(app, config) if diagnostics else ""
    bench = Bench(app.datasets, app.artifacts, app.runner, newest_terms(app, config.tournament), told)
    path = app.data_folder / "diagnostics" / f"{config.name}.csv" if diagnostics else None
    found = evaluate_model(config, bench, target=target, predictions=path)
    if path is None:
        return found
    server = NumeraiDiagnostics(app.server.transport)
    poll = Patience(poll_s=app.settings.submission.confirm_poll_s)
    return diagnosed(
        found, path, server=server, model_id=model_id, clock=app.clock, patience=poll, progress=told
    )


def newest_terms(app: App, tournament: int) -> PayoutTerms | NotKnown:
    """Return how the newest round pays whose settings are in the database, or why that is not known."""
    newest = app.store.newest_round(tournament)
    if newest is None:
        return NotKnown("no round is in the database yet; `numebot sync` brings the payout settings")
    reason = NotKnown("no payout settings are in the database yet; `numebot sync` brings them")
    for number in range(newest.number, newest.number - ROUNDS_LOOKED_THROUGH, -1):
        found = payout_terms(app.store.answers.payout_settings(tournament, number), None)
        if isinstance(found, PayoutTerms):
            return found
    return reason


def _slot(app: App, config: ModelConfig) -> str:
    _ = app.key
    slots = {slot.name: slot for slot in app.server.account_models() if slot.tournament == config.tournament}
    if config.name not in slots:
        raise ConfigError(slot_problem(config, slots) or f"{config.name}: the account has no such model.")
    return slots[config.name].id
