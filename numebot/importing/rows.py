"""The row that an import adds to model_configs.csv, unless the very same one stands there already."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from numebot.adapters.registry import Registry, add_rows
from numebot.core.errors import ConfigError


@dataclass(frozen=True)
class Place:
    """Where this numebot keeps things: its table of models, its home, its data."""

    model_configs: Path
    home: Path
    data_folder: Path
    plugins_folder: Path | None = None


def row_of(name: str, code: str, parameters: Mapping[str, object], **cells: str) -> dict[str, str]:
    """Return the cells of a row. Imported models are off until their owner says otherwise."""
    text = json.dumps(dict(parameters), ensure_ascii=False)
    return {"numerai_name": name, "model_code": code, "parameters": text, "enabled": "False", **cells}


def add_new_rows(rows: Sequence[Mapping[str, str]], registry: Registry, place: Place) -> tuple[str, ...]:
    """Append the rows that are not there yet, and return their names.

    Raises: ConfigError, with nothing written, when a model of one of the names has another code or other parameters.
    """
    known = {model.name: model for model in registry.models}
    new, problems = [], []
    for row in rows:
        model = known.get(row["numerai_name"])
        if model is None:
            new.append(row)
        elif (model.code, dict(model.parameters)) != (row["model_code"], json.loads(row["parameters"] or "{}")):
            problems.append(
                f"{model.name} stands in line {model.line} with model_code {model.code}. Remove it to replace it."
            )
    if problems:
        raise ConfigError(f"{place.model_configs.name}: other models have these names. Nothing was changed.", problems)
    if not new:
        return ()
    return add_rows(place.model_configs, new, home=place.home, plugins_folder=place.plugins_folder)
