"""model_configs.csv: rows that cannot be played, models that were never trained, and those that will break."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from numebot.core.diagnosis import Point, ok, problem, unknown, warning
from numebot.core.features import listed
from numebot.core.types import Event, ModelConfig


def table_point(models: Sequence[ModelConfig], problems: Iterable[str], notices: Iterable[str]) -> Point:
    """Judge the rows of the table; those that are not enabled may have problems."""
    enabled = [one for one in models if one.enabled]
    wrong = [*(one.problem for one in enabled if one.problem), *problems]
    advice = "Correct the row: numebot models"
    if wrong:
        return problem("models", f"{len(wrong)} rows cannot be played: {listed(wrong)}", advice)
    if not enabled:
        return warning("models", "no model is enabled, so no round is played.", "Type: numebot models enable NAME")
    remarks = list(notices)
    if remarks:
        return warning("models", f"{len(enabled)} enabled. {listed(remarks)}", advice)
    return ok("models", f"{len(enabled)} enabled of {len(models)} rows")


def training_point(untrained: Sequence[str], trained: int) -> Point:
    """Judge which enabled models that learn were never trained."""
    if untrained:
        words = f"{len(untrained)} enabled models learn and were never trained: {listed(untrained)}."
        return problem("training", words, f"Type: numebot train {' '.join(untrained[:3])}")
    return ok("training", f"{trained} enabled models have a trained version, the others need none")


def contract_point(events: Iterable[Event], current: Mapping[str, str | None]) -> Point:
    """Judge which current versions will break with a data version that is announced; `current` is by model."""
    broken = {
        event.model: event.message
        for event in events
        if event.model is not None and event.details.get("trained_version") == current.get(event.model, "")
    }
    if broken:
        return warning("data contract", listed(broken.values(), 2), f"Type: numebot train {' '.join(broken)}")
    return ok("data contract", "no trained version is known to break with a newer data version")


def unread_table(words: str) -> list[Point]:
    """Return the points of a table that cannot be read at all."""
    table = problem("models", words, "Correct the file, or name another one: MODEL_CONFIGS_PATH")
    return [table, *(unknown(name, "the table of models cannot be read.") for name in ("training", "data contract"))]
