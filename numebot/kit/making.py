"""A new plugin: its file, its test, and its row in model_configs.csv."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from numebot.adapters.artifacts import SAFE_NAME
from numebot.adapters.plugin_files.files import NewPlugin, plan, write
from numebot.adapters.registry.edit import add_row
from numebot.core.errors import ConfigError
from numebot.core.types import ModelConfig, Tournament


def make_plugin(
    name: str, kind: str, *, known: Sequence[ModelConfig], configs: Path, home: Path, plugins_folder: Path | None
) -> NewPlugin:
    """Write a plugin for the model `name`, with a test that passes and a row that is not enabled: it is to be trained.

    Raises: ConfigError when the name cannot be one, or anything of it is there already; LocalTrouble.
    """
    if not SAFE_NAME.fullmatch(name):
        raise ConfigError(f'"{name}" is not the name of a model; allowed are up to 64 letters, digits, _ - and . .')
    same = next((config for config in known if config.name.lower() == name.lower()), None)
    if same is not None:
        raise ConfigError(f'{configs} line {same.line}: "{same.name}" has a row already. Choose another name.')
    new = plan(name, kind, home=home, plugins_folder=plugins_folder)
    row = dict(new.row)
    if kind == "ensemble":
        others = [one.name for one in known if one.tournament == Tournament.CLASSIC and not one.is_ensemble]
        row["parameters"] = json.dumps({"members": others})
    write(new)
    try:
        add_row(configs, row)
    except BaseException:
        # Without its row it would only be in the way of the next try.
        new.path.unlink(missing_ok=True)
        new.test_path.unlink(missing_ok=True)
        raise
    return new
