"""What plugins have said of themselves, for as long as the files that it came from stay as they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from numebot.adapters.runner.code import sha256_of
from numebot.adapters.runner.description import Plugin, from_message
from numebot.core.errors import PluginError
from numebot.core.types import ModelConfig

_LARGEST_SOURCE = 50_000_000
"""Bytes of a plugin's file; a longer one is none."""

Key = tuple[str, str]


def plugin_key(config: ModelConfig) -> Key:
    """Return what two rows have in common whose plugins say the same of themselves."""
    return key_of(config.code, config.parameters)


def key_of(code: str, parameters: Mapping[str, object]) -> Key:
    """Return the key of a plugin that is built with these parameters."""
    return code, repr(sorted(parameters.items()))


class KnownPlugins:
    """Descriptions by plugin and parameters."""

    def __init__(self) -> None:
        self._plugins: dict[Key, Plugin] = {}

    def __getitem__(self, key: Key) -> Plugin:
        """Return the newest description, whatever became of its files. Raises: KeyError."""
        return self._plugins[key]

    def current(self, key: Key) -> Plugin | None:
        """Return a description while the files that it came from are as they were, or are gone."""
        known = self._plugins.get(key)
        if known is None:
            return None
        same = _is_unchanged(known.source, known.source_sha256) and _is_unchanged(known.file, known.file_sha256)
        return known if same else None

    def learn(self, key: Key, message: object) -> Plugin:
        """Take a description from a plugin's process. Raises: PluginError when it is none."""
        plugin = self._plugins[key] = from_message(message)
        return plugin


def _is_unchanged(path: Path, sha256: str) -> bool:
    try:
        # The path comes from the plugin's process: it may be that of a device.
        if not path.is_file() or path.stat().st_size > _LARGEST_SOURCE:
            return not os.path.lexists(path)
        return sha256_of(path) == sha256
    except (OSError, PluginError):
        return True  # it can no longer be read: then it counts as it was
