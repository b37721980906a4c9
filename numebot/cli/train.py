"""`numebot train`: fit a model, evaluate it, keep it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import click

from numebot.adapters.children import end_with_parent
from numebot.app import App, open_app
from numebot.cli.output import answers_only_on_stdout, as_document, download_progress, say, set_up_logging
from numebot.core.account import choose
from numebot.core.errors import LocalTrouble, PluginError, Rejected, Unavailable
from numebot.core.types import ModelConfig, TrainedVersion

ONE_MODEL_FAILS = (PluginError, Unavailable, Rejected, LocalTrouble)
"""What ends the training of one model and of no other."""


@click.command(short_help="Train a model and keep it as its newest version.")
@click.argument("models", nargs=-1, metavar="MODEL...")
@click.option("--missing", is_flag=True, help="Train every enabled model that needs it and never was.")
@click.option("--practice", is_flag=True, help="Train on the practice tournament's data.")
@click.option("--json", "wants_json", is_flag=True, help="Print the trained versions as JSON on stdout.")
def command(*, models: tuple[str, ...], missing: bool, practice: bool, wants_json: bool) -> int:
    """Train each MODEL on the newest data and keep it as its newest version. Older versions stay.

    Exit code 0: all are trained. 1: at least one is not; the others are kept. 2: wrong use or configuration.
    """
    if bool(models) == missing:
        raise click.UsageError("name one or more models, or say --missing.")
    end_with_parent(os.environ)
    trained: list[TrainedVersion] = []
    with open_app(practice=practice, say=say) as app, download_progress() as app.progress:
        set_up_logging(app)
        configs = choose(app.registry.models, models)
        if missing:
            configs = [config for config in configs if needs_first_training(app, config)]
        with answers_only_on_stdout():
            for config in configs:
                try:
                    trained.append(_train(app, config))
                except ONE_MODEL_FAILS as error:
                    say(app.clean(f"{config.name}: not trained: {error}"))
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


def _train(app: App, config: ModelConfig) -> TrainedVersion:
    if config.problem is not None:
        raise PluginError(config.problem)
    return app.train(config, say)


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
