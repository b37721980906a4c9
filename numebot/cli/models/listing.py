"""`numebot models list`: the rows of model_configs.csv and what became of them."""

from __future__ import annotations

from collections.abc import Mapping

import click

from numebot.app import App, open_app
from numebot.cli.output import as_document, set_up_logging
from numebot.cli.tables import Styled, print_table
from numebot.core.contract import KIND
from numebot.core.errors import PluginError
from numebot.core.types import Event, ModelConfig, Tournament


@click.command("list", short_help="List the models, their code, and whether they are trained.")
@click.option("--practice", is_flag=True, help="List the models of the practice tournament.")
@click.option("--json", "wants_json", is_flag=True, help="Print the list as JSON on stdout.")
def command(*, practice: bool, wants_json: bool) -> int:
    """List every row of model_configs.csv: its code, whether it is enabled and trained, and what is wrong with it.

    Exit code 0: no enabled row has a problem. 1: at least one has.
    """
    return list_models(practice=practice, wants_json=wants_json)


def list_models(*, practice: bool, wants_json: bool) -> int:
    """Print the rows and return the exit code."""
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        breaches = _breaches(app)
        answers = [_as_answer(app, config, breaches) for config in app.registry.models]
        notices = (*app.registry.problems, *app.registry.notices)
        if wants_json:
            click.echo(as_document(answers))
        else:
            _show(answers, str(app.settings.paths.model_configs))
    for notice in notices:
        click.echo(notice, err=True)
    return 1 if any(answer["problem"] and answer["enabled"] for answer in answers) else 0


Breaches = Mapping[tuple[str, object], Event]


def _breaches(app: App) -> Breaches:
    """Return what is known of trained versions that will break, by model and version; nothing without a database."""
    if not (app.data_folder / "numebot.db").exists():
        return {}
    events = app.store.events(kinds=(KIND,), limit=1000)
    return {(event.model or "", event.details.get("trained_version")): event for event in events}


def _as_answer(app: App, config: ModelConfig, breaches: Breaches) -> Mapping[str, object]:
    version, corr, problem = None, None, config.problem
    if problem is None:
        try:
            trained = app.artifacts.current(config.name, config.tournament)
        except PluginError as error:
            problem = str(error)
        else:
            version = trained.version if trained else None
            corr = trained.metrics.get("corr_mean") if trained else None
    breach = breaches.get((config.name, version)) if version else None
    return {
        "name": config.name,
        "tournament": Tournament(config.tournament).name.lower(),
        "code": config.code,
        "enabled": config.enabled,
        "trained_version": version,
        "validation_corr": corr,
        "problem": problem,
        "breaks_with": breach.details.get("data_version") if breach else None,
        "warning": breach.message if breach else None,
        "fallback": config.fallback or None,
        "description": config.description,
    }


def _show(answers: list[Mapping[str, object]], path: str) -> None:
    columns = ["model", "tournament", "code", "enabled", "trained version", "corr", "fallback", "problem"]
    rows = []
    for answer in answers:
        corr = answer["validation_corr"]
        rows.append(
            [
                str(answer["name"]),
                str(answer["tournament"]),
                str(answer["code"]),
                Styled("yes", "green") if answer["enabled"] else "no",
                str(answer["trained_version"] or "-"),
                f"{corr:.4f}" if isinstance(corr, float) else "-",
                str(answer["fallback"] or "-"),
                Styled(str(answer["problem"] or ""), "red") if answer["problem"] else _warning(answer),
            ]
        )
    print_table(columns, rows, title=f"Models of {path}")


def _warning(answer: Mapping[str, object]) -> Styled:
    return Styled(str(answer["warning"] or ""), "yellow")
