"""What a plugin says of itself: read from its attributes in the child, believed by numebot only after a check."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from numebot.adapters.runner.code import Code
from numebot.core.errors import PluginError
from numebot.plugin import Model, needs_training

_FILE = re.compile(r"[A-Za-z0-9]\w*(\.\w+)+", re.ASCII)


@dataclass(frozen=True)
class Plugin:
    """What a plugin says of itself, and the file it lies in.

    `file` is the one that model_code names; it may have imported the class from `source`.
    """

    feature_set: str | tuple[str, ...]
    targets: tuple[str, ...]
    scale: str | None
    needs_training: bool
    source: Path
    source_sha256: str
    file: Path
    file_sha256: str
    files: tuple[str, ...] = ()
    takes: str = "frame"
    parameters: tuple[str, ...] = ()
    """The names of the constructor's parameters."""


def described(model: Model, code: Code) -> Plugin:
    """Read a plugin's attributes, which its author may have set to anything. Raises: PluginError."""
    scale = model.scale
    if scale is not None and not (isinstance(scale, str) and scale == "rank"):
        raise PluginError(f'{type(model).__name__}.scale is {scale!r}. Allowed: "rank" or None.')
    feature_sets, targets = _names(model, "feature_set"), _names(model, "target")
    return Plugin(
        feature_set=feature_sets[0] if isinstance(model.feature_set, str) else feature_sets,
        targets=targets,
        scale=None if scale is None else "rank",
        needs_training=needs_training(model),
        source=code.source,
        source_sha256=code.sha256,
        file=code.file,
        file_sha256=code.file_sha256,
        files=_files(model.files, type(model).__name__),
        takes=_takes(model.takes, type(model).__name__),
        parameters=tuple(inspect.signature(type(model)).parameters),
    )


def as_message(plugin: Plugin) -> dict[str, object]:
    """Return it as it goes through the channel."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(plugin).items()}


def from_message(message: object) -> Plugin:
    """Return what came through the channel. Raises: PluginError when it is no description."""
    try:
        return _taken(message)
    except (KeyError, TypeError, ValueError) as error:
        raise PluginError("the plugin's process gave no description of itself.") from error


def _taken(message: object) -> Plugin:
    if not isinstance(message, Mapping):
        raise TypeError
    feature_set, scale = message["feature_set"], message["scale"]
    if scale not in (None, "rank"):
        raise ValueError
    return Plugin(
        feature_set=_printable(feature_set) if isinstance(feature_set, str) else _listed(feature_set),
        targets=_listed(message["targets"]),
        scale=scale,
        needs_training=message["needs_training"] is True,
        source=Path(_printable(message["source"])),
        source_sha256=_printable(message["source_sha256"]),
        file=Path(_printable(message["file"])),
        file_sha256=_printable(message["file_sha256"]),
        files=_files(message["files"], "its process"),
        takes=_takes(message["takes"], "its process"),
        parameters=tuple(map(_printable, message["parameters"])),
    )


def _takes(found: object, owner: str) -> str:
    if found not in ("frame", "batches"):
        raise PluginError(f'{owner}.takes is {found!r}. Allowed: "frame" or "batches".')
    return str(found)


def _files(found: object, owner: str) -> tuple[str, ...]:
    names = tuple(found) if isinstance(found, list | tuple) else (found,)
    if not all(isinstance(name, str) and _FILE.fullmatch(name) for name in names):
        raise PluginError(f'{owner}.files is {found!r}. Allowed: names such as "live_benchmark_models.parquet".')
    return tuple(str(name) for name in names)


def _listed(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise TypeError
    return tuple(_printable(name) for name in value)


def _printable(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError
    return value


def _names(model: Model, attribute: str) -> tuple[str, ...]:
    found = getattr(model, attribute)
    names = (found,) if isinstance(found, str) else tuple(found) if isinstance(found, list | tuple) else ()
    # Names that cannot be printed cannot be stored either, and no feature has one.
    if not names or not all(isinstance(name, str) and name.isprintable() for name in names):
        raise PluginError(f"{type(model).__name__}.{attribute} is {found!r}. Allowed: a name, or a list of names.")
    return tuple(str(name) for name in names)
