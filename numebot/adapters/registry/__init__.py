"""model_configs.csv, the switchboard: one row per Numerai model. Read without importing any plugin."""

from numebot.adapters.registry.append import add_rows
from numebot.adapters.registry.parameters import read_parameters
from numebot.adapters.registry.read import Registry, read_registry

__all__ = ["Registry", "add_rows", "read_parameters", "read_registry"]
