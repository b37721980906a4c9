"""What a sweep found, as text for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from numebot.core.sweeps import Trial, TrialState, best_of, spoken

SHOWN = 10


def report_lines(name: str, metric: str, trials: Sequence[Trial], importance: Mapping[str, float]) -> list[str]:
    """Return a report for a terminal: how many trials, the best of them, and what matters."""
    lines = [f"{name}: {counted(trials)}"]
    ranking = ranked(trials)
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


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Return the complete trials, the best first."""
    complete = [trial for trial in trials if trial.value is not None]
    ranking = sorted(complete, key=lambda trial: (-(trial.value or 0.0), trial.number))
    assert not ranking or ranking[0] == best_of(trials), "one order everywhere"
    return ranking
