"""The page of an evaluation: figures, per-era bars, sums, drawdown, exposure, and who it is compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import pandas as pd

from numebot.charts.page import figure, notes, page, table, tiles
from numebot.charts.svg import era_bars, era_lines, named_bars
from numebot.core.evaluation import RATED, THIS, UNITS, Evaluation, exposure_table
from numebot.core.metrics import drawdowns

STRONGEST = 20
"""So many features are shown with their exposure."""
FIGURES = ("mean", "std", "sharpe", "adjusted_sharpe", "max_drawdown", "sum", "eras")


def evaluation_page(evaluations: Sequence[Evaluation]) -> str:
    """Return the whole page for one or more evaluations."""
    names = ", ".join(one.subject.model for one in evaluations)
    return page(f"numebot: {names}", [part for one in evaluations for part in _parts(one)])


def number(value: float, digits: int = 4) -> str:
    """Return a figure for people; "–" where there is none."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def figure_text(one: Evaluation, metric: str, column: str, name: str) -> str:
    """Return a summary's figure: counts whole, ratios with two digits, scores with four; "" where it has no meaning."""
    if metric not in RATED and name not in ("mean", "std", "eras"):
        return ""
    value = one.figure(metric, column, name)
    return number(value, {"eras": 0, "sharpe": 2, "adjusted_sharpe": 2, "autocorrelation": 2}.get(name, 4))


def _parts(one: Evaluation) -> list[str]:
    subject, eras, corr = one.subject, one.eras, one.scores["corr"]
    version = f"version {subject.version}" if subject.version else "as it is: it needs no training"
    about = (
        f"{version}, data {subject.data_version}, target {subject.target}, {len(eras)} validation eras {eras[0]} to "
        f"{eras[-1]} after an embargo of {subject.embargo}"
    )
    parts = [
        table_heading(subject.model, about),
        tiles(_tiles(one)),
        notes(one.notes),
        figure("Correlation per era", era_bars(eras, _list(corr[THIS]), title="correlation per era"), UNITS["corr"]),
        figure("Summed correlation", _lines(eras, corr.cumsum(), "summed correlation")),
        figure(
            "Drawdown",
            _lines(eras, corr.apply(drawdowns).reindex(corr.index), "drawdown of the summed correlation"),
            "How far the sum lies below its highest point so far.",
        ),
    ]
    for name, heading in (("mmc", "Summed contribution to the meta model"), ("payout", "Summed payout")):
        if name in one.scores:
            parts.append(figure(heading, _lines(eras, one.scores[name].cumsum(), heading), UNITS[name]))
    parts += _exposure(one)
    parts.append("<h2>Compared</h2>" + "".join(_compared(one, name) for name in one.scores))
    if one.diagnostics is not None:
        rows = [[name, number(value)] for name, value in one.diagnostics.figures.items()]
        parts.append("<h2>Numerai's diagnostics</h2>" + table(["figure", "value"], rows))
    return parts


def table_heading(model: str, about: str) -> str:
    """Return the head of a model's part of the page."""
    return f'<h1>{escape(model)}</h1><p class="soft">{escape(about)}</p>'


def _tiles(one: Evaluation) -> list[tuple[str, str]]:
    found = [
        (f"corr {name.replace('_', ' ')}", figure_text(one, "corr", THIS, name)) for name in FIGURES[:5]
    ]
    for name in ("mmc", "bmc", "fnc", "exposure", "payout"):
        if name in one.scores:
            found.append((f"{name} mean", number(one.figure(name, THIS, "mean"))))
    if math.isfinite(one.change("corr")):
        found.append(("corr above the previous version", f"{one.change('corr'):+.4f}".replace("-", "\N{MINUS SIGN}")))
    return found


def _exposure(one: Evaluation) -> list[str]:
    strongest = exposure_table(one)["mean"].dropna().head(STRONGEST)
    parts = [figure(
        "Exposure per era", _lines(one.eras, one.scores["exposure"], "largest exposure per era"), UNITS["exposure"]
    )]  # fmt: skip
    if len(strongest):
        bars = named_bars({str(name): float(value) for name, value in strongest.items()}, title="exposure by feature")
        parts.append(figure("Exposure by feature", bars, f"Mean over the eras; the {len(strongest)} strongest."))
    return parts


def _compared(one: Evaluation, name: str) -> str:
    summary = one.summary(name)
    rows = [
        [str(column), *(figure_text(one, name, str(column), shown) for shown in FIGURES)] for column in summary.index
    ]
    return table([f"{name}: {UNITS[name]}", *(text.replace("_", " ") for text in FIGURES)], rows)


def _lines(eras: Sequence[str], frame: pd.DataFrame, title: str) -> str:
    return era_lines(eras, {str(name): _list(frame[name]) for name in frame}, title=title)


def _list(column: pd.Series) -> list[float]:
    return [float(value) for value in column]
