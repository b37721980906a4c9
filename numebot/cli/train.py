"""`numebot train`: fit a model, evaluate it, keep it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from numebot.adapters.children import end_with_parent
from numebot.app import App, open_app
from numebot.app.retraining import note_training, reason_of
from numebot.cli.output import answers_only_on_stdout, as_document, download_progress, say, set_up_logging
from numebot.cli.training_bars import training_bars
from numebot.core.account import choose
from numebot.core.errors import LocalTrouble, PluginError, Rejected, Unavailable
from numebot.core.staging import EraChoice
from numebot.core.types import ModelConfig, TrainedVersion
from numebot.training import Show, TrainingWishes

ONE_MODEL_FAILS = (PluginError, Unavailable, Rejected, LocalTrouble)
"""What ends the training of one model and of no other."""
BEGUN_KEY = "train:begun"
"""Under which the store notes when the last command began that was no `--resume`."""


@click.command(short_help="Train a model and keep it as its newest version.")
@click.argument("models", nargs=-1, metavar="MODEL...")
@click.option("--missing", is_flag=True, help="Train every enabled model that needs it and never was.")
@click.option("--due", is_flag=True, help="Train what [schedule] retrain or the column retrain says is due.")
@click.option("--practice", is_flag=True, help="Train on the practice tournament's data.")
@click.option("--eras", "span", metavar="FROM:TO", default="", help="Learn from these eras, e.g. 0200:0574 or 0200:.")
@click.option("--every-nth-era", "every", metavar="N", type=click.IntRange(1), default=1, help="Of those, every n-th.")
@click.option("--feature-set", metavar="SET", default="", help="Take this feature set in place of the plugin's.")
@click.option(
    "--target", "targets", metavar="TARGET", multiple=True, help="Learn this target in place of the plugin's."
)
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**31 - 1), help="Give this to the plugin as its seed.")
@click.option("--memory", "memory_gb", metavar="GB", type=click.FloatRange(0.1), help="Take this much memory at most.")
@click.option("--promote", is_flag=True, help="Make the version current however its validation compares.")
@click.option("--resume", is_flag=True, help="Leave out what an interrupted command has trained already.")
@click.option("--json", "wants_json", is_flag=True, help="Print the trained versions as JSON on stdout.")
def command(
    *,
    models: tuple[str, ...],
    missing: bool,
    due: bool,
    practice: bool,
    wants_json: bool,
    resume: bool,
    **options: Any,
) -> int:
    """Train each MODEL on the newest data and keep it as its newest version. Older versions stay.

    It becomes the current one unless its validation falls below the current one's by more than [models]
    promotion_margin. Ctrl-C leaves everything as it is.

    Exit code 0: all are trained. 1: at least one is not; the others are kept. 2: wrong use or configuration.
    """
    if bool(models) + missing + due != 1:
        raise click.UsageError("name one or more models, or say --missing.")
    wishes = _wishes(**options)
    end_with_parent(os.environ)
    trained: list[TrainedVersion] = []
    with open_app(practice=practice, say=say) as app, download_progress() as app.progress, training_bars() as show:
        set_up_logging(app)
        configs: Sequence[ModelConfig] = choose(app.registry.models, models)
        if missing:
            configs = [config for config in configs if needs_first_training(app, config)]
        if due:
            configs = _due(app, configs)
        configs = _left_to_train(app, configs, resume=resume)
        with answers_only_on_stdout():
            for config in configs:
                try:
                    trained.append(_train(app, config, wishes, show))
                    note_training(app, config)
                except ONE_MODEL_FAILS as error:
                    say(app.clean(f"{config.name}: not trained: {error}"))
                    if isinstance(error, PluginError):  # anything else may be over in an hour
                        note_training(app, config)
    if wants_json:
        click.echo(as_document([as_answer(version) for version in trained]))
    else:
        for version in trained:
            corr = version.metrics.get("corr_mean")
            click.echo(f"{version.model} {version.version} corr {'unknown' if corr is None else f'{corr:.4f}'}")
    return 0 if len(trained) == len(configs) else 1


def train_missing(app: App, configs: Iterable[ModelConfig]) -> None:
    """Train the models that need training and never had any. What fails is told here and recorded by the pass."""
    for config in configs:
        try:
            if needs_first_training(app, config):
                _train(app, config)
        except ONE_MODEL_FAILS as error:
            say(app.clean(f"{config.name}: not trained: {error}"))


def needs_first_training(app: App, config: ModelConfig) -> bool:
    """Whether a row is usable, its plugin wants training, and it never had any. What is wrong with it is told here."""
    try:
        return (
            config.problem is None
            and app.runner.describe(config).needs_training
            and app.artifacts.current(config.name, config.tournament) is None
        )
    except PluginError as error:
        say(app.clean(f"{config.name}: not trained: {error}"))
        return False


def _train(
    app: App,
    config: ModelConfig,
    wishes: TrainingWishes | None = None,
    show: Show = lambda what, done, of: None,
) -> TrainedVersion:
    if config.problem is not None:
        raise PluginError(config.problem)
    return app.train(config, say, wishes=wishes, show=show)


def _due(app: App, configs: Sequence[ModelConfig]) -> Sequence[ModelConfig]:
    """Return the enabled models whose time has come; those that need no training never are."""
    found = []
    for config in configs:
        try:
            reason = reason_of(app, config) if config.enabled and config.problem is None else None
        except ONE_MODEL_FAILS as error:
            say(app.clean(f"{config.name}: whether it is due is not known: {error}"))
            continue
        if reason:
            say(f"{config.name}: trained, since {reason}")
            found.append(config)
    return found


def _wishes(
    *,
    span: str,
    every: int,
    feature_set: str,
    targets: tuple[str, ...],
    seed: int | None,
    memory_gb: float | None,
    promote: bool,
) -> TrainingWishes:
    try:
        eras = EraChoice.parse(span, every)
    except ValueError as error:
        raise click.UsageError(f"--eras: {error}") from error
    return TrainingWishes(eras, feature_set, targets, seed, memory_gb, promotes=promote)


def _left_to_train(app: App, configs: Sequence[ModelConfig], *, resume: bool) -> Sequence[ModelConfig]:
    """Return what an interrupted command did not come to; without `resume`, everything, and note when this began."""
    if not resume:
        app.store.note(BEGUN_KEY, {"at": app.clock.now().isoformat(timespec="seconds")})
        return configs
    begun = (app.store.noted(BEGUN_KEY) or {}).get("at", "")
    names = {config.name: app.artifacts.versions(config.name, config.tournament) for config in configs}
    left = [
        config
        for config in configs
        if not begun or not names[config.name] or names[config.name][-1] < _as_version(str(begun))
    ]
    done = [config.name for config in configs if config not in left]
    if done:
        say(f"trained already: {', '.join(done)}")
    return left


def _as_version(at: str) -> str:
    """Return a time as versions are named, which are compared as text."""
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def as_answer(version: TrainedVersion) -> Mapping[str, object]:
    """Return the documented JSON of a trained version."""
    return {
        "model": version.model,
        "version": version.version,
        "data_version": version.data_version,
        "target": version.target,
        "features": len(version.features),
        "eras": version.eras,
        "metrics": dict(version.metrics),
        "sha256": version.sha256,
        "folder": str(version.folder),
    }
