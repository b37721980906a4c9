"""Does a plugin learn? Told by its text alone: importing a plugin would run it."""

from __future__ import annotations

import ast
from pathlib import Path

_LARGEST = 1_000_000


def learns(path: Path) -> bool | None:
    """Return whether a class in the file has a method `fit`; None when the file cannot be read as Python.

    A `fit` that is inherited from another file is not seen.
    """
    try:
        if path.stat().st_size > _LARGEST:
            return None
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return any(isinstance(part, ast.FunctionDef) and part.name == "fit" for one in classes for part in one.body)
