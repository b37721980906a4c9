"""`numebot sweep`: try parameters of a model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from numebot.adapters.children import end_with_parent
from numebot.app import open_app
from numebot.cli.output import answers_only_on_stdout, as_document, download_progress, say, set_up_logging
from numebot.core.account import choose
from numebot.core.errors import PluginError


@click.command(short_help="Try parameters of a model, and train the best.")
@click.argument("model")
@click.option("--config", "config_file", type=click.Path(dir_okay=False, path_type=Path),
              help="What to try (TOML). Without it the newest sweep is shown.")  # fmt: skip
@click.option("--trials", type=click.IntRange(1), help="How many trials in all, in the place of the file's.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that work together.")
@click.option("--best", "wants_best", is_flag=True, help="Train the model with the best parameters afterwards.")
@click.option("--practice", is_flag=True, help="On the practice tournament's data.")
@click.option("--json", "wants_json", is_flag=True, help="Print the trials as JSON on stdout.")
@click.option("--worker", type=int, default=0, hidden=True)
def command(
    *,
    model: str,
    config_file: Path | None,
    trials: int | None,
    jobs: int,
    wants_best: bool,
    practice: bool,
    wants_json: bool,
    worker: int,
) -> int:
    """Try parameters of MODEL, each measured on eras that it was not trained on, and say which are best.

    It may be stopped, or killed, at any time: the same command goes on where it was. The trials are kept in sweeps.db
    of the data folder, and a page with plots beside it, in sweeps/.

    Exit code 0: there is a best trial. 1: none is complete. 2: wrong use or configuration.
    """
    from numebot.app import sweeps  # loads optuna and pandas
    from numebot.core.sweep_report import report_lines
    from numebot.core.sweeps import best_of

    end_with_parent(os.environ)
    plan = None if config_file is None else sweeps.read_plan(config_file, trials)
    with open_app(practice=practice, say=say) as app, download_progress() as app.progress:
        set_up_logging(app)
        (config,) = choose(app.registry.models, (model,))
        if config.problem is not None:
            raise PluginError(config.problem)

        def tell(line: str) -> None:
            say(app.clean(f"{model}: {line}"))

        with answers_only_on_stdout():
            if worker and plan is not None:
                sweeps.play(app, config, plan, tell, worker=worker)
                return 0
            if plan is not None:
                with sweeps.alone(app):
                    waiting = sweeps.prepare(app, config, plan)
                    tell(f"{waiting} trials to play")
                    if waiting and jobs > 1:
                        sweeps.play_in_processes(app, _worker_arguments(model, config_file, trials), jobs, os.environ)
                    elif waiting:
                        sweeps.play(app, config, plan, tell)
            found = sweeps.findings(app, config, plan)
            best = best_of(found.trials)
            version = sweeps.train_best(app, config, found.parameters, best, tell) if wants_best and best else None
        if wants_json:
            answer = {**vars(found), "trials": [vars(trial) for trial in found.trials], "page": str(found.page)}
            ends = {"best": best.number if best else None, "version": version.version if version else None}
            click.echo(app.clean(as_document({**answer, **ends})))
        else:
            for line in report_lines(found.study, found.metric, found.trials, found.importance):
                click.echo(app.clean(line))
            click.echo(f"\n  with plots: {found.page}")
    return 0 if best else 1


def _worker_arguments(model: str, config_file: Path | None, trials: int | None) -> Sequence[str]:
    assert config_file is not None, "workers play a plan"
    limit = [] if trials is None else ["--trials", str(trials)]
    return [model, "--config", str(config_file.resolve()), *limit]
