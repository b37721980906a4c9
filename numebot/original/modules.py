"""The module names of the original numebot, made to lead to these classes, and the old way to find a plugin's class."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numebot
from numebot.core.errors import PluginError
from numebot.core.features import did_you_mean
from numebot.original import columns
from numebot.original.data import DataManager
from numebot.original.model import NumeraiModel, save_bak_version
from numebot.original.names import FileNamesGetter

_MODULES: dict[str, dict[str, Any]] = {
    "data": {},
    "data.data_constants": {"NC": columns.NC, "NumeraiColumns": columns.NumeraiColumns},
    "data.data_manager": {"DataManager": DataManager},
    "file_names_getter": {"FileNamesGetter": FileNamesGetter},
    "models": {},
    "models.numerai_model": {"NumeraiModel": NumeraiModel},
    "utils": {"save_bak_version": save_bak_version},
}


def provide(folder: Path) -> None:
    """Let old imports work: the known names lead here, all others into the copy of the old code in `folder`."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    old = str(folder / "numebot")
    if old not in numebot.__path__:
        numebot.__path__.append(old)
    for name, contents in _MODULES.items():
        module = ModuleType(f"numebot.{name}")
        vars(module).update(contents)
        if "." not in name and not contents:
            module.__path__ = [f"{old}/{name}"]
        sys.modules[f"numebot.{name}"] = module
        parent, _, own = f"numebot.{name}".rpartition(".")
        setattr(sys.modules[parent], own, module)
    vars(numebot)["DataManager"] = DataManager


def class_name(module: str) -> str:
    """Return the name that the original made of a module's: example_model → ExampleModel, my_NN → MyNn."""
    return "".join(part.title() for part in module.rpartition(".")[2].split("_"))


def class_of(plugin: str) -> type[NumeraiModel]:
    """Return the class behind "package.module", by the old rule or as the only one there, or "package.module:Class".

    Raises: PluginError.
    """
    name, _, wanted = plugin.partition(":")
    module = importlib.import_module(name)
    classes = {
        key: thing
        for key, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, NumeraiModel) and thing is not NumeraiModel
    }
    own = [key for key, thing in classes.items() if thing.__module__ == name]
    chosen = wanted or (class_name(name) if class_name(name) in classes else own[0] if len(own) == 1 else "")
    if chosen not in classes:
        hint = did_you_mean(chosen, classes)
        raise PluginError(f'"{plugin}": which class? There are {", ".join(classes) or "none"}; say {name}:Class.{hint}')
    return classes[chosen]
