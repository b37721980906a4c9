"""What a sweep found, for people: as text, and as one HTML page with plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from numebot.core.sweeps import Trial, TrialState, best_of, spoken

SHOWN = 10
WIDTH, HEIGHT, EDGE = 720, 260, 40


def report_lines(name: str, metric: str, trials: Sequence[Trial], importance: Mapping[str, float]) -> list[str]:
    """Return a report for a terminal: how many trials, the best of them, and what matters."""
    lines = [f"{name}: {counted(trials)}"]
    ranking = _ranking(trials)
    if not ranking:
        failed = next((trial.error for trial in reversed(trials) if trial.error), "")
        return [*lines, f"The last failure: {failed}" if failed else "No trial is complete yet."]
    lines += ["", f"  {'trial':>5}  {metric:>11}  parameters"]
    lines += [f"  {trial.number:>5}  {trial.value:>11.5f}  {spoken(trial.parameters)}" for trial in ranking[:SHOWN]]
    if importance:
        lines += ["", "  importance"]
        lines += [f"  {share:>6.0%} {'█' * round(share * 30):<30} {name}" for name, share in importance.items()]
    return lines


def counted(trials: Sequence[Trial]) -> str:
    """Return how many trials there are of each state, e.g. "12 complete, 3 pruned"."""
    counts = Counter(trial.state for trial in trials)
    return ", ".join(f"{counts[state]} {state}" for state in TrialState if counts[state]) or "no trials"


def report_page(name: str, metric: str, trials: Sequence[Trial], importance: Mapping[str, float]) -> str:
    """Return the same as a page that needs nothing else: history, importance, and every trial."""
    names = list(dict.fromkeys(key for trial in trials for key in trial.parameters))
    columns = ("trial", "state", metric, "after each fold", *names, "error")
    head = "".join(f"<th>{escape(text)}</th>" for text in columns)
    others = [trial for trial in trials if trial.value is None]
    rows = "".join(_row(trial, names) for trial in [*_ranking(trials), *others])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sweep {escape(name)}</title><style>'
        "body{font:15px system-ui,sans-serif;margin:2em auto;max-width:64em;padding:0 1em;color:#222;background:#fff}"
        "table{border-collapse:collapse}td,th{padding:.25em .7em;text-align:left;border-bottom:1px solid #ddd}"
        "text{font:12px system-ui,sans-serif;fill:#444}</style>"
        f"<h1>Sweep {escape(name)}</h1><p>{escape(counted(trials))}</p>"
        f"<h2>History</h2>{history_plot(trials, metric)}<h2>Importance</h2>{importance_plot(importance)}"
        f"<h2>Trials</h2><table><tr>{head}</tr>{rows}</table></html>\n"
    )


def history_plot(trials: Sequence[Trial], metric: str) -> str:
    """Return each complete trial as a dot, and the best so far as a line (SVG)."""
    complete = [trial for trial in trials if trial.value is not None]
    if not complete:
        return "<p>No trial is complete yet.</p>"
    values = [trial.value or 0.0 for trial in complete]
    low, high = min(values), max(values)
    reach = (high - low) or 1.0
    last = max(trial.number for trial in complete) or 1

    def place(number: int, value: float) -> tuple[float, float]:
        return EDGE + number / last * (WIDTH - 2 * EDGE), HEIGHT - EDGE - (value - low) / reach * (HEIGHT - 2 * EDGE)

    dots, steps, best = [], [], low
    for trial, value in zip(complete, values, strict=True):
        x, y = place(trial.number, value)
        best = max(best, value)
        title = escape(f"trial {trial.number}: {value:.5f}, {spoken(trial.parameters)}")
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#1f77b4"><title>{title}</title></circle>')
        steps.append(f"{x:.1f},{place(trial.number, best)[1]:.1f}")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(metric)} by trial">'
        f'<polyline points="{" ".join(steps)}" fill="none" stroke="#d62728"/>{"".join(dots)}'
        f'<text x="2" y="{EDGE}">{high:.4f}</text><text x="2" y="{HEIGHT - EDGE}">{low:.4f}</text>'
        f'<text x="{EDGE}" y="{HEIGHT - 8}">trial 0 to {last}; the line is the best so far</text></svg>'
    )


def importance_plot(importance: Mapping[str, float]) -> str:
    """Return a bar per parameter (SVG)."""
    if not importance:
        return "<p>Too few different trials are complete to tell.</p>"
    bars = "".join(
        f'<text x="4" y="{24 * row + 16}">{escape(name)}</text>'
        f'<rect x="220" y="{24 * row + 4}" height="16" width="{share * 420:.1f}" fill="#1f77b4"/>'
        f'<text x="{226 + share * 420:.1f}" y="{24 * row + 16}">{share:.0%}</text>'
        for row, (name, share) in enumerate(importance.items())
    )
    return f'<svg viewBox="0 0 {WIDTH} {24 * len(importance) + 8}" role="img" aria-label="importance">{bars}</svg>'


def _ranking(trials: Sequence[Trial]) -> list[Trial]:
    complete = [trial for trial in trials if trial.value is not None]
    ranking = sorted(complete, key=lambda trial: (-(trial.value or 0.0), trial.number))
    assert not ranking or ranking[0] == best_of(trials), "one order everywhere"
    return ranking


def _row(trial: Trial, names: Sequence[str]) -> str:
    value = "" if trial.value is None else f"{trial.value:.5f}"
    folds = " · ".join(f"{each:.4f}" for each in trial.folds)
    own = [spoken({name: trial.parameters.get(name, "")}).partition("=")[2] for name in names]
    cells = [str(trial.number), str(trial.state), value, folds, *own, trial.error]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
