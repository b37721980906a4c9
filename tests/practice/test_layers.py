"""The parts of the practice tournament use each other in one direction, and what others import of it is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRACTICE = ROOT / "numebot/practice"
MAY_USE = {
    "market": set(),
    "scores": {"market"},
    "world": {"market", "scores"},
    "http": set(),
    "faults": {"http"},
    "storage": {"faults", "http"},
    "graphql": {"market", "scores", "world", "faults", "http"},
}
LEAVES = {"numbering", "recent", "spelling", "clock"}
"""Modules beside the parts that any of them may use; they use none."""


def parts_used(path: Path) -> set[str]:
    """Return the parts and modules of the practice tournament that a file imports."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return {str(node.module).split(".")[2] for node in nodes if str(node.module).startswith("numebot.practice.")}


@pytest.mark.parametrize("part", MAY_USE)
def test_a_part_uses_only_those_it_may(part: str) -> None:
    files = list((PRACTICE / part).rglob("*.py"))
    assert files
    for path in files:
        assert parts_used(path) <= MAY_USE[part] | LEAVES | {part}, path


def test_every_folder_is_a_part_that_says_what_it_is() -> None:
    folders = {path.parent for path in PRACTICE.rglob("*.py")} - {PRACTICE}
    assert {path.name for path in folders if path.parent == PRACTICE} == set(MAY_USE)
    for folder in folders:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text())), folder


def test_leaves_use_no_part() -> None:
    for name in LEAVES:
        assert parts_used(PRACTICE / f"{name}.py") <= LEAVES


def test_running_one_as_a_child_loads_nothing_heavy() -> None:
    script = (
        "import sys, numebot.practice.options, numebot.practice.process, numebot.practice.first_day\n"
        "print({'pandas', 'numpy', 'ariadne', 'graphql', 'starlette', 'pyarrow', 'scipy'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "set()"
