"""What the chaos tests share: how much chaos, from which seed, and the figures that are printed at the end.

In the ordinary run they are bounded; `CHAOS=full` (scripts/chaos) runs the whole form. `CHAOS_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.figures import FIGURES

IS_FULL = os.environ.get("CHAOS") == "full"
SEED = int(os.environ["CHAOS_SEED"])


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
        FIGURES.setdefault(name, {}).update({key: str(value) for key, value in values.items()})

    return note
