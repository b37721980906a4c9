"""What the chaos tests share: how much chaos, from which seed, and the figures that are printed at the end.

In the ordinary run they are bounded; `CHAOS=full` (scripts/chaos) runs the whole form. `CHAOS_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

IS_FULL = os.environ.get("CHAOS") == "full"
SEED = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))
FIGURES: dict[str, dict[str, object]] = {}


@pytest.fixture
def is_full() -> bool:
    """Whether the whole form was asked for."""
    return IS_FULL


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """The test's own chance, the same for the same CHAOS_SEED."""
    return random.Random(f"{SEED} {request.node.nodeid}")


@pytest.fixture
def figures() -> Callable[..., None]:
    """Print what was measured at the end of the run: `figures("random kills", kills=200, missing=0)`."""

    def note(name: str, **values: object) -> None:
        FIGURES.setdefault(name, {}).update(values)

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section(f"chaos figures, CHAOS_SEED={SEED}")
        for name, values in FIGURES.items():
            words = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in values.items())
            terminalreporter.write_line(f"{name:<22} {words}")
