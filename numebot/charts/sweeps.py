"""What a sweep found, as one page: its history, what matters, and every trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from numebot.charts.page import figure, page, table
from numebot.charts.svg import named_bars, trial_dots
from numebot.core.sweep_report import counted, ranked
from numebot.core.sweeps import Trial, spoken


def sweep_page(name: str, metric: str, trials: Sequence[Trial], importance: Mapping[str, float]) -> str:
    """Return an HTML page that needs nothing else."""
    complete = [trial for trial in trials if trial.value is not None]
    dots = [
        (trial.number, trial.value or 0.0, f"trial {trial.number}: {trial.value:.5f}, {spoken(trial.parameters)}")
        for trial in complete
    ]
    caption = f"{metric} by trial; the line is the best so far."
    history = figure("History", trial_dots(dots, title=f"{metric} by trial"), caption) if dots else (
        "<p>No trial is complete yet.</p>"
    )  # fmt: skip
    matters = figure("Importance", named_bars(importance, title="importance")) if importance else (
        "<p>Too few different trials are complete to tell what matters.</p>"
    )  # fmt: skip
    names = list(dict.fromkeys(key for trial in trials for key in trial.parameters))
    others = [trial for trial in trials if trial.value is None]
    rows = [_row(trial, names) for trial in [*ranked(trials), *others]]
    columns = ["trial", "state", metric, "after each fold", *names, "error"]
    head = f"<h1>Sweep {escape(name)}</h1><p>{escape(counted(trials))}</p>"
    return page(f"Sweep {name}", [head, history, matters, "<h2>Trials</h2>", table(columns, rows, is_loose=True)])


def _row(trial: Trial, names: Sequence[str]) -> list[str]:
    value = "" if trial.value is None else f"{trial.value:.5f}"
    folds = " · ".join(f"{each:.4f}" for each in trial.folds)
    own = [spoken({name: trial.parameters.get(name, "")}).partition("=")[2] for name in names]
    return [str(trial.number), str(trial.state), value, folds, *own, trial.error]
