"""`numebot evaluate`: how good is a trained version on eras it has not seen?"""

from __future__ import annotations

import os
from pathlib import Path

import click

from numebot.adapters.children import end_with_parent
from numebot.app import open_app
from numebot.app.evaluating import evaluate
from numebot.charts.evaluation import evaluation_page
from numebot.cli.evaluation_answers import as_answer, print_evaluation
from numebot.cli.output import answers_only_on_stdout, as_document, download_progress, say, set_up_logging
from numebot.core.account import choose
from numebot.core.errors import LocalTrouble, PluginError, Rejected, Unavailable
from numebot.core.evaluation import Evaluation
from numebot.durable import write_whole

ONE_MODEL_FAILS = (PluginError, Unavailable, Rejected, LocalTrouble)
"""What ends the evaluation of one model and of no other."""


@click.command(short_help="Measure trained models era by era on validation data, with a report.")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--target", help="Score this target. Default: the one that the version was trained on.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page.")
@click.option("--diagnostics", is_flag=True, help="Let Numerai's diagnostics judge the predictions, too: uploads.")
@click.option("--practice", is_flag=True, help="Evaluate on the practice tournament's data.")
@click.option("--json", "wants_json", is_flag=True, help="Print the evaluations as JSON on stdout.")
def command(
    *,
    models: tuple[str, ...],
    target: str | None,
    html: Path | None,
    diagnostics: bool,
    practice: bool,
    wants_json: bool,
) -> int:
    """Measure the current version of each MODEL on the validation eras after the embargo, a few eras at a time.

    Beside it stand the version before it, Numerai's benchmark models and the meta model where the data version has
    them. Every model's predictions are ranked within each era first, as a round submits them. Nothing is uploaded
    without --diagnostics, and diagnostics are no submission.

    \b
    --json prints a list; each has model, version (null: it needs no training), previous_version, data_version, target,
    embargo_eras, eras (oldest first), columns (who is compared), summary {metric: {column: {eras, sum, mean, std,
    sharpe, adjusted_sharpe, autocorrelation, max_drawdown}}}, per_era {metric: {column: [a value per era]}}, exposure
    {feature: {mean, max}}, change {metric: mean above the previous version on common eras}, payout_terms, notes and
    diagnostics. Metrics are corr, mmc, bmc, fnc, payout, spearman, mae, exposure, corr_with_meta_model and
    corr_with_benchmarks; what could not be measured is left out and stands in notes. null: not defined in that era.

    Exit code 0: all are evaluated. 1: at least one is not. 2: wrong use or configuration.
    """
    end_with_parent(os.environ)
    found: list[Evaluation] = []
    with open_app(practice=practice, say=say) as app, download_progress() as app.progress:
        set_up_logging(app)
        configs = choose(app.registry.models, models)
        with answers_only_on_stdout():
            for config in configs:
                try:
                    found.append(evaluate(app, config, target=target, diagnostics=diagnostics, progress=say))
                except ONE_MODEL_FAILS as error:
                    say(app.clean(f"{config.name}: not evaluated: {error}"))
    if html is not None and found:
        write_whole(html.resolve(), evaluation_page(found), mode=0o644)
        say(f"wrote {html}")
    if wants_json:
        click.echo(as_document([as_answer(one) for one in found]))
    else:
        for one in found:
            print_evaluation(one)
    return 0 if len(found) == len(configs) else 1
