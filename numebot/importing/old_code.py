"""Plugins of the original numebot, judged from their text: importing one would run it."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_OWN = ("numebot",)
_SKIPPED = frozenset({"site-packages", "node_modules", "__pycache__", "build", "dist", "venv", "env"})
_LARGEST = 2_000_000


@dataclass(frozen=True)
class OldPlugin:
    """What an old plugin is: 1, 2 or 3 by the constructor and predict, and what it needs that is not here."""

    generation: int
    missing: tuple[str, ...]
    reads_other_models: tuple[str, ...]
    trains_in_predict: bool


def judged(path: Path, own_packages: tuple[str, ...]) -> OldPlugin:
    """Read a plugin's file. Raises: SyntaxError, OSError, ValueError."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    arguments = {argument.arg for node in functions.values() for argument in node.args.args}
    predict = functions.get("predict")
    calls = {_called(node) for node in ast.walk(predict)} if predict else set()
    return OldPlugin(
        generation=_generation(predict, {*names, *arguments}),
        missing=tuple(sorted({name for name in _imports(tree) if not _is_here(name, own_packages)})),
        reads_other_models=tuple(sorted(set(_other_models(tree)))),
        trains_in_predict=bool(calls & {"train_model", "fit"}),
    )


def python_files(folder: Path) -> Iterator[Path]:
    """Yield the Python files below a folder, without environments, hidden folders and links."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in _SKIPPED or entry.is_symlink():
            continue
        if entry.is_dir() and not (entry / "pyvenv.cfg").exists():
            yield from python_files(entry)
        elif entry.suffix == ".py" and entry.is_file() and entry.stat().st_size <= _LARGEST:
            yield entry


def _generation(predict: ast.FunctionDef | None, names: set[str]) -> int:
    if "config_row" in names:
        return 2
    if predict is not None and len(predict.args.args) > 1:
        first = predict.args.args[1]
        annotation = ast.unparse(first.annotation) if first.annotation else ""
        if "DataFrame" in annotation or (not annotation and first.arg != "data"):
            return 1
    return 3


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _is_here(name: str, own_packages: tuple[str, ...]) -> bool:
    if name in sys.stdlib_module_names or name in _OWN or name in own_packages:
        return True
    return importlib.util.find_spec(name) is not None


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _other_models(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in ("model_path", "model_submission_path") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value
