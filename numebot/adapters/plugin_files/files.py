"""Writes a plugin's file and its test from a template; never over a file that is there."""

from __future__ import annotations

import importlib.util
import json
import keyword
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numebot.plugin
from numebot.adapters.plugin_files.kinds import KINDS
from numebot.core.errors import ConfigError
from numebot.durable import fsync_file, fsync_folder, local_trouble, make_folder

_TEMPLATES = Path(__file__).parent / "templates"


def kinds() -> Sequence[str]:
    """Return the templates that fit this numebot's plugin contract."""
    return [name for name in KINDS if name != "ensemble" or hasattr(numebot.plugin, "Ensemble")]


@dataclass(frozen=True)
class NewPlugin:
    """What is to be written, and the row that names it."""

    kind: str
    class_name: str
    path: Path
    test_path: Path
    module: str
    row: Mapping[str, str]


def plan(name: str, kind: str, *, home: Path, plugins_folder: Path | None) -> NewPlugin:
    """Return where the files of a new plugin for the model `name` belong: the private folder if there is one.

    Raises: ConfigError when a file is there already, or the name would hide a module.
    """
    if kind not in kinds():
        raise ConfigError(f'"{kind}" is no template. Allowed: {", ".join(kinds())}.')
    stem, suffix = _stem(name), KINDS[kind].suffix
    if plugins_folder is not None:
        path, module, code = plugins_folder / f"{stem}{suffix}", stem, f"{stem}.py"
        _require_free_module(stem, plugins_folder)
        tests = plugins_folder
    else:
        path, module, code = home / "models" / f"{stem}{suffix}", f"models.{stem}", f"models.{stem}"
        _require_free_module(code, path.parent)
        tests = home / "tests" / "models"
        if not tests.is_dir():  # no checkout: the test lies beside the plugin and imports it from there
            tests, module = path.parent, stem
            _require_free_module(stem, path.parent)
    new = NewPlugin(
        kind=kind,
        class_name="".join(part[:1].upper() + part[1:] for part in stem.split("_")),
        path=path,
        test_path=tests / f"test_{stem}.py",
        module=module,
        row={
            "numerai_name": name,
            "model_code": code,
            "description": KINDS[kind].description,
            "enabled": "False",
            **_cells(kind, path),
        },
    )
    for there in (new.path, new.test_path):
        if there.exists() or there.is_symlink():
            raise ConfigError(
                f"{there}: is there already and is not overwritten. Choose another name, or move it away."
            )
    return new


def write(new: NewPlugin) -> None:
    """Write the plugin and its test. Raises: ConfigError when one of them is there by now; LocalTrouble."""
    kind = KINDS[new.kind]
    test = "test_command" if new.kind == "command" else "test_optional" if kind.library else "test"
    _write_new(new.path, _filled(f"{new.kind}{kind.suffix}.txt", new))
    try:
        _write_new(new.test_path, _filled(f"{test}.txt", new))
    except BaseException:
        new.path.unlink(missing_ok=True)
        raise


def _cells(kind: str, path: Path) -> Mapping[str, str]:
    """Return what stands in the row of this kind alone."""
    if kind == "ensemble":
        return {"is_ensemble": "True"}
    if kind == "command":
        parameters = {"command": ["/bin/sh", str(path)], "format": "csv"}
        return {"model_code": "models.command", "parameters": json.dumps(parameters), "readable": str(path)}
    return {}


def _stem(name: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not stem or stem[0].isdigit() or keyword.iskeyword(stem):
        stem = f"model_{stem}".rstrip("_")
    return stem


def _require_free_module(stem: str, folder: Path) -> None:
    """A file that is found first by its bare name would take the place of a library, or the library its own."""
    is_library = stem in sys.stdlib_module_names
    if not is_library:
        with suppress(ModuleNotFoundError):
            spec = importlib.util.find_spec(stem)
            is_library = spec is not None and (spec.origin is None or not Path(spec.origin).is_relative_to(folder))
    if is_library:
        raise ConfigError(
            f'"{stem}" is the name of a Python module already; a file of that name would be mistaken for it.'
        )


def _filled(template: str, new: NewPlugin) -> str:
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    kind = KINDS[new.kind]
    words = {
        "NAME": new.row["numerai_name"],
        "CLASS": new.class_name,
        "MODULE": new.module,
        "QUICK": kind.quick,
        "LIBRARY": kind.library or "",
        "PLACE": json.dumps(os.path.relpath(new.path, new.test_path.parent), ensure_ascii=False),
    }
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text


def _write_new(path: Path, text: str) -> None:
    try:
        make_folder(path.parent)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path}: is there already and is not overwritten.") from None
    except OSError as error:
        path.unlink(missing_ok=True)
        raise local_trouble(error, path) from error
    fsync_file(path)
    fsync_folder(path.parent)
