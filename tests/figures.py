"""What the chaos tests measured, collected from all workers and printed at the end of the run. A pytest plugin."""

from __future__ import annotations

import os
from typing import Any

import pytest

FIGURES: dict[str, dict[str, str]] = {}
"""Name of the measurement → its figures."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: hand the figures over to the process that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = FIGURES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker measured."""
    for name, values in getattr(node, "workeroutput", {}).get("figures", {}).items():
        FIGURES.setdefault(name, {}).update(values)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section(f"chaos figures, CHAOS_SEED={os.environ['CHAOS_SEED']}")
        for name, values in sorted(FIGURES.items()):
            words = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in values.items())
            terminalreporter.write_line(f"{name:<22} {words}")
