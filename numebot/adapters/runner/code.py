"""From the text in the model_code column to a plugin class."""

from __future__ import annotations

import copy
import hashlib
import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from numebot.adapters.runner.guard import plugin_call
from numebot.core.errors import PluginError
from numebot.core.features import did_you_mean
from numebot.plugin import Model

MODULE_PREFIX = "numebot_plugin_"
"""Name under which a plugin given by path is imported; pickles refer to it, so it depends on the path as written."""


_STAMP = "__numebot_sha256__"
"""Where a module carries the sha256 of its file as it was when it was loaded."""


@dataclass(frozen=True)
class Code:
    """A plugin class, the file that it was written in, and the sha256 of that file.

    `file` is the one that model_code names; it may have imported the class from `source`.
    """

    plugin: type[Model]
    source: Path
    sha256: str
    file: Path
    file_sha256: str


def find_code(code: str, folders: Sequence[Path]) -> Code:
    """Return the plugin class behind `package.module`, `path/to/file.py`, or either followed by `:ClassName`.

    Paths are looked up in `folders`, in order; modules also below them, so that `models.mine` may lie in any of them.
    Raises: PluginError with what is wrong and what there is instead.
    """
    place, _, class_name = code.strip().partition(":")
    if not place:
        raise PluginError("model_code is blank. Allowed: package.module or path/to/file.py, either with :ClassName.")
    with plugin_call(f"loading of {code}"):
        module = _from_path(place, folders) if place.endswith(".py") else _from_name(place, folders)
        plugin = _chosen(module, class_name, code)
        source, file = Path(inspect.getfile(plugin)), Path(inspect.getfile(module))
        digest = vars(module)[_STAMP]
        return Code(plugin, source, digest if source == file else sha256_of(source), file, digest)


def build(code: Code, parameters: Mapping[str, object]) -> Model:
    """Return the plugin made with the parameters of its row, which it gets a copy of.

    Raises: PluginError, naming the parameters that the constructor knows, when it refuses some.
    """
    plugin = code.plugin
    with plugin_call(f"{plugin.__name__}()", code.source):
        if inspect.isabstract(plugin):
            raise PluginError(f"{plugin.__name__} has no method {', '.join(sorted(plugin.__abstractmethods__))}.")
        _require_known(plugin, parameters)
        return plugin(**copy.deepcopy(dict(parameters)))


def _require_known(plugin: type[Model], parameters: Mapping[str, object]) -> None:
    signature = inspect.signature(plugin)
    try:
        signature.bind(**parameters)
    except TypeError as error:
        known = list(signature.parameters)
        unknown = [name for name in parameters if name not in known]
        hint = did_you_mean(unknown[0], known) if unknown else ""
        what = f'"{unknown[0]}" is no parameter of {plugin.__name__}' if unknown else f"{plugin.__name__}: {error}"
        raise PluginError(f"parameters: {what}.{hint} Allowed: {', '.join(known) or 'none'}.") from error


def sha256_of(source: Path) -> str:
    """Return the sha256 of a plugin's file. Raises: PluginError when it cannot be read."""
    try:
        return hashlib.sha256(source.read_bytes()).hexdigest()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PluginError(f"{source} cannot be read ({reason}). This user must be able to read it.") from error


class _Loader(SourceFileLoader):
    """Compiles the file as it stands: Python takes an old .pyc for it when an edit keeps the size and the second."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the compiled file."""
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


def _from_path(place: str, folders: Sequence[Path]) -> ModuleType:
    found = [folder / place for folder in folders if (folder / place).is_file()]
    if not found:
        raise PluginError(_no_file(place, folders))
    path = found[0].resolve()
    name = f"{MODULE_PREFIX}{path.stem}_{hashlib.sha256(place.encode()).hexdigest()[:8]}"
    digest = sha256_of(path)
    _append_to_path(path.parent)  # the plugin may import what lies beside it
    spec = importlib.util.spec_from_file_location(name, path, loader=_Loader(name, str(path)))
    if spec is None or spec.loader is None:
        raise PluginError(f'"{place}" cannot be imported as Python.')
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with plugin_call(f"import of {place}", path):
            spec.loader.exec_module(module)
    except PluginError:
        sys.modules.pop(name, None)
        raise
    vars(module)[_STAMP] = digest
    return module


def _no_file(place: str, folders: Sequence[Path]) -> str:
    other = [folder / place for folder in folders if os.path.lexists(folder / place)]
    if other:
        what = "a folder" if other[0].is_dir() else "a link that leads to no file or something that is no file"
        return f'"{place}" is {what} ({other[0]}). Allowed: the path of a .py file.'
    looked = ", ".join(str(folder) for folder in folders)
    siblings = [path for folder in folders for path in (folder / place).parent.glob("*.py") if path.is_file()]
    hint = did_you_mean(Path(place).name, [path.name for path in siblings])
    return f'"{place}" does not exist below {looked}.{hint}'


def _from_name(place: str, folders: Sequence[Path]) -> ModuleType:
    if not all(part.isidentifier() for part in place.split(".")):
        raise PluginError(f'"{place}" is neither a module name (package.module) nor a path that ends in .py.')
    importlib.invalidate_caches()
    for folder in folders:
        _append_to_path(folder)
        _extend_package(place, folder)
    with plugin_call(f"import of {place}"):
        spec = _spec(place)
    if spec is None:
        raise PluginError(f'"{place}" does not exist.{did_you_mean(place, _neighbours(place, folders))}')
    if not spec.has_location or spec.origin is None:
        raise PluginError(f'"{place}" is a package without a file, or part of Python. It holds no plugin.')
    digest = sha256_of(Path(spec.origin))
    with plugin_call(f"import of {place}", Path(spec.origin)):
        module = importlib.import_module(place)
    vars(module)[_STAMP] = digest
    return module


def _spec(place: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(place)
    except ModuleNotFoundError as error:
        if error.name and f"{place}.".startswith(f"{error.name}."):
            return None  # a package in front of it does not exist; anything else is what that package imports
        raise


def _append_to_path(folder: Path) -> None:
    # At the end: a file of the user never takes the place of a library.
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _extend_package(place: str, folder: Path) -> None:
    """Let `models.mine` be found in the user's own folder `models` beside the package of the same name."""
    package, _, module = place.partition(".")
    below = folder / package
    if not module or not below.is_dir() or importlib.util.find_spec(package) is None:
        return
    path = getattr(importlib.import_module(package), "__path__", None)
    if path is not None and str(below) not in list(path):
        path.append(str(below))


def _neighbours(place: str, folders: Sequence[Path]) -> list[str]:
    package, _, _ = place.rpartition(".")
    try:
        where = list(importlib.import_module(package).__path__) if package else [str(folder) for folder in folders]
    except (ImportError, AttributeError):
        where = []
    names = [info.name for info in pkgutil.iter_modules(where)]
    return [f"{package}.{name}" if package else name for name in names]


def _chosen(module: ModuleType, class_name: str, code: str) -> type[Model]:
    classes = {name: thing for name, thing in vars(module).items() if isinstance(thing, type)}
    if class_name:
        chosen = classes.get(class_name)
        if chosen is None:
            raise PluginError(f'"{code}": there is no class {class_name}.{did_you_mean(class_name, classes)}')
        if not issubclass(chosen, Model):
            raise PluginError(f'"{code}": {class_name} is not a subclass of numebot.plugin.Model.')
        return chosen
    own = [thing for thing in classes.values() if issubclass(thing, Model) and thing.__module__ == module.__name__]
    own = [thing for thing in own if not inspect.isabstract(thing)] or own
    if not own:
        raise PluginError(f'"{code}": it holds no subclass of numebot.plugin.Model.')
    if len(own) > 1:
        names = [thing.__name__ for thing in own]
        raise PluginError(
            f'"{code}": it holds {len(own)} plugins, {", ".join(names)}. Say which one: {code}:{names[0]}'
        )
    return own[0]
