"""Which models are due to be trained anew, by the settings, the table of models and what was noted of the last time."""

from __future__ import annotations

from datetime import datetime

from numebot.app.app import App
from numebot.core.errors import NumebotError, PluginError
from numebot.core.retraining import Trained, parse_retraining, reason_to_train
from numebot.core.types import ModelConfig


def reason_of(app: App, config: ModelConfig) -> str | None:
    """Return why a model is due, in words; None when it is not, or never learns. Raises: Unavailable, LocalTrouble."""
    rule = parse_retraining(config.retrain or app.settings.schedule.retrain)
    if rule.is_never or not _learns(app, config):
        return None
    version = app.datasets.version(config.tournament) if rule.on_new_version else ""
    newest = app.store.newest_round(config.tournament)
    number = newest.number if newest else None
    last = _last(app, config)
    if last is not None and last.round_number is None and number is not None and rule.rounds:
        note_training(app, config, at=last.at, data_version=last.data_version)  # counted from here on
    return reason_to_train(rule, last, now=app.clock.now(), round_number=number, data_version=version)


def note_training(
    app: App, config: ModelConfig, *, at: datetime | None = None, data_version: str | None = None
) -> None:
    """Remember that a model was trained, or that it failed: it is not tried again before its next time."""
    if data_version is None:
        data_version = _version(app, config)
    newest = app.store.newest_round(config.tournament)
    app.store.note(
        _key(config),
        {
            "at": (at or app.clock.now()).isoformat(),
            "round": newest.number if newest else None,
            "data_version": data_version,
        },
    )


def _version(app: App, config: ModelConfig) -> str:
    try:
        return app.datasets.version(config.tournament)
    except NumebotError:
        return ""  # the server is away, which may be why it was not trained: by another version it is due again


def _key(config: ModelConfig) -> str:
    return f"trained:{config.tournament}:{config.name}"


def _learns(app: App, config: ModelConfig) -> bool:
    try:
        return app.runner.describe(config).needs_training
    except PluginError:
        return False  # the pass tells what is wrong with it


def _last(app: App, config: ModelConfig) -> Trained | None:
    noted = app.store.noted(_key(config)) or {}
    try:
        number = noted["round"]
        return Trained(
            datetime.fromisoformat(noted["at"]),
            number if isinstance(number, int) else None,
            str(noted["data_version"]),
        )
    except (KeyError, TypeError, ValueError):
        pass
    try:
        current = app.artifacts.current(config.name, config.tournament)
    except PluginError:
        return None
    return None if current is None else Trained(current.trained_at, None, current.data_version)
