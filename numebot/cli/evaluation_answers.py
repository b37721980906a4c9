"""An evaluation as a table for people and as JSON for machines."""

from __future__ import annotations

import math
from collections.abc import Mapping

import click

from numebot.charts.evaluation import figure_text, number
from numebot.cli.tables import print_table
from numebot.core.evaluation import PREVIOUS, THIS, UNITS, Evaluation, exposure_table
from numebot.core.payouts import NotKnown

SHOWN = ("mean", "std", "sharpe", "adjusted_sharpe", "max_drawdown", "eras")
STRONGEST = 5
"""So many features are named with their exposure."""


def print_evaluation(one: Evaluation) -> None:
    """Print a table per metric group: this version in full, the others by their means."""
    subject, eras = one.subject, one.eras
    version = subject.version or "as it is"
    title = f"{subject.model} {version}: target {subject.target}, {len(eras)} eras {eras[0]} to {eras[-1]}"
    rows = [
        [name, *(figure_text(one, name, THIS, shown) for shown in SHOWN), UNITS[name]]
        for name in one.scores
    ]
    print_table(["metric", *(shown.replace("_", " ") for shown in SHOWN), ""], rows, title=title)
    metrics = [name for name in one.scores if len(one.scores[name].columns) > 1]
    means = [
        [column, *(number(one.figure(name, column, "mean")) for name in metrics),
         figure_text(one, "corr", column, "sharpe")]
        for column in one.columns
    ]  # fmt: skip
    if len(means) > 1:
        print_table(["mean of", *metrics, "corr sharpe"], means)
    strongest = exposure_table(one)["mean"].dropna().head(STRONGEST)
    if len(strongest):
        listed = ", ".join(f"{name} {number(float(value), 3)}" for name, value in strongest.items())
        click.echo(f"Strongest exposures: {listed}")
    if PREVIOUS in one.columns:
        click.echo(f"Corr above the previous version {subject.previous_version}: {number(one.change('corr'))}")
    for note in one.notes:
        click.echo(f"Note: {note}")
    if one.diagnostics is not None:
        figures = [[name, number(value)] for name, value in one.diagnostics.figures.items()]
        print_table(["figure", "value"], figures, title=f"Numerai's diagnostics, run {one.diagnostics.id}")


def as_answer(one: Evaluation) -> Mapping[str, object]:
    """Return the documented JSON of an evaluation."""
    subject, terms, told = one.subject, one.terms, one.diagnostics
    per_era = {
        name: {str(column): [float(value) for value in frame[column]] for column in frame}
        for name, frame in one.scores.items()
    }
    changes = {name: one.change(name) for name in one.scores}
    return {
        "model": subject.model,
        "tournament": subject.tournament,
        "version": subject.version,
        "previous_version": subject.previous_version,
        "data_version": subject.data_version,
        "target": subject.target,
        "embargo_eras": subject.embargo,
        "eras": one.eras,
        "columns": one.columns,
        "summary": {name: one.summary(name).to_dict(orient="index") for name in one.scores},
        "per_era": per_era,
        "exposure": exposure_table(one).to_dict(orient="index"),
        "change": {name: value for name, value in changes.items() if math.isfinite(value)},
        "payout_terms": None if isinstance(terms, NotKnown) else {
            "multipliers": {name: str(value) for (name, _), value in terms.multipliers.items()},
            "factor": str(terms.factor),
            "clip": str(terms.clip),
        },
        "notes": list(one.notes),
        "diagnostics": None if told is None else {
            "id": told.id, "status": told.status, "message": told.message,
            "figures": dict(told.figures), "per_era": {era: dict(values) for era, values in told.per_era.items()},
        },
    }  # fmt: skip

